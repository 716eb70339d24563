/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "sample.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "record.h"
#include "segment.h"
#include "stats.h"
#include "when.h"

enum { END = 1024 * 1024 };

/* ---- lines */

/* -1: one of its times cannot be read. */
static int read_delay(const struct record_view *view, double *delay, int64_t *received)
{
    int64_t signed_at;
    long none, ns;

    if (!when_parse_stamp(view->time, view->time_len, &signed_at, &none)
        || !when_parse_stamp(view->received, view->received_len, received, &ns))
        return -1;
    *delay = (double)(*received - signed_at) + (double)ns / 1e9;
    return 0;
}

static void take_line(struct sample *sample, const char *line, size_t len)
{
    struct record_view view;
    double delay;
    int64_t received;

    if (!record_check(line, len, &view) || read_delay(&view, &delay, &received) < 0)
        return;
    if (sample->lines == 0 || delay < sample->least)
        sample->least = delay;
    if (sample->lines == 0 || delay > sample->most)
        sample->most = delay;
    sample->lines++;
    sample->bytes += len;
    sample->newest = received;
}

/* The first line is cut as a rule, and does not prove itself then. */
static void take_lines(struct sample *sample, const char *text, size_t len)
{
    const char *end;

    for (size_t at = 0; (end = memchr(text + at, '\n', len - at)) != NULL;
         at = (size_t)(end - text) + 1)
        take_line(sample, text + at, (size_t)(end - text) + 1 - at);
}

static int read_end(struct sample *sample, int log, const char *segment)
{
    struct stat st;
    char *text = malloc(END);
    const int fd = io_openat(log, segment, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    int result = -1;

    if (text != NULL && fd >= 0 && fstat(fd, &st) == 0) {
        const ssize_t n = pread(fd, text, END, st.st_size > END ? st.st_size - END : 0);
        if (n >= 0) {
            take_lines(sample, text, (size_t)n);
            result = 0;
        }
    }
    const int saved = errno;
    if (fd >= 0)
        close(fd);
    free(text);
    errno = saved;
    return result;
}

/* ---- files */

/* What the segments take; the newest one's name, "" if there is none. */
static void add_segments(struct sample *sample, DIR *stream, char newest[SEGMENT_NAME_SIZE])
{
    const struct dirent *entry;
    struct stat st;

    newest[0] = '\0';
    while ((entry = readdir(stream)) != NULL) {
        if (strlen(entry->d_name) != SEGMENT_NAME_SIZE - 1
            || strcmp(entry->d_name + 20, ".ndjson") != 0
            || strspn(entry->d_name, "0123456789") != 20
            || fstatat(dirfd(stream), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        sample->log_bytes += (uint64_t)st.st_blocks * 512;
        if (st.st_size > 0 && strcmp(entry->d_name, newest) > 0)
            memcpy(newest, entry->d_name, SEGMENT_NAME_SIZE);
    }
}

static int read_log(struct sample *sample, int spool)
{
    char newest[SEGMENT_NAME_SIZE];
    const int fd = io_openat(spool, "log", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);

    if (stream == NULL) {
        const int saved = errno;
        if (fd >= 0)
            close(fd);
        errno = saved;
        return fd < 0 && saved == ENOENT ? 0 : -1;
    }
    add_segments(sample, stream, newest);
    const int result = newest[0] == '\0' ? 0 : read_end(sample, fd, newest);
    const int saved = errno;
    closedir(stream);
    errno = saved;
    return result;
}

static void read_stats(struct sample *sample, int spool, int64_t now)
{
    struct stats_page page;

    if (stats_read(spool, &page) < 0)
        return;
    sample->counted = true;
    sample->last = page.last[STATS_STORED];
    sample->day = stats_recent(&page, STATS_STORED, now, STATS_MINUTES);
}

int sample_take(struct sample *sample, const char *spool, int64_t now)
{
    *sample = (struct sample){.lines = 0};
    const int dir = io_openat(AT_FDCWD, spool, O_RDONLY | O_DIRECTORY, 0);
    if (dir < 0)
        return errno == ENOENT ? 0 : -1;
    read_stats(sample, dir, now);
    const int result = read_log(sample, dir);
    const int saved = errno;
    close(dir);
    errno = saved;
    return result;
}
