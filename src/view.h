/* SPDX-License-Identifier: ISC */
/*
 * view: the spool that a verb looks at, opened, and how far its log is
 * committed. Takes no lock that lasts, and writes nothing.
 *
 * One thread. Errors are told here; the result is one of sysexits.h.
 */
#ifndef HOOKSPOOL_VIEW_H
#define HOOKSPOOL_VIEW_H

#include <stdint.h>

#include "cli.h"
#include "segment.h"
#include "spool.h"

/* For a verb's table of options. */
#define VIEW_SPOOL {"spool", 'S', "NAME", "the spool, if there are several", CLI_SPOOL}

struct view {
    struct spool spool;
    uint64_t begin, end; /* of the log; equal when it is empty */
};

#define VIEW_CLOSED ((struct view){.spool = SPOOL_CLOSED})

/* The spool of --spool, or the only one. EX_UNAVAILABLE: hookspoold has not made it yet. */
int view_open(struct view *view, struct cli *cli);
/* This one. */
int view_open_spool(struct view *view, const struct config *config,
                    const struct config_spool *spool);
void view_close(struct view *view);

/* How far it goes now: sets the end. While the spool is being repaired, that is waited for. */
int view_look(struct view *view);

/* Names a damaged line, which is left out: the verb ends with EX_DATAERR. */
void view_damaged(const struct view *view, const struct segment_line *line);

#endif
