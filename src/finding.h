/* SPDX-License-Identifier: ISC */
/*
 * finding: what `hookspool check` says: one line a finding, and behind what is
 * not in order a second one that tells what to do about it.
 *
 *   warn  clock: not synchronised
 *         timedatectl set-ntp true
 *
 * With JSON, one object a finding: level, check, what, result, advice, status.
 *
 * A finding is written when the next one comes or findings_end() is called, for
 * its advice comes behind it. What others wrote (paths, configurations,
 * answers) is cleaned. Texts that are too long are cut. One thread.
 */
#ifndef HOOKSPOOL_FINDING_H
#define HOOKSPOOL_FINDING_H

#include <stdbool.h>
#include <stdio.h>

enum finding_level { FINDING_OK, FINDING_WARN, FINDING_FAIL };

enum { FINDING_LEVELS = FINDING_FAIL + 1, FINDING_WHAT = 256, FINDING_TEXT = 1536 };

struct findings {
    FILE *out;
    bool quiet; /* say nothing of what is in order */
    bool json;
    const char *check; /* whose findings these are; borrowed */
    unsigned count[FINDING_LEVELS];
    int status; /* of the worst so far; see findings_end() */
    bool pending;
    enum finding_level level;
    const char *of; /* the check that it is of */
    int finding_status;
    char what[FINDING_WHAT], result[FINDING_TEXT], advice[FINDING_TEXT];
};

/* Begin with this. */
#define FINDINGS(stream, is_quiet, is_json) \
    ((struct findings){.out = (stream), .quiet = (is_quiet), .json = (is_json), .check = ""})

void finding_ok(struct findings *findings, const char *what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void finding_warn(struct findings *findings, const char *what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The status is what the program ends with on its account: EX_CONFIG, EX_UNAVAILABLE, … */
void finding_fail(struct findings *findings, int status, const char *what, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* What to do about the last one. */
void finding_advise(struct findings *findings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Writes what is pending. EX_OK when nothing failed; EX_CONFIG when something did that somebody
 * must mend; else EX_UNAVAILABLE or, weaker, EX_TEMPFAIL.
 */
int findings_end(struct findings *findings);

#endif
