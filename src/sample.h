/* SPDX-License-Identifier: ISC */
/*
 * sample: what the end of a spool's log and its statistics tell of the traffic:
 * how large events are, how many come in a day, and how long after they were
 * signed they came, which compares our clock with the sender's.
 *
 * Looks at the last MiB of the newest segment and takes no lock; writes nothing.
 * One thread. Times are Unix seconds, sizes bytes. Errors: -1 with errno, not
 * logged.
 */
#ifndef HOOKSPOOL_SAMPLE_H
#define HOOKSPOOL_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

struct sample {
    uint64_t lines, bytes;  /* of events at the end of the log that prove themselves */
    int64_t newest;         /* when the last of them came, by our clock; 0: there is none */
    double least, most;     /* seconds from its signature to its arrival, of any of them */
    uint64_t log_bytes;     /* that the log takes on disk */
    bool counted;           /* the statistics could be read: */
    uint64_t day;           /* events stored in the last 24 hours */
    int64_t last;           /* when anything was stored last, by our clock; 0: never */
};

/* Of the spool in this directory; what is not there yet counts as nothing. */
int sample_take(struct sample *sample, const char *spool, int64_t now);

#endif
