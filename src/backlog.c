/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "backlog.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "log.h"
#include "reader.h"
#include "sumfile.h"

struct counting {
    struct backlogs *backlogs;
    const struct spool *spool;
    struct reader *reader;
    int64_t now;
    int numbers[SUMMARY_TYPES + 1]; /* of the types of the summary at hand */
};

/* How far a consumer is with an extent of the log. */
enum passage { PASSAGE_NONE, PASSAGE_SOME, PASSAGE_ALL };

static enum passage passage_of(const struct cursor *cursor, uint64_t from, uint64_t to)
{
    if (cursor == NULL)
        return PASSAGE_NONE;
    if (cursor->position >= to)
        return PASSAGE_ALL;
    if (cursor->position > from)
        return PASSAGE_SOME;
    for (size_t i = 0; i < cursor->count; i++) {
        const struct cursor_extent *done = &cursor->done[i];
        if (done->from <= from && done->to >= to)
            return PASSAGE_ALL;
        if (done->from < to && done->to > from)
            return PASSAGE_SOME;
    }
    return PASSAGE_NONE;
}

/* For all consumers: PASSAGE_SOME unless each has passed all or nothing of it. */
static enum passage passage(const struct counting *counting, uint64_t from, uint64_t to)
{
    const struct backlogs *backlogs = counting->backlogs;
    bool all = true;

    for (size_t i = 0; i < backlogs->count; i++) {
        const enum passage one = passage_of(backlogs->list[i].cursor, from, to);
        if (one == PASSAGE_SOME)
            return one;
        all = all && one == PASSAGE_ALL;
    }
    return all ? PASSAGE_ALL : PASSAGE_NONE;
}

static int fail(const struct counting *counting)
{
    const int saved = errno;

    log_error("cannot count the events of '%s': %s", counting->spool->path, strerror(saved));
    errno = saved;
    return -1;
}

/* ---- by lines */

static int count_line(struct counting *counting, const struct segment_line *line)
{
    struct backlogs *backlogs = counting->backlogs;
    const bool blank = line->damaged && reader_blank(line);
    const int64_t received = line->damaged ? 0 : filter_received(&line->view);
    const int type = line->damaged ? 0
                                   : types_number(&backlogs->types, line->view.type,
                                                  line->view.type_len);
    if (type < 0)
        return fail(counting);
    for (size_t i = 0; i < backlogs->count && !blank; i++) {
        struct tally *tally = &backlogs->list[i].tally;
        const struct cursor *cursor = backlogs->list[i].cursor;
        if (cursor != NULL && cursor_passed(cursor, line->position))
            continue;
        tally->damaged += line->damaged;
        if (line->damaged)
            continue;
        tally_add(tally, type, tally_age(counting->now, received), 1, line->len);
        tally_arrived(tally, received);
    }
    return 0;
}

static int count_lines(struct counting *counting, uint64_t from, uint64_t to)
{
    struct segment_line line;
    int found = reader_seek(counting->reader, from);

    while (found == 0 && (found = reader_next(counting->reader, to, &line)) > 0)
        found = count_line(counting, &line);
    return found;
}

/* ---- by summaries */

/* Some rows of a summary whose events all belong into one column. */
static void count_rows(struct counting *counting, uint64_t from, uint64_t to,
                       const struct summary_row *rows, uint32_t count, int64_t first,
                       uint64_t damaged)
{
    struct backlogs *backlogs = counting->backlogs;
    const int age = tally_age(counting->now, first);

    for (size_t i = 0; i < backlogs->count; i++) {
        struct tally *tally = &backlogs->list[i].tally;
        if (passage_of(backlogs->list[i].cursor, from, to) == PASSAGE_ALL)
            continue;
        for (uint32_t j = 0; j < count; j++)
            tally_add(tally, counting->numbers[rows[j].type], age, rows[j].events, rows[j].bytes);
        tally->damaged += damaged;
        tally_arrived(tally, first);
    }
}

static bool is_one_age(const struct counting *counting, int64_t first, int64_t last)
{
    return first > last
        || tally_age(counting->now, first) == tally_age(counting->now, last);
}

static int count_pieces(struct counting *counting, const struct summary *summary)
{
    for (uint32_t i = 0; i < summary->piece_count; i++) {
        const struct summary_piece *piece = &summary->pieces[i];
        const enum passage passed = passage(counting, piece->from, piece->to);
        if (passed == PASSAGE_ALL)
            continue;
        if (passed == PASSAGE_NONE && is_one_age(counting, piece->first, piece->last))
            count_rows(counting, piece->from, piece->to, summary->rows + piece->row, piece->rows,
                       piece->first, piece->damaged);
        else if (count_lines(counting, piece->from, piece->to) < 0)
            return -1;
    }
    return 0;
}

/* The whole segment as one piece. */
static void count_totals(struct counting *counting, const struct summary *summary)
{
    struct summary_row totals[SUMMARY_TYPES + 1];

    for (uint32_t i = 0; i < summary->type_count; i++) {
        const struct summary_type *type = &summary->types[i];
        totals[i] = (struct summary_row){.type = i, .events = (uint32_t)type->events,
                                         .bytes = type->bytes};
    }
    count_rows(counting, summary->from, summary->to, totals, summary->type_count, summary->first,
               summary->damaged);
}

/* The numbers of this summary's types among ours. */
static int number_types(struct counting *counting, const struct summary *summary)
{
    struct types *types = &counting->backlogs->types;

    for (uint32_t i = 0; i < summary->type_count; i++) {
        const char *name = summary->types[i].name;
        counting->numbers[i] =
            name[0] == '\0' ? (int)types->most : types_number(types, name, strlen(name));
        if (counting->numbers[i] < 0)
            return fail(counting);
    }
    return 0;
}

/* Is the summary enough as it is read, or are its pieces wanted? */
static bool wants_pieces(const struct counting *counting, const struct summary *summary)
{
    return passage(counting, summary->from, summary->to) == PASSAGE_SOME
        || !is_one_age(counting, summary->first, summary->last);
}

static int count_summary(struct counting *counting, const struct summary *summary)
{
    if (number_types(counting, summary) < 0)
        return -1;
    if (wants_pieces(counting, summary))
        return count_pieces(counting, summary);
    count_totals(counting, summary);
    return 0;
}

static int count_closed(struct counting *counting, uint64_t from, uint64_t to)
{
    const struct spool *spool = counting->spool;
    struct sumfile file;
    struct summary made;

    if (sumfile_open(&file, spool->log_dir, from, to) > 0
        && (!wants_pieces(counting, &file.summary) || sumfile_pieces(&file) > 0)) {
        const int result = count_summary(counting, &file.summary);
        sumfile_close(&file);
        return result;
    }
    sumfile_close(&file);
    if (summary_make(&made, spool->log_dir, spool->log_path, from, to) != 0)
        return -1;
    sumfile_write(&made, spool->log_dir);
    const int result = count_summary(counting, &made);
    summary_release(&made);
    return result;
}

/* ---- all of it */

static int count_segments(struct counting *counting, uint64_t begin, uint64_t end)
{
    const struct spool *spool = counting->spool;
    struct segment_list list;
    int result = 0;

    if (segment_list_read(&list, spool->log_dir, spool->log_path) < 0)
        return -1;
    for (size_t i = 0; i < list.count && result == 0; i++) {
        const uint64_t from = list.starts[i];
        const bool closed = i + 1 < list.count && list.starts[i + 1] <= end;
        const uint64_t to = closed ? list.starts[i + 1] : end;
        if (from < begin || from >= to || passage(counting, from, to) == PASSAGE_ALL)
            continue;
        result = closed ? count_closed(counting, from, to) : count_lines(counting, from, to);
    }
    const int saved = errno;
    segment_list_release(&list);
    errno = saved;
    return result;
}

int backlog_count(struct backlogs *backlogs, const struct spool *spool, uint64_t begin,
                  uint64_t end, int64_t now)
{
    struct counting counting = {.backlogs = backlogs, .spool = spool, .now = now};
    bool ready = types_init(&backlogs->types, TALLY_TYPES) == 0;

    for (size_t i = 0; i < backlogs->count && ready; i++)
        ready = tally_init(&backlogs->list[i].tally) == 0;
    if (!ready)
        return fail(&counting);
    counting.reader = reader_new(spool->log_dir, spool->log_path);
    const int result = counting.reader == NULL ? -1 : count_segments(&counting, begin, end);
    const int saved = errno;
    reader_free(counting.reader);
    errno = saved;
    return result;
}

void backlog_release(struct backlogs *backlogs)
{
    types_release(&backlogs->types);
    for (size_t i = 0; i < backlogs->count; i++)
        tally_release(&backlogs->list[i].tally);
}
