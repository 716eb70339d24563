/* SPDX-License-Identifier: ISC */
/*
 * verb_stats: hookspool stats: counters and gauges, for people and for what
 * watches over the machine.
 */
#ifndef HOOKSPOOL_VERB_STATS_H
#define HOOKSPOOL_VERB_STATS_H

#include "cli.h"

extern const struct verb verb_stats;

#endif
