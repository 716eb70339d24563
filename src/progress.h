/* SPDX-License-Identifier: ISC */
/*
 * progress: a bar on a terminal, a line that is written over, on standard
 * error; nothing anywhere else. One thread.
 */
#ifndef HOOKSPOOL_PROGRESS_H
#define HOOKSPOOL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown;         /* standard error is a terminal */
    bool drawn;         /* there is a line to be wiped */
    const char *what;   /* borrowed */
    int64_t start, last; /* io_now() */
};

void progress_begin(struct progress *progress, const char *what, bool wanted);
/* So many events, and `done` bytes of `all`; drawn a few times a second at most. */
void progress_show(struct progress *progress, uint64_t events, uint64_t done, uint64_t all);
/* Wipes the line, before anything else is written or at the end. */
void progress_wipe(struct progress *progress);

#endif
