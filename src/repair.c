/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "repair.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aside.h"
#include "io.h"
#include "log.h"
#include "reader.h"
#include "segfile.h"
#include "segment.h"

struct repair {
    int dir;
    const char *path;
    int fd;         /* of the segment at hand */
    uint64_t start; /* its position */
    uint64_t end;   /* behind the last newline */
    int error;      /* of a visit */
};

static int fail(const struct repair *repair, const char *operation, const char *name)
{
    const int saved = errno;

    log_error("cannot %s '%s/%s': %s", operation, repair->path, name, strerror(saved));
    errno = saved;
    return -1;
}

static int mend_line(void *context, const struct segment_line *line)
{
    struct repair *repair = context;

    repair->end = line->position + line->len;
    if (!line->damaged || reader_blank(line))
        return 0;
    log_error("damaged line of %zu bytes at position %" PRIu64 " of '%s': moved aside",
              line->len, line->position, repair->path);
    if (aside_keep(repair->dir, repair->path, line->position, line->text, line->len) == 0
        && aside_blank(repair->fd, repair->path, repair->start, line->position, line->len) == 0)
        return 0;
    repair->error = errno;
    return 1;
}

/* Cuts what is behind `end`, the segment's own or where the next one begins. */
static int cut_behind(const struct repair *repair, uint64_t end, const char *what)
{
    char name[SEGMENT_NAME_SIZE];
    struct stat st;

    segment_name(name, repair->start);
    if (fstat(repair->fd, &st) < 0)
        return fail(repair, "stat", name);
    const uint64_t file_end = repair->start + (uint64_t)st.st_size;
    if (file_end < end)
        log_error("segment '%s/%s' ends %" PRIu64 " bytes before the next begins", repair->path,
                  name, end - file_end);
    if (file_end <= end)
        return 0;
    log_warn("cut %" PRIu64 " bytes (%s) at position %" PRIu64 " of '%s'", file_end - end, what,
             end, repair->path);
    return io_ftruncate(repair->fd, (off_t)(end - repair->start)) < 0 ? fail(repair, "cut", name)
                                                                     : 0;
}

/* One segment, whose lines from `from` on are looked at. next: UINT64_MAX for the last one. */
static int mend_segment(struct repair *repair, uint64_t from, uint64_t next, uint64_t doubtful)
{
    char name[SEGMENT_NAME_SIZE];

    segment_name(name, repair->start);
    if (from < repair->start)
        from = repair->start;
    repair->end = from;
    if (next != UINT64_MAX && cut_behind(repair, next, "given up after a failed sync") < 0)
        return -1;
    const int stopped = segment_scan(repair->dir, repair->path, from, next, mend_line, repair);
    if (stopped != 0) {
        errno = stopped > 0 ? repair->error : errno;
        return -1;
    }
    if (next == UINT64_MAX && cut_behind(repair, repair->end, "a torn line") < 0)
        return -1;

    /* Pages whose sync has failed are clean, yet not on disk: make them dirty again. */
    if (doubtful < from)
        doubtful = from;
    const struct segfile segment = {.fd = repair->fd, .start = repair->start,
                                    .path = repair->path};
    if (segfile_rewrite(&segment, doubtful, repair->end) < 0)
        return -1;
    return io_fdatasync(repair->fd) < 0 ? fail(repair, "sync", name) : 0;
}

static int mend_segments(struct repair *repair, const struct segment_list *list, uint64_t from,
                         uint64_t doubtful)
{
    for (size_t i = 0; i < list->count; i++) {
        const uint64_t next = i + 1 < list->count ? list->starts[i + 1] : UINT64_MAX;
        char name[SEGMENT_NAME_SIZE];
        if (next <= from)
            continue;
        repair->start = list->starts[i];
        segment_name(name, repair->start);
        repair->fd = io_openat(repair->dir, name, O_RDWR | O_NOFOLLOW, 0);
        if (repair->fd < 0)
            return fail(repair, "open", name);
        const int result = mend_segment(repair, from, next, doubtful);
        close(repair->fd);
        if (result < 0)
            return -1;
    }
    return 0;
}

/* A log of its own begins with an empty segment at 0. */
static int create_first(struct repair *repair, struct segment_list *list)
{
    char name[SEGMENT_NAME_SIZE];

    segment_name(name, 0);
    const int fd = io_openat(repair->dir, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0640);
    if (fd < 0)
        return fail(repair, "create", name);
    close(fd);
    return segment_list_read(list, repair->dir, repair->path);
}

int repair_log(struct eventlog *log, uint64_t from, uint64_t *end)
{
    struct repair repair = {0};
    struct segment_list list;
    int result = -1;

    repair.dir = eventlog_directory(log, &repair.path);
    if (segment_list_read(&list, repair.dir, repair.path) < 0)
        return -1;
    if (list.count > 0 || create_first(&repair, &list) == 0) {
        const uint64_t last = list.starts[list.count - 1];
        result = mend_segments(&repair, &list, from, eventlog_doubtful(log));
        if (result == 0 && io_fsync(repair.dir) < 0)
            result = fail(&repair, "sync", ".");
        if (result == 0)
            result = eventlog_restart(log, last, *end = repair.end > last ? repair.end : last);
    }
    const int saved = errno;
    segment_list_release(&list);
    errno = saved;
    return result;
}
