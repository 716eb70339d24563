/* SPDX-License-Identifier: ISC */
/*
 * tally: how events were answered, in numbers: how many of each kind, and how
 * long it took, in memory that does not grow with them.
 *
 * Times are kept in a histogram whose steps are under 1.6 % of the time; the
 * least and the greatest are exact. Pure; one thread.
 */
#ifndef HOOKSPOOL_TALLY_H
#define HOOKSPOOL_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TALLY_KINDS = 16, TALLY_WORD = 16, TALLY_STEPS = 64, TALLY_SHIFTS = 34 };

struct tally_kind {
    long status; /* 0: no answer */
    char word[TALLY_WORD];
    int64_t count;
    bool told; /* the caller's: something was said about it */
};

struct tally {
    int64_t count, expected;              /* requests, and those answered as they should be */
    int64_t answered;                     /* at all: their times are in the histogram */
    int64_t least, most;                  /* nanoseconds */
    struct tally_kind kinds[TALLY_KINDS]; /* in the order of their first; the last takes the rest */
    size_t kind_count;
    int64_t steps[(TALLY_SHIFTS + 2) * TALLY_STEPS];
};

/* Counts it, and returns its kind. status 0: there was none. */
struct tally_kind *tally_answer(struct tally *tally, long status, const char *word, bool expected,
                                int64_t nanoseconds);

/* The time in nanoseconds that so many of 1000 answers did not exceed; 0 without answers. */
int64_t tally_time(const struct tally *tally, unsigned permille);

#endif
