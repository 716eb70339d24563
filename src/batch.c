/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "batch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

enum { SKIP_BYTES = 64 * 1024 * 1024 };

static int fail(const char *operation)
{
    const int saved = errno;

    log_error("cannot %s: %s", operation, strerror(saved));
    errno = saved;
    return -1;
}

void batch_clear(struct batch *batch)
{
    /* Pieces of one file follow each other and share its descriptor. */
    for (size_t i = 0; i < batch->piece_count; i++) {
        if (i == 0 || batch->pieces[i].fd != batch->pieces[i - 1].fd)
            close(batch->pieces[i].fd);
    }
    *batch = (struct batch){.pieces = batch->pieces, .piece_room = batch->piece_room};
}

void batch_release(struct batch *batch)
{
    batch_clear(batch);
    free(batch->pieces);
    *batch = (struct batch){0};
}

/* A piece of the file that was added last, or of another, whose descriptor is copied. */
static int add_piece(struct batch *batch, int fd, bool same, const struct feed_piece *piece)
{
    if (batch->piece_count == batch->piece_room) {
        const size_t room = batch->piece_room == 0 ? 16 : batch->piece_room * 2;
        struct feed_piece *grown = reallocarray(batch->pieces, room, sizeof(*grown));
        if (grown == NULL)
            return fail("make a batch");
        batch->pieces = grown;
        batch->piece_room = room;
    }
    const int own = same && batch->piece_count > 0 ? batch->pieces[batch->piece_count - 1].fd
                                                   : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0)
        return fail("keep a segment open");
    batch->pieces[batch->piece_count] = *piece;
    batch->pieces[batch->piece_count++].fd = own;
    return 0;
}

static void copy(char *out, size_t size, const char *text, size_t len)
{
    if (len >= size)
        len = size - 1;
    memcpy(out, text, len);
    out[len] = '\0';
}

void batch_describe(struct batch_event *event, const struct record_view *view, uint64_t position)
{
    event->position = position;
    copy(event->id, sizeof(event->id), view->id, view->id_len);
    copy(event->type, sizeof(event->type), view->type, view->type_len);
    copy(event->time, sizeof(event->time), view->time, view->time_len);
    copy(event->received, sizeof(event->received), view->received, view->received_len);
}

/* A line of the log, joined to the piece before it if it stands right behind it. */
static int add_line(struct batch *batch, const struct reader *reader, uint64_t *segment,
                    const struct segment_line *line)
{
    uint64_t start;
    const int fd = reader_descriptor(reader, &start);
    const bool same = batch->piece_count > 0 && start == *segment;
    const off_t offset = (off_t)(line->position - start);
    struct feed_piece *last = same ? &batch->pieces[batch->piece_count - 1] : NULL;

    if (batch->count == 0)
        batch_describe(&batch->first, &line->view, line->position);
    batch->count++;
    batch->bytes += line->len;
    if (same && last->offset + (off_t)last->len == offset) {
        last->len += line->len;
        return 0;
    }
    *segment = start;
    return add_piece(batch, fd, same,
                     &(struct feed_piece){.offset = offset, .len = line->len});
}

/* A line that is not whole: it is passed over, and said so. */
static void tell_damage(struct batch_damage *damage, const struct segment_line *line)
{
    if (line->position < damage->told || reader_blank(line))
        return;
    log_error("damaged line of %zu bytes at position %" PRIu64 ": skipped; see hookspool fsck",
              line->len, line->position);
    damage->told = line->position + 1;
    damage->count++;
}

/* Bytes of the log before a position that no file holds. */
static void tell_missing(struct batch_damage *damage, uint64_t bytes, uint64_t position)
{
    if (bytes == 0 || position <= damage->told)
        return;
    log_error("%" PRIu64 " bytes of the log before position %" PRIu64 " are not there: skipped",
              bytes, position);
    damage->told = position;
    damage->count++;
}

int batch_read(struct batch *batch, struct reader *reader, const struct filter *filter,
               uint64_t from, uint64_t to, size_t most, struct batch_damage *damage)
{
    struct segment_line line;
    uint64_t segment = 0, skipped = 0;
    int found = 1;

    batch_clear(batch);
    batch->from = batch->to = from;
    if (reader_seek(reader, from) < 0)
        return -1;
    while (batch->count < most && skipped < SKIP_BYTES
           && (found = reader_next(reader, to, &line)) > 0) {
        batch->to = line.position + line.len;
        tell_missing(damage, reader_missing(reader), line.position);
        if (line.damaged)
            tell_damage(damage, &line);
        else if (!filter_takes(filter, &line.view))
            skipped += line.len;
        else if (add_line(batch, reader, &segment, &line) < 0)
            return -1;
    }
    if (found < 0)
        return -1;
    if (found == 0) {
        tell_missing(damage, reader_missing(reader) + to - reader_position(reader), to);
        batch->to = to;
    }
    return 0;
}

int batch_retry(struct batch *batch, const struct retry *retry, const struct retry_entry *entries,
                size_t count)
{
    batch_clear(batch);
    for (size_t i = 0; i < count; i++) {
        const struct feed_piece piece = {.offset = (off_t)entries[i].event_offset,
                                           .len = entries[i].event_len, .newline = true};
        if (add_piece(batch, retry_descriptor(retry), i > 0, &piece) < 0)
            return -1;
        batch->bytes += piece.len + 1;
    }
    batch->count = count;
    return 0;
}
