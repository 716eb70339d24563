/* SPDX-License-Identifier: ISC */
/*
 * verb_retry: hookspool retry: failed events are offered again now, and dead
 * ones brought back to life.
 */
#ifndef HOOKSPOOL_VERB_RETRY_H
#define HOOKSPOOL_VERB_RETRY_H

#include "cli.h"

extern const struct verb verb_retry;

#endif
