/* SPDX-License-Identifier: ISC */
/*
 * verb_tail: hookspool tail: the last events of a spool, and those that come.
 */
#ifndef HOOKSPOOL_VERB_TAIL_H
#define HOOKSPOOL_VERB_TAIL_H

#include "cli.h"

extern const struct verb verb_tail;

#endif
