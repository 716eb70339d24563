/* SPDX-License-Identifier: ISC */
/*
 * verb_drain: hookspool drain: what its options mean; drain.h does the work.
 */
#ifndef HOOKSPOOL_VERB_DRAIN_H
#define HOOKSPOOL_VERB_DRAIN_H

#include "cli.h"

extern const struct verb verb_drain;

#endif
