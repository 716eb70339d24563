/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "durable.h"
#include "io.h"
#include "log.h"
#include "record.h"

enum { HASH = 16 }; /* hexadecimal digits */

static int fail(const struct cursor *cursor, const char *operation)
{
    const int saved = errno;

    log_error("cannot %s '%s/%s': %s", operation, cursor->path, cursor->name, strerror(saved));
    errno = saved;
    return -1;
}

/* A slot: the line, blanks up to the slot's end, and a newline there as well. */
static void encode(const struct cursor *cursor, char slot[CURSOR_SLOT])
{
    int len = snprintf(slot, CURSOR_SLOT, "%" PRIu64 " %" PRIu64, cursor->position,
                       cursor->serial);

    for (size_t i = 0; i < cursor->count; i++)
        len += snprintf(slot + len, (size_t)(CURSOR_SLOT - len), " %" PRIu64 "-%" PRIu64,
                        cursor->done[i].from, cursor->done[i].to);
    len += snprintf(slot + len, (size_t)(CURSOR_SLOT - len), " %016" PRIx64 "\n",
                    record_hash(slot, (size_t)len));
    memset(slot + len, ' ', (size_t)(CURSOR_SLOT - len - 1));
    slot[CURSOR_SLOT - 1] = '\n';
}

/* A decimal number and the character behind it; moves *at behind both. */
static bool take_number(const char **at, char then, uint64_t *number)
{
    char *end;

    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    *number = strtoull(*at, &end, 10);
    if (errno != 0 || *end != then)
        return false;
    *at = end + 1;
    return true;
}

/* Does the slot prove itself? Then it is put into the cursor. */
static bool decode(const char *slot, struct cursor *cursor)
{
    char line[CURSOR_SLOT + 1];
    char hash[HASH + 2];

    const char *newline = memchr(slot, '\n', CURSOR_SLOT);
    const size_t len = newline == NULL ? 0 : (size_t)(newline - slot);
    if (len < HASH + 4)
        return false;
    memcpy(line, slot, len);
    line[len] = '\0';
    snprintf(hash, sizeof(hash), " %016" PRIx64, record_hash(line, len - HASH - 1));
    if (strcmp(line + len - HASH - 1, hash) != 0)
        return false;
    strcpy(line + len - HASH - 1, " "); /* now every number has a blank or a dash behind it */

    const char *at = line;
    cursor->count = 0;
    if (!take_number(&at, ' ', &cursor->position) || !take_number(&at, ' ', &cursor->serial))
        return false;
    while (*at != '\0') {
        if (cursor->count == CURSOR_EXTENTS)
            return false;
        struct cursor_extent *extent = &cursor->done[cursor->count++];
        if (!take_number(&at, '-', &extent->from) || !take_number(&at, ' ', &extent->to))
            return false;
    }
    return true;
}

/* The newer of the slots that prove themselves: 1; 0: neither does. */
static int choose(const char *slots, struct cursor *cursor)
{
    struct cursor found[2];
    bool good[2];

    for (int i = 0; i < 2; i++)
        good[i] = decode(slots + (size_t)i * CURSOR_SLOT, &found[i]);
    if (!good[0] && !good[1])
        return 0;
    const struct cursor *newer =
        good[1] && (!good[0] || found[1].serial > found[0].serial) ? &found[1] : &found[0];
    cursor->slot = newer == &found[0]; /* the other one is written next */
    cursor->position = newer->position;
    cursor->serial = newer->serial;
    cursor->count = newer->count;
    memcpy(cursor->done, newer->done, sizeof(cursor->done));
    return 1;
}

static int load(struct cursor *cursor, int fd)
{
    char slots[2 * CURSOR_SLOT];
    ssize_t got;

    memset(slots, 0, sizeof(slots));
    do
        got = pread(fd, slots, sizeof(slots), 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fail(cursor, "read");
    if (choose(slots, cursor))
        return 1;
    log_error("neither line of '%s/%s' proves itself, so the position is lost; remove the file to "
              "have every event offered again", cursor->path, cursor->name);
    errno = EUCLEAN;
    return -1;
}

static int create(struct cursor *cursor, int dir)
{
    char slots[2][CURSOR_SLOT];
    struct iovec part = {.iov_base = slots, .iov_len = sizeof(slots)};

    encode(cursor, slots[0]);
    cursor->serial++;
    encode(cursor, slots[1]);
    return durable_replace(dir, cursor->path, cursor->name, &part, 1);
}

int cursor_open(struct cursor *cursor, int dir, const char *path, const char *name)
{
    *cursor = (struct cursor){.fd = -1, .path = path, .name = name};
    if (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT
        && create(cursor, dir) < 0)
        return -1;
    cursor->fd = durable_open(dir, path, name, O_RDWR);
    if (cursor->fd < 0)
        return -1;
    /* What counts is durable before the other slot is written, and its name before it is moved. */
    if (load(cursor, cursor->fd) > 0) {
        if (io_fdatasync(cursor->fd) == 0 && io_fsync(dir) == 0)
            return 0;
        (void)fail(cursor, "sync");
    }
    cursor_close(cursor);
    return -1;
}

void cursor_close(struct cursor *cursor)
{
    const int saved = errno;

    if (cursor->fd >= 0)
        close(cursor->fd);
    cursor->fd = -1;
    errno = saved;
}

int cursor_read(struct cursor *cursor, int dir, const char *path, const char *name)
{
    *cursor = (struct cursor){.fd = -1, .path = path, .name = name};
    const int fd = io_openat(dir, name, O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0)
        return errno == ENOENT ? 0 : fail(cursor, "open");
    const int result = load(cursor, fd);
    const int saved = errno;
    close(fd);
    errno = saved;
    return result;
}

/* Puts an extent among those behind the position, joined to what it touches. */
static int insert(struct cursor *cursor, uint64_t from, uint64_t to)
{
    size_t first = 0;

    while (first < cursor->count && cursor->done[first].to < from)
        first++;
    size_t behind = first;
    for (; behind < cursor->count && cursor->done[behind].from <= to; behind++) {
        if (cursor->done[behind].from < from)
            from = cursor->done[behind].from;
        if (cursor->done[behind].to > to)
            to = cursor->done[behind].to;
    }
    if (first == behind && cursor->count == CURSOR_EXTENTS) {
        errno = ENOBUFS;
        return -1;
    }
    memmove(&cursor->done[first + 1], &cursor->done[behind],
            (cursor->count - behind) * sizeof(cursor->done[0]));
    cursor->count = cursor->count + 1 - (behind - first);
    cursor->done[first] = (struct cursor_extent){from, to};
    return 0;
}

/* Moves the position over what is decided right behind it. */
static void advance(struct cursor *cursor)
{
    size_t passed = 0;

    for (; passed < cursor->count && cursor->done[passed].from <= cursor->position; passed++) {
        if (cursor->done[passed].to > cursor->position)
            cursor->position = cursor->done[passed].to;
    }
    cursor->count -= passed;
    memmove(&cursor->done[0], &cursor->done[passed], cursor->count * sizeof(cursor->done[0]));
}

int cursor_done(struct cursor *cursor, uint64_t from, uint64_t to)
{
    char slot[CURSOR_SLOT];
    struct iovec part = {.iov_base = slot, .iov_len = sizeof(slot)};
    const struct cursor before = *cursor;

    if (from > cursor->position) {
        if (insert(cursor, from, to) < 0)
            return -1;
    } else if (to > cursor->position) {
        cursor->position = to;
    }
    advance(cursor);
    cursor->serial++;
    encode(cursor, slot);
    if (io_pwritev_all(cursor->fd, &part, 1, (off_t)cursor->slot * CURSOR_SLOT) < 0) {
        *cursor = before;
        return fail(cursor, "write");
    }
    cursor->dirty = true;
    return 0;
}

int cursor_sync(struct cursor *cursor)
{
    if (!cursor->dirty)
        return 0;
    cursor->dirty = false; /* a failed sync is not repeated */
    if (io_fdatasync(cursor->fd) < 0)
        return fail(cursor, "sync");
    cursor->slot = !cursor->slot;
    return 0;
}

bool cursor_passed(const struct cursor *cursor, uint64_t position)
{
    bool passed = position < cursor->position;

    for (size_t i = 0; i < cursor->count; i++)
        passed |= position >= cursor->done[i].from && position < cursor->done[i].to;
    return passed;
}

bool cursor_gap(const struct cursor *cursor, uint64_t *from, uint64_t *to)
{
    if (*from < cursor->position)
        *from = cursor->position;
    for (size_t i = 0; i < cursor->count && cursor->done[i].from < *to; i++) {
        if (cursor->done[i].from > *from)
            *to = cursor->done[i].from;
        else if (cursor->done[i].to > *from)
            *from = cursor->done[i].to;
    }
    return *from < *to;
}

size_t cursor_ahead(const struct cursor *cursor, uint64_t position)
{
    size_t count = 0;

    for (size_t i = 0; i < cursor->count; i++)
        count += cursor->done[i].from >= position;
    return count;
}
