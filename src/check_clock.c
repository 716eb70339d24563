/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "check_clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/timex.h>
#include <sysexits.h>

#include "sample.h"
#include "when.h"

enum {
    JUMP = 2,           /* seconds that an event may seem to come from the future */
    BEHIND = 3          /* seconds that one may seem to come before it was signed */
};

/* 2025-12-01: no clock is right that is earlier. */
static const int64_t built = INT64_C(1764547200);

static const char sync_advice[] =
    "timedatectl set-ntp true; or install chrony, and: chronyc tracking";

/* ---- the kernel's word */

static void tell_kernel(struct check *check)
{
    struct timex state = {.modes = 0};
    char stamp[WHEN_SIZE];

    (void)when_stamp(stamp, check->now);
    if (check->now < built) {
        finding_fail(check->findings, EX_CONFIG, "clock", "it says %s: every event is refused",
                     stamp);
        finding_advise(check->findings, sync_advice);
        return;
    }
    const int result = adjtimex(&state);
    if (result < 0 || (state.status & STA_UNSYNC) != 0) {
        finding_warn(check->findings, "clock", "%s, and nothing keeps it: the kernel does not take "
                     "it for synchronised", stamp);
        finding_advise(check->findings, sync_advice);
        return;
    }
    finding_ok(check->findings, "clock", "%s, synchronised, off by %.3f s at most", stamp,
               (double)state.maxerror / 1e6);
}

/* ---- what events tell */

/* The strictest of those whose events a spool takes. */
static int64_t tolerance_of(const struct config *config, const struct config_spool *spool)
{
    int64_t least = INT64_MAX;

    for (size_t i = 0; i < config->endpoint_count; i++) {
        if (config->endpoints[i].spool_config == spool && config->endpoints[i].tolerance < least)
            least = config->endpoints[i].tolerance;
    }
    return least == INT64_MAX ? 300 : least;
}

/* An event comes a moment after it was signed, so the shortest delay tells the clocks apart. */
static void tell_senders(struct check *check, const struct config_spool *spool,
                         const struct sample *sample)
{
    const double tolerance = (double)tolerance_of(check->config, spool);
    const double late = tolerance / 4 > BEHIND ? tolerance / 4 : BEHIND;
    char what[FINDING_WHAT];

    if (sample->lines == 0)
        return;
    snprintf(what, sizeof(what), "clock and spool %s", spool->name);
    if (sample->least < -BEHIND) {
        finding_warn(check->findings, what, "its last events came up to %.1f s before they were "
                     "signed, by our clock: it is behind the sender's, or that ahead "
                     "(tolerance %.0f s)", -sample->least, tolerance);
    } else if (sample->least > late) {
        finding_warn(check->findings, what, "its last events came %.1f s and more after they were "
                     "signed: our clock is ahead of the sender's, or something delays them "
                     "(tolerance %.0f s)", sample->least, tolerance);
    } else {
        finding_ok(check->findings, what, "the last events came %.1f to %.1f s after they were "
                   "signed, tolerance %.0f s", sample->least, sample->most, tolerance);
        return;
    }
    finding_advise(check->findings, "compare: date -u; curl -sI https://www.debian.org | grep -i "
                   "^date; then: %s", sync_advice);
}

static void tell_future(struct check *check, const struct config_spool *spool,
                        const struct sample *sample)
{
    const int64_t newest = sample->newest > sample->last ? sample->newest : sample->last;
    char what[FINDING_WHAT], stamp[WHEN_SIZE], age[WHEN_AGE_SIZE];

    if (newest <= check->now + JUMP)
        return;
    (void)when_stamp(stamp, newest);
    snprintf(what, sizeof(what), "clock and spool %s", spool->name);
    finding_warn(check->findings, what, "its newest event came at %s, %s from now: the clock was "
                 "set back, or was wrong then", stamp, when_age(age, newest - check->now));
    finding_advise(check->findings, "make sure that it is right now: date -u; %s", sync_advice);
}

void check_clock(struct check *check)
{
    struct sample sample;
    char path[PATH_MAX];

    tell_kernel(check);
    for (size_t i = 0; check->config != NULL && i < check->config->spool_count; i++) {
        const struct config_spool *spool = &check->config->spools[i];
        if (sample_take(&sample, check_spool_path(check, spool, path), check->now) < 0)
            continue; /* said with the files */
        tell_senders(check, spool, &sample);
        tell_future(check, spool, &sample);
    }
}
