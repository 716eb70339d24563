/* SPDX-License-Identifier: ISC */
/*
 * failure: one failed event as a line of retry.ndjson or dead.ndjson: why and
 * how often it failed, and the event itself, byte for byte, so that it
 * outlives its segment.
 *
 *   {"position":P,"id":…,"type":…,"attempts":N,"first":…,"last":…,"next":…,
 *    "reason":…,"status":…,"stderr":…,"event":{…},"xxh3":"<16 hex digits>"}\n
 *
 * The fields stand in this order. first and last are the times of failures,
 * next when it is due again (null in dead.ndjson), status is a shell's: 128 +
 * the signal; 0 when it was reported by a command that ended well. xxh3 is of
 * the line up to the comma before it, as in record.h. `position` is that of
 * the event in the log and identifies it; an id may stand there twice, when it
 * was forgotten and sent again.
 *
 * Pure; any thread. Times are Unix seconds.
 */
#ifndef HOOKSPOOL_FAILURE_H
#define HOOKSPOOL_FAILURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { FAILURE_STDERR = 1024, FAILURE_REASON = 96, FAILURE_ID = 200, FAILURE_TYPE = 128 };

struct failure {
    uint64_t position;
    char id[FAILURE_ID + 1];
    char type[FAILURE_TYPE + 1];
    unsigned attempts;
    int64_t first, last;
    int64_t next; /* 0: none */
    int status;
    char reason[FAILURE_REASON + 1]; /* "exit status 3", "signal 9 (Killed)", "timeout after 30s" */
    char stderr_text[FAILURE_STDERR + 1]; /* valid UTF-8, no control bytes but newline and TAB */
    const char *event; /* the record without its newline; borrowed */
    size_t event_len;
};

/* Copies what a command wrote, cleaned, and at most FAILURE_STDERR bytes of it. */
void failure_set_stderr(struct failure *failure, const char *bytes, size_t len);

/* A new line with its newline, *len bytes; the caller frees. NULL: ENOMEM. */
char *failure_encode(const struct failure *failure, size_t *len);

/* Does this line (newline included) prove itself? Then *failure is set; event points into it. */
bool failure_decode(const char *line, size_t len, struct failure *failure);

#endif
