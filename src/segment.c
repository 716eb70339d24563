/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "log.h"
#include "positions.h"

enum {
    READ_BYTES = 256 * 1024,
    /* No record is longer: 64 MiB of body, as text and as base64, and its frame. */
    LINE_LIMIT = 160 * 1024 * 1024
};

void segment_name(char name[SEGMENT_NAME_SIZE], uint64_t start)
{
    snprintf(name, SEGMENT_NAME_SIZE, "%020" PRIu64 ".ndjson", start);
}

static bool parse_name(const char *name, uint64_t *start)
{
    if (strlen(name) != SEGMENT_NAME_SIZE - 1 || strcmp(name + 20, ".ndjson") != 0
        || strspn(name, "0123456789") != 20)
        return false;
    errno = 0;
    *start = strtoull(name, NULL, 10);
    return errno == 0;
}

int segment_list_read(struct segment_list *list, int dir, const char *path)
{
    struct positions starts = {0};
    struct dirent *entry;
    uint64_t start;

    *list = (struct segment_list){0};
    const int fd = io_openat(dir, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (stream == NULL) {
        log_error("cannot read directory '%s': %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    while (errno = 0, (entry = readdir(stream)) != NULL) {
        if (parse_name(entry->d_name, &start) && positions_add(&starts, start) < 0)
            break;
    }
    const int error = errno;
    closedir(stream);
    if (error != 0) {
        log_error("cannot read directory '%s': %s", path, strerror(error));
        free(starts.list);
        errno = error;
        return -1;
    }
    positions_sort(&starts);
    *list = (struct segment_list){starts.list, starts.count};
    return 0;
}

void segment_list_release(struct segment_list *list)
{
    free(list->starts);
    *list = (struct segment_list){0};
}

/* One segment being read: buffer[0..filled) holds the file from offset on. */
struct reader {
    int fd;
    uint64_t start;  /* of the segment */
    uint64_t offset; /* in the file, of buffer[0] */
    uint64_t limit;  /* in the file: where the segment ends for this scan */
    char *buffer;
    size_t filled, room;
};

/* Reads more behind what is there: 1, 0 at the end, -1. */
static int fill(struct reader *reader)
{
    if (reader->filled == reader->room) {
        size_t wanted = reader->room == 0 ? READ_BYTES : reader->room * 2;
        if (wanted > LINE_LIMIT)
            wanted = LINE_LIMIT;
        char *grown = realloc(reader->buffer, wanted);
        if (grown == NULL)
            return -1;
        reader->buffer = grown;
        reader->room = wanted;
    }
    const uint64_t at = reader->offset + reader->filled;
    size_t want = reader->room - reader->filled;
    if (at >= reader->limit)
        return 0;
    if (want > reader->limit - at)
        want = (size_t)(reader->limit - at);

    ssize_t got;
    do
        got = pread(reader->fd, reader->buffer + reader->filled, want, (off_t)at);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return (int)got;
    reader->filled += (size_t)got;
    return 1;
}

/*
 * Visits one line. A line that had lost its newline may have another behind it
 * that is whole: then the damage is a line of its own, without one.
 */
static int visit_line(const struct reader *reader, size_t begin, size_t len, segment_visit *visit,
                      void *context)
{
    struct segment_line line = {.position = reader->start + reader->offset + begin,
                                .text = reader->buffer + begin, .len = len};

    line.damaged = !record_check(line.text, len, &line.view);
    const size_t whole = line.damaged ? record_find(line.text, len) : 0;
    if (whole == 0)
        return visit(context, &line);
    line.len = whole;
    const int result = visit(context, &line);
    return result != 0 ? result : visit_line(reader, begin + whole, len - whole, visit, context);
}

/* Visits the whole lines in the buffer and keeps what is left of it. */
static int visit_lines(struct reader *reader, size_t from, segment_visit *visit, void *context)
{
    size_t begin = 0;
    const char *newline;
    int result = 0;

    /* from: what has been searched before and held no newline */
    while (result == 0
           && (newline = memchr(reader->buffer + from, '\n', reader->filled - from)) != NULL) {
        from = (size_t)(newline - reader->buffer) + 1;
        result = visit_line(reader, begin, from - begin, visit, context);
        begin = from;
    }
    if (result == 0 && begin == 0 && reader->filled == LINE_LIMIT) { /* no record is that long */
        result = visit_line(reader, 0, LINE_LIMIT, visit, context);
        begin = LINE_LIMIT;
    }
    reader->filled -= begin;
    reader->offset += begin;
    memmove(reader->buffer, reader->buffer + begin, reader->filled);
    return result;
}

static int scan_one(struct reader *reader, int dir, const char *path, segment_visit *visit,
                    void *context)
{
    char name[SEGMENT_NAME_SIZE];
    size_t searched = 0;
    int result;

    segment_name(name, reader->start);
    reader->fd = io_openat(dir, name, O_RDONLY, 0);
    if (reader->fd < 0) {
        log_error("cannot open '%s/%s': %s", path, name, strerror(errno));
        return -1;
    }
    reader->filled = 0;
    while ((result = fill(reader)) > 0) {
        result = visit_lines(reader, searched, visit, context);
        if (result != 0)
            break;
        searched = reader->filled;
    }
    const int saved = errno;
    if (result < 0)
        log_error("cannot read '%s/%s': %s", path, name, strerror(errno));
    close(reader->fd);
    errno = saved;
    return result;
}

int segment_scan(int dir, const char *path, uint64_t from, uint64_t to, segment_visit *visit,
                 void *context)
{
    struct segment_list list;
    struct reader reader = {0};
    int result = 0;

    if (segment_list_read(&list, dir, path) < 0)
        return -1;
    for (size_t i = 0; i < list.count && result == 0; i++) {
        const uint64_t start = list.starts[i];
        const uint64_t next = i + 1 < list.count ? list.starts[i + 1] : UINT64_MAX;
        if (next <= from)
            continue;
        if (start >= to)
            break;
        reader.start = start;
        reader.offset = from > start ? from - start : 0;
        reader.limit = (next < to ? next : to) - start;
        result = scan_one(&reader, dir, path, visit, context);
    }
    const int saved = errno;
    free(reader.buffer);
    segment_list_release(&list);
    errno = saved;
    return result;
}

struct search {
    const char *id;
    size_t id_len;
    uint64_t *start, *end;
};

static int match(void *context, const struct segment_line *line)
{
    const struct search *search = context;

    if (line->damaged || line->view.id_len != search->id_len
        || memcmp(line->view.id, search->id, search->id_len) != 0)
        return 0;
    *search->start = line->position;
    *search->end = line->position + line->len;
    return 1;
}

int segment_find(int dir, const char *path, uint64_t from, uint64_t to, const char *id,
                 uint64_t *start, uint64_t *end)
{
    struct search search = {.id = id, .id_len = strlen(id), .start = start, .end = end};

    return segment_scan(dir, path, from, to, match, &search);
}

static int note_whole(void *context, const struct segment_line *line)
{
    if (!line->damaged)
        *(uint64_t *)context = line->position + line->len;
    return 0;
}

int segment_whole(int dir, const char *path, uint64_t from, uint64_t to, uint64_t *end)
{
    *end = from;
    return segment_scan(dir, path, from, to, note_whole, end);
}

int segment_holding(int dir, const char *path, uint64_t position, uint64_t *start)
{
    struct segment_list list;

    if (segment_list_read(&list, dir, path) < 0)
        return -1;
    int result = -1;
    for (size_t i = 0; i < list.count && list.starts[i] <= position; i++) {
        *start = list.starts[i];
        result = 0;
    }
    segment_list_release(&list);
    if (result < 0) {
        log_error("no segment of '%s' holds position %" PRIu64, path, position);
        errno = ENOENT;
    }
    return result;
}

int segment_boundary(int dir, const char *path, uint64_t position)
{
    char name[SEGMENT_NAME_SIZE], before = '\n';
    struct segment_list list;
    uint64_t start = UINT64_MAX;

    if (segment_list_read(&list, dir, path) < 0)
        return -1;
    for (size_t i = 0; i < list.count && list.starts[i] <= position; i++)
        start = list.starts[i];
    segment_list_release(&list);
    if (start == UINT64_MAX || start == position)
        return 1;
    segment_name(name, start);
    const int fd = io_openat(dir, name, O_RDONLY | O_NOFOLLOW, 0);
    const ssize_t got = fd < 0 ? -1 : pread(fd, &before, 1, (off_t)(position - 1 - start));
    if (got < 0)
        log_error("cannot read '%s/%s': %s", path, name, strerror(errno));
    if (fd >= 0)
        close(fd);
    return got < 0 ? -1 : before == '\n';
}
