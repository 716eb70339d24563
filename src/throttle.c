/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "throttle.h"

#include <time.h>

#include "io.h"

enum { REST_SECONDS = 2 /* at most: a slice may have been a suspended machine */ };

static int64_t processor_time(void)
{
    struct timespec spent;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return (int64_t)spent.tv_sec * 1000000000 + spent.tv_nsec;
}

void throttle_begin(struct throttle *throttle, int64_t slice, unsigned rest)
{
    *throttle = (struct throttle){
        .slice = slice, .rest = rest, .begin = io_now(), .spent = processor_time()};
}

void throttle_step(struct throttle *throttle)
{
    const int64_t most = (int64_t)REST_SECONDS * 1000000000;
    const int64_t took = io_now() - throttle->begin;

    if (throttle->rest == 0 || took < throttle->slice)
        return;
    int64_t rest = (processor_time() - throttle->spent) * throttle->rest;
    if (rest < took)
        rest = took;
    if (rest > most)
        rest = most;
    nanosleep(&(struct timespec){.tv_sec = rest / 1000000000, .tv_nsec = rest % 1000000000}, NULL);
    throttle_begin(throttle, throttle->slice, throttle->rest);
}
