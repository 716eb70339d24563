/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "log.h"
#include "reader.h"

/* No record is shorter: the names of its members and their punctuation take more. */
enum { LEAST_LINE = 200 };

void summary_release(struct summary *summary)
{
    free(summary->types);
    free(summary->pieces);
    free(summary->rows);
    idset_release(&summary->ids);
    *summary = (struct summary){0};
}

int summary_begin(struct summary_maker *maker, uint64_t from, uint64_t to)
{
    *maker = (struct summary_maker){
        .summary = {.from = from, .to = to, .first = INT64_MAX, .last = INT64_MIN}};
    if (types_init(&maker->types, SUMMARY_TYPES) == 0
        && idset_init(&maker->summary.ids, (to - from) / LEAST_LINE + 1) == 0)
        return 0;
    summary_abandon(maker);
    errno = ENOMEM;
    return -1;
}

void summary_abandon(struct summary_maker *maker)
{
    types_release(&maker->types);
    summary_release(&maker->summary);
    *maker = (struct summary_maker){0};
}

/* Room for one more of `count` things: the array, perhaps moved; NULL: no memory. */
static void *grow(void *array, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return array;
    const uint32_t wanted = *room == 0 ? 64 : *room * 2;
    void *grown = reallocarray(array, wanted, size);
    if (grown != NULL)
        *room = wanted;
    return grown;
}

static int add_piece(struct summary_maker *maker, uint64_t from)
{
    struct summary *summary = &maker->summary;
    struct summary_piece *grown =
        grow(summary->pieces, summary->piece_count, &maker->piece_room, sizeof(*grown));

    if (grown == NULL)
        return -1;
    summary->pieces = grown;
    grown[summary->piece_count++] =
        (struct summary_piece){.from = from, .to = summary->to, .first = INT64_MAX,
                               .last = INT64_MIN, .row = summary->row_count};
    if (summary->piece_count > 1)
        grown[summary->piece_count - 2].to = from;
    memset(maker->row_of, 0, sizeof(maker->row_of));
    return 0;
}

/* The row of a type in the piece at hand. */
static struct summary_row *find_row(struct summary_maker *maker, int type)
{
    struct summary *summary = &maker->summary;
    uint32_t *at = &maker->row_of[type];

    if (*at == 0) {
        struct summary_row *grown =
            grow(summary->rows, summary->row_count, &maker->row_room, sizeof(*grown));
        if (grown == NULL)
            return NULL;
        summary->rows = grown;
        grown[summary->row_count++] = (struct summary_row){.type = (uint32_t)type};
        summary->pieces[summary->piece_count - 1].rows++;
        *at = summary->row_count;
    }
    return &summary->rows[*at - 1];
}

static int add_event(struct summary_maker *maker, const struct segment_line *line)
{
    const struct record_view *view = &line->view;
    struct summary_piece *piece = &maker->summary.pieces[maker->summary.piece_count - 1];
    const int64_t received = filter_received(view);
    const int type = types_number(&maker->types, view->type, view->type_len);
    struct summary_row *row = type < 0 ? NULL : find_row(maker, type);

    if (row == NULL)
        return -1;
    row->events++;
    row->bytes += line->len;
    piece->events++;
    if (received < piece->first)
        piece->first = received;
    if (received > piece->last)
        piece->last = received;
    idset_add(&maker->summary.ids, record_id_hash(view->id, view->id_len));
    return 0;
}

int summary_add(struct summary_maker *maker, const struct segment_line *line)
{
    struct summary *summary = &maker->summary;
    const struct summary_piece *piece =
        summary->piece_count == 0 ? NULL : &summary->pieces[summary->piece_count - 1];

    if (piece == NULL || line->position - piece->from >= SUMMARY_PIECE) {
        const uint64_t from = piece == NULL ? summary->from : line->position;
        if (add_piece(maker, from) < 0)
            return -1;
    }
    maker->seen = line->position + line->len;
    if (!line->damaged)
        return add_event(maker, line);
    if (!reader_blank(line))
        summary->pieces[summary->piece_count - 1].damaged++;
    return 0;
}

/* A table of the types. Those without a number have the last one, under "". */
static int take_types(struct summary_maker *maker)
{
    struct summary *summary = &maker->summary;
    const uint32_t others = (uint32_t)maker->types.count;
    bool any = false;

    summary->types = calloc((size_t)others + 1, sizeof(*summary->types));
    if (summary->types == NULL)
        return -1;
    for (uint32_t i = 0; i < others; i++)
        strcpy(summary->types[i].name, maker->types.names[i]);
    types_release(&maker->types);
    for (uint32_t i = 0; i < summary->row_count; i++) {
        struct summary_row *row = &summary->rows[i];
        if (row->type == SUMMARY_TYPES) {
            row->type = others;
            any = true;
        }
        summary->types[row->type].events += row->events;
        summary->types[row->type].bytes += row->bytes;
        summary->events += row->events;
        summary->bytes += row->bytes;
    }
    summary->type_count = others + any;
    return 0;
}

int summary_end(struct summary_maker *maker)
{
    struct summary *summary = &maker->summary;

    if (maker->seen < summary->to) { /* no line goes to the end, so something is wrong there */
        if (summary->piece_count == 0 && add_piece(maker, summary->from) < 0)
            return -1;
        summary->pieces[summary->piece_count - 1].damaged++;
    }
    if (take_types(maker) < 0)
        return -1;
    for (uint32_t i = 0; i < summary->piece_count; i++) {
        const struct summary_piece *piece = &summary->pieces[i];
        summary->damaged += piece->damaged;
        if (piece->first < summary->first)
            summary->first = piece->first;
        if (piece->last > summary->last)
            summary->last = piece->last;
    }
    idset_fold(&summary->ids, summary->events);
    return 0;
}

static int visit(void *context, const struct segment_line *line)
{
    return summary_add(context, line);
}

int summary_make(struct summary *summary, int dir, const char *path, uint64_t from, uint64_t to)
{
    struct summary_maker maker;

    *summary = (struct summary){0};
    int result = summary_begin(&maker, from, to);
    if (result == 0) {
        result = segment_scan(dir, path, from, to, visit, &maker);
        if (result == 0)
            result = summary_end(&maker);
        if (result == 0)
            *summary = maker.summary;
        else
            summary_abandon(&maker);
    }
    if (result != 0 && errno == ENOMEM)
        log_error("cannot summarise the segment at %ju of '%s': %s", (uintmax_t)from, path,
                  strerror(errno));
    return result;
}
