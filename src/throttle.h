/* SPDX-License-Identifier: ISC */
/*
 * throttle: long work beside a service, in slices with rests between them.
 *
 * A rest is as many times as long as the slice took of a processor, and at
 * least as long as it took in all: on a busy disk, or where the lock of a
 * directory is waited for, others have half of the time, and where nothing is
 * scarce but processors, what is taken is a small share of one. A lower
 * priority would not do: whoever is not let run while he holds the lock of a
 * directory holds up those who wait for it.
 *
 * One thread.
 */
#ifndef HOOKSPOOL_THROTTLE_H
#define HOOKSPOOL_THROTTLE_H

#include <stdint.h>

struct throttle {
    int64_t slice; /* nanoseconds */
    unsigned rest; /* times the slice; 0: none */
    int64_t begin; /* of the slice, io_now() */
    int64_t spent; /* of a processor, until then */
};

void throttle_begin(struct throttle *throttle, int64_t slice, unsigned rest);

/* After each small piece of the work. */
void throttle_step(struct throttle *throttle);

#endif
