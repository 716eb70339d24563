/* SPDX-License-Identifier: ISC */
/*
 * verbs: all verbs of hookspool, in the order in which help lists them. What
 * a verb is stands in cli.h; parsing, help and completion read this list.
 */
#ifndef HOOKSPOOL_VERBS_H
#define HOOKSPOOL_VERBS_H

#include "cli.h"

extern const struct verb *const verbs[]; /* ends with NULL */

/* The verb of a command line, one or two words; *words is how many. NULL: none. */
const struct verb *verbs_find(char *const *line, int count, int *words);

/* Says that a line's first word is no verb, and what was probably meant: EX_USAGE. */
int verbs_unknown(const char *word);

#endif
