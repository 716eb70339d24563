/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "replay.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "durable.h"
#include "io.h"
#include "log.h"

enum { TEXT_MAX = 16 * 1024 * 1024 }; /* room for 80,000 ids */

static int fail(const struct consumer *consumer, const char *operation, const char *name)
{
    const int saved = errno;

    log_error("cannot %s '%s/%s': %s", operation, consumer->path, name, strerror(saved));
    errno = saved;
    return -1;
}

/* "replay-7" and then `ending`: 7; 0: it is another file. */
static uint64_t number_of(const char *name, const char *ending)
{
    static const char prefix[] = "replay-";
    const char *digits = name + sizeof(prefix) - 1;

    if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
        return 0;
    const size_t len = strspn(digits, "0123456789");
    return len > 18 || strcmp(digits + len, ending) != 0 ? 0 : strtoull(digits, NULL, 10);
}

/* The least number above `after`, the greatest, and that of some cursor; 0 for none. */
static int find(const struct consumer *consumer, uint64_t after, uint64_t *least,
                uint64_t *greatest, uint64_t *cursor)
{
    struct dirent *entry;

    *least = *greatest = *cursor = 0;
    const int fd = io_openat(consumer->dir, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (stream == NULL) {
        (void)fail(consumer, "read directory", ".");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    while (errno = 0, (entry = readdir(stream)) != NULL) {
        const uint64_t number = number_of(entry->d_name, "");
        if (number > after && (*least == 0 || number < *least))
            *least = number;
        if (number > *greatest)
            *greatest = number;
        if (*cursor == 0)
            *cursor = number_of(entry->d_name, ".cursor");
    }
    const int error = errno;
    closedir(stream);
    errno = error;
    return error != 0 ? fail(consumer, "read directory", ".") : 0;
}

static void print(FILE *out, uint64_t from, uint64_t to, const struct filter *filter)
{
    fprintf(out, "%" PRIu64 " %" PRIu64 "\n", from, to);
    if (filter->since != INT64_MIN)
        fprintf(out, "since %" PRId64 "\n", filter->since);
    if (filter->until != INT64_MAX)
        fprintf(out, "until %" PRId64 "\n", filter->until);
    if (filter->type != NULL)
        fprintf(out, "type %s\n", filter->type);
    for (size_t i = 0; i < filter->id_count; i++)
        fprintf(out, "id %s\n", filter->ids[i]);
}

/* Can it be read back, a line a word? */
static bool is_plain(const struct filter *filter)
{
    bool plain = filter->type == NULL || strpbrk(filter->type, "\n\r") == NULL;

    for (size_t i = 0; i < filter->id_count; i++)
        plain &= strpbrk(filter->ids[i], "\n\r") == NULL;
    return plain;
}

static int remove_cursor(const struct consumer *consumer, const char *name)
{
    char cursor[REPLAY_NAME + 8];

    snprintf(cursor, sizeof(cursor), "%s.cursor", name);
    if (io_unlinkat(consumer->dir, cursor) == 0 || errno == ENOENT)
        return 0;
    return fail(consumer, "remove", cursor);
}

int replay_request(struct consumer *consumer, uint64_t from, uint64_t to,
                   const struct filter *filter)
{
    char name[REPLAY_NAME];
    uint64_t least, greatest, cursor;
    char *text = NULL;
    size_t len = 0;

    FILE *out = open_memstream(&text, &len);
    if (out != NULL)
        print(out, from, to, filter);
    if (out == NULL || fclose(out) != 0) {
        free(text);
        errno = ENOMEM;
        return fail(consumer, "write", "replay");
    }
    struct iovec part = {.iov_base = text, .iov_len = len};
    int result = -1;
    errno = EINVAL;
    if (!is_plain(filter) || len > TEXT_MAX)
        (void)fail(consumer, "write", "replay");
    else
        result = consumer_enter(consumer);
    if (result == 0) {
        result = find(consumer, 0, &least, &greatest, &cursor);
        snprintf(name, sizeof(name), "replay-%" PRIu64, greatest + 1);
        if (result == 0)
            result = remove_cursor(consumer, name); /* a leftover would skip events */
        if (result == 0)
            result = durable_replace(consumer->dir, consumer->path, name, &part, 1);
        consumer_leave(consumer);
    }
    const int saved = errno;
    free(text);
    errno = saved;
    return result;
}

/* The whole file, NUL-terminated. */
static char *read_text(const struct consumer *consumer, const char *name)
{
    struct stat st;
    char *text = NULL;

    const int fd = io_openat(consumer->dir, name, O_RDONLY | O_NOFOLLOW, 0);
    if (fd >= 0 && fstat(fd, &st) == 0) {
        if (st.st_size > TEXT_MAX)
            errno = EFBIG;
        else if ((text = malloc((size_t)st.st_size + 1)) != NULL) {
            const ssize_t got = pread(fd, text, (size_t)st.st_size, 0);
            text[got > 0 ? got : 0] = '\0';
            if (got < 0) {
                free(text);
                text = NULL;
            }
        }
    }
    if (text == NULL)
        (void)fail(consumer, "read", name);
    const int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    return text;
}

/* One line behind the first: a word and its value. */
static bool take(struct replay *replay, char *line)
{
    char *value = strchr(line, ' ');

    if (value == NULL)
        return false;
    *value++ = '\0';
    if (strcmp(line, "since") == 0)
        replay->filter.since = strtoll(value, NULL, 10);
    else if (strcmp(line, "until") == 0)
        replay->filter.until = strtoll(value, NULL, 10);
    else if (strcmp(line, "type") == 0)
        replay->filter.type = value;
    else if (strcmp(line, "id") == 0)
        replay->ids[replay->filter.id_count++] = value;
    else
        return false;
    return true;
}

static bool parse(struct replay *replay)
{
    size_t lines = 0;
    char *rest = replay->text;
    char *line = strsep(&rest, "\n");

    if (sscanf(line, "%" SCNu64 " %" SCNu64, &replay->from, &replay->to) != 2
        || replay->from > replay->to)
        return false;
    for (const char *at = rest; at != NULL && *at != '\0'; at++)
        lines += *at == '\n';
    replay->ids = calloc(lines + 1, sizeof(*replay->ids));
    if (replay->ids == NULL)
        return false;
    while (rest != NULL && *rest != '\0') {
        line = strsep(&rest, "\n");
        if (rest == NULL || !take(replay, line)) /* its last line has no newline */
            return false;
    }
    replay->filter.ids = replay->ids;
    return true;
}

/* So that it is told once, and those behind it have their turn. */
static int set_aside(const struct consumer *consumer, const char *name)
{
    char aside[REPLAY_NAME + 8];

    snprintf(aside, sizeof(aside), "%s.damaged", name);
    if (io_renameat(consumer->dir, name, aside) < 0)
        return fail(consumer, "move aside", name);
    log_error("it is called %s now", aside);
    errno = EINVAL;
    return -1;
}

int replay_first(const struct consumer *consumer, struct replay *replay)
{
    uint64_t least, greatest, cursor;

    *replay = (struct replay){.filter = FILTER_ALL};
    if (find(consumer, 0, &least, &greatest, &cursor) < 0)
        return -1;
    if (least == 0 && cursor > 0) { /* a drain died when it was through with a request */
        snprintf(replay->name, sizeof(replay->name), "replay-%" PRIu64, cursor);
        return remove_cursor(consumer, replay->name);
    }
    const int found = replay_next(consumer, 0, replay);
    return found < 0 && errno == EINVAL ? set_aside(consumer, replay->name) : found;
}

int replay_next(const struct consumer *consumer, uint64_t after, struct replay *replay)
{
    uint64_t least, greatest, cursor;

    if (find(consumer, after, &least, &greatest, &cursor) < 0)
        return -1;
    *replay = (struct replay){.number = least, .filter = FILTER_ALL};
    if (least == 0)
        return 0;
    snprintf(replay->name, sizeof(replay->name), "replay-%" PRIu64, least);
    snprintf(replay->cursor_name, sizeof(replay->cursor_name), "%s.cursor", replay->name);
    replay->text = read_text(consumer, replay->name);
    if (replay->text == NULL)
        return -1;
    errno = 0;
    if (parse(replay))
        return 1;
    const bool no_memory = errno == ENOMEM;
    replay_release(replay);
    if (no_memory)
        return fail(consumer, "read", replay->name);
    log_error("'%s/%s' is no request to replay events", consumer->path, replay->name);
    errno = EINVAL;
    return -1;
}

void replay_release(struct replay *replay)
{
    free(replay->text);
    free(replay->ids);
    replay->text = NULL;
    replay->ids = NULL;
}

int replay_remove(struct consumer *consumer, const struct replay *replay)
{
    if (consumer_enter(consumer) < 0)
        return -1;
    /* The request first: a cursor without one is a leftover, the reverse would begin anew. */
    int result = io_unlinkat(consumer->dir, replay->name);
    if (result == 0)
        result = io_fsync(consumer->dir);
    result = result < 0 ? fail(consumer, "remove", replay->name)
                        : remove_cursor(consumer, replay->name);
    consumer_leave(consumer);
    return result;
}
