/* SPDX-License-Identifier: ISC */
/*
 * nagios: surveys (survey.h) as a check of Nagios and its relatives: a line of
 * status with performance data, a line for each thing that is wrong, and an
 * exit code (Monitoring Plugins Development Guidelines).
 *
 * Consumers that are not in the configuration raise no alarm. One thread.
 * Failed writes: out_flush() tells.
 */
#ifndef HOOKSPOOL_NAGIOS_H
#define HOOKSPOOL_NAGIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "survey.h"

/* The exit codes. */
enum nagios_state { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN };

/* What is more than this is bad; INT64_MAX: nothing is. */
struct nagios_limit {
    int64_t warning, critical;
};

struct nagios_limits {
    struct nagios_limit age, silence; /* seconds */
    struct nagios_limit backlog, failed, dead; /* events */
    bool quiet; /* nothing is printed when all is well */
};

enum nagios_state nagios_put(const struct survey *surveys, size_t count,
                             const struct nagios_limits *limits);

/* When there is nothing to survey. */
enum nagios_state nagios_unknown(const char *why);

#endif
