/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "age.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "filter.h"
#include "io.h"
#include "log.h"
#include "segment.h"

enum {
    WINDOW = 64 * 1024,
    WINDOW_MAX = 256 * 1024 * 1024 /* no record is longer, by far */
};

static int fail(const char *operation, const char *path, const char *name)
{
    const int saved = errno;

    log_error("cannot %s '%s/%s': %s", operation, path, name, strerror(saved));
    errno = saved;
    return -1;
}

/* Does the line prove itself, or does one that does stand at its end? Then *received is set. */
static bool take(const char *line, size_t len, int64_t *received)
{
    struct record_view view;

    if (!record_check(line, len, &view)) {
        const size_t whole = record_find(line, len);
        if (whole == 0 || !record_check(line + whole, len - whole, &view))
            return false;
    }
    *received = filter_received(&view);
    return *received > 0;
}

/* The last good line of a window, whose first line is cut unless it is `whole`. */
static bool search(const char *window, size_t len, bool whole, int64_t *received)
{
    const char *newline = memrchr(window, '\n', len);

    while (newline != NULL) {
        const char *before = memrchr(window, '\n', (size_t)(newline - window));
        const char *begin = before == NULL ? window : before + 1;
        if ((before != NULL || whole) && take(begin, (size_t)(newline + 1 - begin), received))
            return true;
        newline = before;
    }
    return false;
}

static int read_all(int fd, char *buffer, size_t len, off_t offset)
{
    size_t done = 0;

    while (done < len) {
        const ssize_t got = pread(fd, buffer + done, len - done, offset + (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = EIO; /* it was longer a moment ago */
        if (got <= 0)
            return -1;
        done += (size_t)got;
    }
    return 0;
}

/* Looks into ever more of the file's first len bytes, from their end. */
static int search_file(int fd, uint64_t len, int64_t *received)
{
    char *buffer = NULL;
    int result = 0;

    for (uint64_t window = WINDOW; result == 0; window *= 8) {
        const bool whole = window >= len;
        const size_t size = (size_t)(whole ? len : window);
        char *grown = realloc(buffer, size + 1);
        if (grown == NULL) {
            result = -1;
            break;
        }
        buffer = grown;
        result = read_all(fd, buffer, size, (off_t)(len - size));
        if (result == 0)
            result = search(buffer, size, whole, received);
        if (whole || window >= WINDOW_MAX)
            break;
    }
    const int saved = errno;
    free(buffer);
    errno = saved;
    return result;
}

int age_newest(int dir, const char *path, uint64_t start, uint64_t end, int64_t *received)
{
    char name[SEGMENT_NAME_SIZE];
    struct stat st;

    segment_name(name, start);
    const int fd = io_openat(dir, name, O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0)
        return fail("open", path, name);
    int result = fstat(fd, &st);
    if (result == 0) {
        const uint64_t size = (uint64_t)st.st_size;
        result = search_file(fd, size < end - start ? size : end - start, received);
    }
    if (result < 0)
        (void)fail("read", path, name);
    const int saved = errno;
    close(fd);
    errno = saved;
    return result;
}

/* Is a time server keeping the clock? */
static bool clock_is_kept(void)
{
    struct timex timex = {.modes = 0};
    const int state = adjtimex(&timex);

    return state >= 0 && state != TIME_ERROR && (timex.status & STA_UNSYNC) == 0;
}

int age_now(int dir, const char *path, uint64_t end, int64_t *now, bool *held)
{
    struct segment_list list;
    int64_t newest = INT64_MIN;
    int found = 0;

    *now = (int64_t)time(NULL);
    *held = false;
    if (clock_is_kept())
        return 0;
    if (segment_list_read(&list, dir, path) < 0)
        return -1;
    for (size_t i = list.count; i-- > 0 && found == 0;) {
        const uint64_t next = i + 1 < list.count ? list.starts[i + 1] : end;
        if (list.starts[i] < end)
            found = age_newest(dir, path, list.starts[i], next < end ? next : end, &newest);
    }
    const int saved = errno;
    segment_list_release(&list);
    errno = saved;
    if (found < 0)
        return -1;
    *held = newest < *now;
    if (*held)
        *now = newest;
    return 0;
}
