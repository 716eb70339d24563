/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "log.h"

enum {
    READ_BYTES = 256 * 1024,
    /* No record is longer: 64 MiB of body, as text and as base64, and its frame. */
    LINE_LIMIT = 160 * 1024 * 1024
};

struct reader {
    int dir;
    const char *path;
    struct segment_list list;
    uint64_t listed; /* the list holds every segment that begins before this */
    int fd;          /* of the open segment; -1: none is */
    uint64_t start;  /* where it begins */
    uint64_t next;   /* where it ends, as far as is known: UINT64_MAX */
    char *buffer;    /* buffer[0..filled) holds the log from base on */
    size_t begin;    /* of the next line */
    size_t searched; /* no newline in [begin, searched) */
    size_t filled, room;
    uint64_t base;
    uint64_t missing; /* bytes that were passed over, as no file holds them */
};

struct reader *reader_new(int dir, const char *path)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    char *buffer = malloc(READ_BYTES);

    if (reader == NULL || buffer == NULL) {
        free(reader);
        free(buffer);
        log_error("cannot read '%s': %s", path, strerror(ENOMEM));
        errno = ENOMEM;
        return NULL;
    }
    *reader = (struct reader){
        .dir = dir, .path = path, .fd = -1, .buffer = buffer, .room = READ_BYTES};
    return reader;
}

void reader_free(struct reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->fd >= 0)
        close(reader->fd);
    segment_list_release(&reader->list);
    free(reader->buffer);
    free(reader);
}

uint64_t reader_position(const struct reader *reader)
{
    return reader->base + reader->begin;
}

static void leave_segment(struct reader *reader, uint64_t position)
{
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = -1;
    reader->base = position;
    reader->begin = reader->searched = reader->filled = 0;
}

/* Where the open segment ends, by what is listed. */
static void find_next(struct reader *reader)
{
    const struct segment_list *list = &reader->list;
    size_t i = 0;

    while (i < list->count && list->starts[i] <= reader->start)
        i++;
    reader->next = i < list->count ? list->starts[i] : UINT64_MAX;
}

/* `to` is durable, so that no segment can begin before it that is not there now. */
static int refresh(struct reader *reader, uint64_t to)
{
    struct segment_list list;

    if (segment_list_read(&list, reader->dir, reader->path) < 0)
        return -1;
    segment_list_release(&reader->list);
    reader->list = list;
    reader->listed = to;
    find_next(reader);
    return 0;
}

int reader_seek(struct reader *reader, uint64_t position)
{
    if (position >= reader->base && position <= reader->base + reader->filled
        && reader->fd >= 0) { /* as after a part of a batch was looked at */
        reader->begin = reader->searched = (size_t)(position - reader->base);
        return 0;
    }
    leave_segment(reader, position);
    return 0;
}

/* Opens the segment with the reader's position, or the first behind it: 1 (or try again), 0, -1. */
static int open_segment(struct reader *reader, uint64_t to)
{
    const uint64_t position = reader_position(reader);

    if ((reader->list.count == 0 || reader->listed < to) && refresh(reader, to) < 0)
        return -1;
    const struct segment_list *list = &reader->list;
    size_t which = 0;
    while (which + 1 < list->count && list->starts[which + 1] <= position)
        which++;
    if (list->count == 0 || list->starts[which] >= to)
        return 0;

    char name[SEGMENT_NAME_SIZE];
    segment_name(name, list->starts[which]);
    const int fd = io_openat(reader->dir, name, O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0 && errno == ENOENT) { /* removed since it was listed */
        reader->listed = 0;
        return 1;
    }
    if (fd < 0) {
        const int saved = errno;
        log_error("cannot open '%s/%s': %s", reader->path, name, strerror(saved));
        errno = saved;
        return -1;
    }
    const uint64_t begin = position < list->starts[which] ? list->starts[which] : position;
    reader->missing += begin - position;
    leave_segment(reader, begin);
    reader->fd = fd;
    reader->start = list->starts[which];
    find_next(reader);
    return 1;
}

/* Makes room behind what is there, which is less than a line. */
static int make_room(struct reader *reader)
{
    const size_t left = reader->filled - reader->begin;
    size_t wanted = reader->room;

    memmove(reader->buffer, reader->buffer + reader->begin, left);
    reader->base += reader->begin;
    reader->filled = left;
    reader->searched -= reader->begin;
    reader->begin = 0;
    if (left == reader->room)
        wanted = reader->room * 2 < LINE_LIMIT ? reader->room * 2 : LINE_LIMIT;
    else if (left < READ_BYTES / 2)
        wanted = READ_BYTES; /* a long line is through */
    if (wanted == reader->room)
        return 0;
    char *buffer = realloc(reader->buffer, wanted);
    if (buffer == NULL) {
        log_error("cannot read '%s': %s", reader->path, strerror(ENOMEM));
        errno = ENOMEM;
        return -1;
    }
    reader->buffer = buffer;
    reader->room = wanted;
    return 0;
}

/* Reads more of the open segment, as far as `end`: 1, 0 at its end, -1. */
static int fill(struct reader *reader, uint64_t end)
{
    if (reader->filled == reader->room && make_room(reader) < 0)
        return -1;
    const uint64_t at = reader->base + reader->filled;
    size_t want = reader->room - reader->filled;
    if (at >= end)
        return 0;
    if (want > end - at)
        want = (size_t)(end - at);

    ssize_t got;
    do
        got = pread(reader->fd, reader->buffer + reader->filled, want, (off_t)(at - reader->start));
    while (got < 0 && errno == EINTR);
    if (got < 0) {
        const int saved = errno;
        char name[SEGMENT_NAME_SIZE];
        segment_name(name, reader->start);
        log_error("cannot read '%s/%s': %s", reader->path, name, strerror(saved));
        errno = saved;
        return -1;
    }
    reader->filled += (size_t)got;
    return got > 0;
}

/*
 * Takes a line of len bytes. One that had lost its newline may have another
 * behind it that is whole: then the damage is a line of its own, without one.
 */
static int take(struct reader *reader, size_t len, struct segment_line *line)
{
    const char *text = reader->buffer + reader->begin;

    *line = (struct segment_line){.position = reader_position(reader), .text = text, .len = len};
    line->damaged = !record_check(text, len, &line->view);
    const size_t whole = line->damaged ? record_find(text, len) : 0;
    if (whole > 0)
        line->len = whole;
    reader->begin += line->len;
    reader->searched = reader->begin;
    return 1;
}

/* The next whole line of the open segment: 1, 0: none before `end`, -1. */
static int next_here(struct reader *reader, uint64_t end, struct segment_line *line)
{
    int more;

    do {
        const char *newline = memchr(reader->buffer + reader->searched, '\n',
                                     reader->filled - reader->searched);
        if (newline != NULL) {
            const size_t behind = (size_t)(newline - reader->buffer) + 1;
            return reader->base + behind > end ? 0 : take(reader, behind - reader->begin, line);
        }
        reader->searched = reader->filled;
        if (reader->filled - reader->begin == LINE_LIMIT) /* no record is that long */
            return take(reader, LINE_LIMIT, line);
        more = fill(reader, end);
    } while (more > 0);
    return more;
}

/* The end of a segment: 1 when bytes without a newline stand there, 0 when it is left. */
static int finish_segment(struct reader *reader, struct segment_line *line)
{
    const uint64_t held = reader->base + reader->filled;
    const size_t rest = reader->filled - reader->begin;

    if (rest > 0) {
        *line = (struct segment_line){.position = reader_position(reader), .damaged = true,
                                      .text = reader->buffer + reader->begin, .len = rest};
        reader->begin = reader->searched = reader->filled;
        return 1;
    }
    if (held < reader->next) /* the file is too short */
        reader->missing += reader->next - held;
    leave_segment(reader, reader->next);
    return 0;
}

int reader_next(struct reader *reader, uint64_t to, struct segment_line *line)
{
    while (reader_position(reader) < to) {
        /* What was the last segment may have been closed, and its file hold more than the log. */
        if (reader->fd >= 0 && reader->listed < to && refresh(reader, to) < 0)
            return -1;
        if (reader->fd >= 0) {
            const bool whole = reader->next <= to;
            int found = next_here(reader, whole ? reader->next : to, line);
            if (found == 0 && whole)
                found = finish_segment(reader, line);
            if (found != 0 || !whole)
                return found;
        }
        const int opened = open_segment(reader, to);
        if (opened <= 0)
            return opened;
    }
    return 0;
}

uint64_t reader_missing(struct reader *reader)
{
    const uint64_t missing = reader->missing;

    reader->missing = 0;
    return missing;
}

int reader_descriptor(const struct reader *reader, uint64_t *start)
{
    *start = reader->start;
    return reader->fd;
}

bool reader_blank(const struct segment_line *line)
{
    size_t i = 0;

    while (i < line->len && (line->text[i] == ' ' || line->text[i] == '\n'))
        i++;
    return i == line->len;
}
