/* SPDX-License-Identifier: ISC */
/*
 * apacheline: the lines of a configuration of Apache, joined where they go on
 * behind a backslash and with their ${variables} in place, and the words of a
 * line as ap_getword_conf() takes them.
 *
 * No state but the place in the text; nothing is logged.
 */
#ifndef HOOKSPOOL_APACHELINE_H
#define HOOKSPOOL_APACHELINE_H

#include <stdbool.h>
#include <stddef.h>

#include "apachevars.h"

struct apacheline {
    const char *at; /* in a text with a NUL behind it; borrowed */
    unsigned line;  /* where the line that was taken last begins */
    unsigned next;  /* number of the one that is at `at`; from 1 */
};

/* The next one, malloc()ed. NULL: the end, or with *too_long a line that is, or no memory. */
char *apacheline_next(struct apacheline *lines, const struct apachevars *vars, bool *too_long);

/* The words of a line, which is cut up and which they point into: how many, `most` at most. */
size_t apacheline_split(char *line, char **words, size_t most);

#endif
