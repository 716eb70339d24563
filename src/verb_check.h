/* SPDX-License-Identifier: ISC */
/*
 * verb_check: hookspool check: the table of what is checked, in its order. The
 * checks are in modules by theme (check.h).
 */
#ifndef HOOKSPOOL_VERB_CHECK_H
#define HOOKSPOOL_VERB_CHECK_H

#include "cli.h"

extern const struct verb verb_check;

#endif
