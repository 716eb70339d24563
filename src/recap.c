/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "recap.h"

#include <stdlib.h>

#include "sumfile.h"

struct recap {
    int dir;
    const char *path;
    struct segment_list list;
    uint64_t to;
    size_t next;     /* in the list: the first segment that has not begun */
    uint64_t end;    /* of the segment at hand; 0: none is */
    bool lost;       /* there will be no summary of this segment */
    struct summary_maker maker;
};

/* The segment at hand is through. */
static void finish(struct recap *recap)
{
    if (recap->end == 0)
        return;
    if (!recap->lost && summary_end(&recap->maker) == 0)
        sumfile_write(&recap->maker.summary, recap->dir);
    summary_abandon(&recap->maker);
    recap->end = 0;
}

/* Begins the next segment of the list, which ends where the one behind it begins. */
static void begin(struct recap *recap)
{
    const struct segment_list *list = &recap->list;
    const uint64_t start = list->starts[recap->next++];
    const uint64_t end = recap->next < list->count ? list->starts[recap->next] : UINT64_MAX;

    recap->end = end;
    recap->lost = end > recap->to || summary_begin(&recap->maker, start, end) < 0;
}

/* Goes on to the segment that holds this position. */
static void advance(struct recap *recap, uint64_t position)
{
    while (position >= recap->end && recap->next < recap->list.count
           && recap->list.starts[recap->next] <= position) {
        finish(recap);
        begin(recap);
    }
}

static void take(struct recap *recap, const struct segment_line *line)
{
    if (recap->end != 0 && !recap->lost && summary_add(&recap->maker, line) < 0)
        recap->lost = true;
}

static int visit(void *context, const struct segment_line *line)
{
    take(context, line);
    return 0;
}

struct recap *recap_begin(int dir, const char *path, uint64_t from, uint64_t to)
{
    struct recap *recap = calloc(1, sizeof(*recap));

    if (recap == NULL || segment_list_read(&recap->list, dir, path) < 0) {
        free(recap);
        return NULL;
    }
    recap->dir = dir;
    recap->path = path;
    recap->to = to;
    while (recap->next + 1 < recap->list.count && recap->list.starts[recap->next + 1] <= from)
        recap->next++;
    advance(recap, from);
    /* A segment of which the beginning was settled before, by a repair. */
    const uint64_t start = recap->maker.summary.from;
    if (recap->end != 0 && !recap->lost && start < from
        && segment_scan(dir, path, start, from, visit, recap) != 0)
        recap->lost = true;
    return recap;
}

void recap_add(struct recap *recap, const struct segment_line *line)
{
    if (recap == NULL)
        return;
    if (line->position >= recap->end)
        advance(recap, line->position);
    take(recap, line);
}

void recap_end(struct recap *recap, bool complete)
{
    if (recap == NULL)
        return;
    if (!complete)
        recap->lost = true;
    finish(recap);
    segment_list_release(&recap->list);
    free(recap);
}
