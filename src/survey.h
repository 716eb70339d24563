/* SPDX-License-Identifier: ISC */
/*
 * survey: what there is to say of one spool and its consumers, read at one
 * time: for status and stats.
 *
 * A spool that nobody has made yet is empty. One thread. Times are Unix
 * seconds. Errors are told here; the result is one of sysexits.h.
 */
#ifndef HOOKSPOOL_SURVEY_H
#define HOOKSPOOL_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backlog.h"
#include "standing.h"
#include "stats.h"
#include "view.h"

struct survey {
    const struct config_spool *config;
    bool made;        /* hookspoold has made it */
    bool read;        /* and it could be read: what follows is there */
    struct view view;
    size_t segments;
    struct stats_page *stats; /* NULL: they cannot be had */
    int64_t now;
    int64_t last;     /* when an event was stored last; 0: never */
    struct standings standings;
    struct backlogs backlogs; /* beside standings.list; of a spool without consumers all of it */
};

/*
 * only: NULL, or the one consumer that is wanted. When it was read, EX_OK or, for a consumer that
 * could not be (standing.h), EX_NOPERM.
 */
int survey_read(struct survey *survey, const struct config *config,
                const struct config_spool *spool, const char *only, int64_t now);
void survey_release(struct survey *survey);

#endif
