/* SPDX-License-Identifier: ISC */
/*
 * answers: how events were answered, in numbers: how many of each kind, and how
 * long it took, in memory that does not grow with them.
 *
 * Times are kept in a histogram whose steps are under 1.6 % of the time; the
 * least and the greatest are exact. Pure; one thread.
 */
#ifndef HOOKSPOOL_ANSWERS_H
#define HOOKSPOOL_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANSWERS_KINDS = 16, ANSWERS_WORD = 16, ANSWERS_STEPS = 64, ANSWERS_SHIFTS = 34 };

struct answer_kind {
    long status; /* 0: no answer */
    char word[ANSWERS_WORD];
    int64_t count;
    bool told; /* the caller's: something was said about it */
};

struct answers {
    int64_t count, expected;              /* requests, and those answered as they should be */
    int64_t answered;                     /* at all: their times are in the histogram */
    int64_t least, most;                  /* nanoseconds */
    struct answer_kind kinds[ANSWERS_KINDS]; /* as they came; the last takes the rest */
    size_t kind_count;
    int64_t steps[(ANSWERS_SHIFTS + 2) * ANSWERS_STEPS];
};

/* Counts it, and returns its kind. status 0: there was none. */
struct answer_kind *answers_add(struct answers *answers, long status, const char *word,
                                bool expected, int64_t nanoseconds);

/* The time in nanoseconds that so many of 1000 answers did not exceed; 0 without answers. */
int64_t answers_time(const struct answers *answers, unsigned permille);

#endif
