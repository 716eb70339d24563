/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "sift.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "log.h"
#include "reader.h"
#include "sumfile.h"

enum { FIRST_STEP = 64 * 1024, LAST_STEP = 64 * 1024 * 1024, LINE_BYTES = 64 * 1024 };

struct sift {
    const struct spool *spool;
    const struct filter *filter;
    struct reader *reader;
    bool picky;   /* the filter is such that summaries help */
    bool keeps;   /* summaries can be written */
    struct segment_list list; /* as it was at the beginning: enough for what was closed then */
    uint64_t horizon; /* up to here it has to be read */
    struct sumfile file; /* of the segment at hand; .summary.to is 0: none */
};

static int no_memory(const struct spool *spool)
{
    log_error("cannot read '%s': %s", spool->log_path, strerror(ENOMEM));
    errno = ENOMEM;
    return -1;
}

struct sift *sift_new(const struct spool *spool, const struct filter *filter)
{
    struct sift *sift = calloc(1, sizeof(*sift));

    if (sift == NULL) {
        (void)no_memory(spool);
        return NULL;
    }
    *sift = (struct sift){.spool = spool, .filter = filter, .file = SUMFILE_NONE};
    sift->picky = filter->since != INT64_MIN || filter->until != INT64_MAX
               || filter->type != NULL || filter->id_count > 0;
    sift->keeps = faccessat(spool->log_dir, ".", W_OK, AT_EACCESS) == 0;
    sift->reader = reader_new(spool->log_dir, spool->log_path);
    if (sift->reader != NULL
        && segment_list_read(&sift->list, spool->log_dir, spool->log_path) == 0)
        return sift;
    const int saved = errno;
    sift_free(sift);
    errno = saved;
    return NULL;
}

void sift_free(struct sift *sift)
{
    if (sift == NULL)
        return;
    sumfile_close(&sift->file);
    segment_list_release(&sift->list);
    reader_free(sift->reader);
    free(sift);
}

int sift_seek(struct sift *sift, uint64_t position)
{
    sift->horizon = 0;
    return reader_seek(sift->reader, position);
}

int sift_descriptor(const struct sift *sift, uint64_t *start)
{
    return reader_descriptor(sift->reader, start);
}

/* ---- what need not be read */

static bool may_have_types(const struct sift *sift, const struct summary_row *rows, uint32_t count)
{
    const struct summary *summary = &sift->file.summary;
    const char *pattern = sift->filter->type;
    bool may = pattern == NULL;

    for (uint32_t i = 0; i < count && !may; i++) {
        const char *name = summary->types[rows[i].type].name;
        may = name[0] == '\0' || fnmatch(pattern, name, 0) == 0; /* "": all sorts of them */
    }
    return may;
}

static bool may_have_ids(struct sift *sift)
{
    const struct filter *filter = sift->filter;
    bool may = filter->id_count == 0 || sumfile_ids(&sift->file) == 0;

    for (size_t i = 0; i < filter->id_count && !may; i++)
        may = idset_may_hold(&sift->file.summary.ids,
                             record_id_hash(filter->ids[i], strlen(filter->ids[i])));
    return may;
}

static bool is_in_time(const struct filter *filter, int64_t first, int64_t last)
{
    return last >= filter->since && first < filter->until;
}

static bool may_have_any(struct sift *sift)
{
    const struct summary *summary = &sift->file.summary;
    struct summary_row rows[SUMMARY_TYPES + 1];

    for (uint32_t i = 0; i < summary->type_count; i++)
        rows[i].type = i;
    if (summary->damaged > 0)
        return true;
    return is_in_time(sift->filter, summary->first, summary->last)
        && may_have_types(sift, rows, summary->type_count) && may_have_ids(sift);
}

/* The summary of a segment, read or made: false: there is none. */
static bool take_summary(struct sift *sift, uint64_t from, uint64_t to)
{
    struct sumfile *file = &sift->file;
    const struct spool *spool = sift->spool;

    if (file->summary.to == to)
        return true;
    sumfile_close(file);
    if (sumfile_open(file, spool->log_dir, from, to) > 0)
        return true;
    /* Only if it helps the next time as well: it means to read all of it now. */
    if (!sift->keeps
        || summary_make(&file->summary, spool->log_dir, spool->log_path, from, to) != 0)
        return false;
    sumfile_write(&file->summary, spool->log_dir);
    return true;
}

/* Where reading has to go on at or behind a position of a closed segment; sets the horizon. */
static uint64_t look_ahead(struct sift *sift, uint64_t position, uint64_t from, uint64_t to)
{
    const struct summary *summary = &sift->file.summary;

    sift->horizon = to;
    if (!take_summary(sift, from, to))
        return position;
    if (!may_have_any(sift))
        return to;
    if (sumfile_pieces(&sift->file) == 0)
        return position;
    for (uint32_t i = 0; i < summary->piece_count; i++) {
        const struct summary_piece *piece = &summary->pieces[i];
        if (piece->to <= position)
            continue;
        sift->horizon = piece->to;
        if (piece->damaged > 0
            || (is_in_time(sift->filter, piece->first, piece->last)
                && may_have_types(sift, summary->rows + piece->row, piece->rows)))
            return position > piece->from ? position : piece->from;
    }
    return to;
}

/* Passes over what need not be read, as far as `to`. */
static int skip(struct sift *sift, uint64_t to)
{
    const struct segment_list *list = &sift->list;
    uint64_t position = reader_position(sift->reader);
    size_t i = 0;

    if (list->count > 0 && position < list->starts[0])
        position = list->starts[0];
    while (sift->horizon <= position && position < to) {
        while (i + 1 < list->count && list->starts[i + 1] <= position)
            i++;
        if (i + 1 >= list->count) {
            sift->horizon = UINT64_MAX; /* it was not closed when we began */
            break;
        }
        position = look_ahead(sift, position, list->starts[i], list->starts[i + 1]);
    }
    return position == reader_position(sift->reader) ? 0 : reader_seek(sift->reader, position);
}

int sift_next(struct sift *sift, uint64_t to, struct segment_line *line)
{
    int found;

    do {
        if (sift->picky && sift->horizon <= reader_position(sift->reader) && skip(sift, to) < 0)
            return -1;
        found = reader_next(sift->reader, to, line);
    } while (found > 0
             && (line->damaged ? reader_blank(line) : !filter_takes(sift->filter, &line->view)));
    return found;
}

/* ---- from the end */

/* The first line that starts at or behind a position of this segment; at most its end. */
static int find_line(const struct sift *sift, uint64_t position, uint64_t start, uint64_t end,
                     uint64_t *found)
{
    const struct spool *spool = sift->spool;
    char name[SEGMENT_NAME_SIZE], bytes[LINE_BYTES];
    const char *newline = NULL;
    ssize_t got = 0;

    *found = start;
    if (position <= start)
        return 0;
    segment_name(name, start);
    const int fd = io_openat(spool->log_dir, name, O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0 && errno == ENOENT) { /* purged: nothing is before its end */
        *found = end;
        return 0;
    }
    position--; /* a newline right before it will do */
    while (fd >= 0 && newline == NULL && position < end
           && (got = pread(fd, bytes, sizeof(bytes), (off_t)(position - start))) > 0) {
        newline = memchr(bytes, '\n', (size_t)got);
        position += newline == NULL ? (uint64_t)got : (uint64_t)(newline - bytes) + 1;
    }
    const int saved = errno;
    if (fd < 0 || got < 0)
        log_error("cannot read '%s/%s': %s", spool->log_path, name, strerror(saved));
    if (fd >= 0)
        close(fd);
    errno = saved;
    *found = newline == NULL || position > end ? end : position;
    return fd < 0 || got < 0 ? -1 : 0;
}

/* A position about `step` bytes before `end` where a line starts. */
static int step_back(const struct sift *sift, uint64_t begin, uint64_t end, uint64_t step,
                     uint64_t *back)
{
    const struct segment_list *list = &sift->list;
    const uint64_t wanted = end - begin > step ? end - step : begin;
    size_t i = 0;

    *back = begin;
    if (wanted == begin)
        return 0;
    while (i + 1 < list->count && list->starts[i + 1] <= wanted)
        i++;
    const uint64_t next = i + 1 < list->count ? list->starts[i + 1] : UINT64_MAX;
    return find_line(sift, wanted, list->starts[i], next < end ? next : end, back);
}

struct places {
    uint64_t *positions;
    size_t count, room;
};

/* Where the events of [from, to) begin, which are no more than LAST_STEP holds. */
static int collect(struct sift *sift, uint64_t from, uint64_t to, struct places *places)
{
    struct segment_line line;
    int found = sift_seek(sift, from);

    places->count = 0;
    while (found == 0 && (found = sift_next(sift, to, &line)) > 0) {
        found = 0;
        if (line.damaged)
            continue;
        if (places->count == places->room) {
            const size_t room = places->room == 0 ? 256 : places->room * 2;
            uint64_t *grown = reallocarray(places->positions, room, sizeof(*grown));
            if (grown == NULL)
                return no_memory(sift->spool);
            places->positions = grown;
            places->room = room;
        }
        places->positions[places->count++] = line.position;
    }
    return found;
}

int sift_seek_last(struct sift *sift, uint64_t begin, uint64_t end, uint64_t count)
{
    struct places places = {0};
    uint64_t step = FIRST_STEP, at = end;
    int result = 0;

    while (result == 0 && count > 0 && at > begin) {
        uint64_t back;
        result = step_back(sift, begin, at, step, &back);
        if (step < LAST_STEP || back == at) /* or a line is as long */
            step *= 2;
        if (result < 0 || back == at)
            continue;
        result = collect(sift, back, at, &places);
        if (result == 0 && places.count >= count) {
            at = places.positions[places.count - count];
            count = 0;
        } else {
            count -= places.count;
            at = back;
        }
    }
    free(places.positions);
    return result < 0 ? result : sift_seek(sift, at);
}
