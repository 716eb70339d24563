/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "survey.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "filter.h"
#include "log.h"
#include "segment.h"
#include "sift.h"
#include "status.h"

/* For a consumer of which nothing can be read: it waits for nothing that we know of. */
static const struct cursor nowhere = {.fd = -1, .position = UINT64_MAX};

static int count_segments(struct survey *survey)
{
    const struct spool *spool = &survey->view.spool;
    struct segment_list list;

    if (segment_list_read(&list, spool->log_dir, spool->log_path) < 0)
        return -1;
    survey->segments = list.count;
    segment_list_release(&list);
    return 0;
}

/* The counters tell; they do not when they were lost, and then the log does. */
static int find_last(struct survey *survey)
{
    const struct filter all = FILTER_ALL;
    const struct view *view = &survey->view;
    struct segment_line line;

    survey->stats = malloc(sizeof(*survey->stats));
    if (survey->stats != NULL && stats_read(view->spool.dir, survey->stats) < 0) {
        free(survey->stats);
        survey->stats = NULL;
    }
    if (survey->stats != NULL)
        survey->last = atomic_load(&survey->stats->last[STATS_STORED]);
    if (survey->last != 0)
        return 0;
    struct sift *sift = sift_new(&view->spool, &all);
    int found = sift == NULL ? -1 : sift_seek_last(sift, view->begin, view->end, 1);
    if (found == 0)
        found = sift_next(sift, view->end, &line);
    if (found > 0 && !line.damaged)
        survey->last = filter_received(&line.view);
    sift_free(sift);
    return found < 0 ? -1 : 0;
}

static int count_backlogs(struct survey *survey)
{
    struct backlogs *backlogs = &survey->backlogs;
    const struct standings *standings = &survey->standings;
    const struct view *view = &survey->view;

    backlogs->count = standings->count > 0 ? standings->count : 1;
    backlogs->list = calloc(backlogs->count, sizeof(*backlogs->list));
    if (backlogs->list == NULL) {
        backlogs->count = 0;
        log_error("cannot count the events of '%s': %s", view->spool.path, strerror(ENOMEM));
        return -1;
    }
    for (size_t i = 0; i < standings->count; i++)
        backlogs->list[i].cursor =
            standings->list[i].unread ? &nowhere : &standings->list[i].cursor;
    return backlog_count(backlogs, &view->spool, view->begin, view->end, survey->now);
}

static int read_open(struct survey *survey, const struct config *config, const char *only)
{
    if (standings_read(&survey->standings, config, &survey->view.spool, only) < 0)
        return EX_OSERR;
    if (count_segments(survey) < 0 || find_last(survey) < 0)
        return status_of(errno);
    if ((only == NULL || survey->standings.count > 0) && count_backlogs(survey) < 0)
        return status_of(errno);
    survey->read = true;
    return standings_status(&survey->standings);
}

int survey_read(struct survey *survey, const struct config *config,
                const struct config_spool *spool, const char *only, int64_t now)
{
    *survey = (struct survey){.config = spool, .view = VIEW_CLOSED, .now = now};
    survey->made = spool_exists(config, spool);
    if (!survey->made)
        return EX_OK;
    int status = view_open_spool(&survey->view, config, spool);
    if (status == EX_OK)
        status = read_open(survey, config, only);
    if (!survey->read)
        standings_release(&survey->standings); /* half of it is nothing */
    return status;
}

void survey_release(struct survey *survey)
{
    backlog_release(&survey->backlogs);
    free(survey->backlogs.list);
    standings_release(&survey->standings);
    free(survey->stats);
    view_close(&survey->view);
}
