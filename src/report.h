/* SPDX-License-Identifier: ISC */
/*
 * report: the ids that a command printed to say which of its events failed
 * (--report-failures): one a line, blanks around it and empty lines ignored.
 *
 * Pure but for memory. One thread. The text is the caller's, and is changed.
 */
#ifndef HOOKSPOOL_REPORT_H
#define HOOKSPOOL_REPORT_H

#include <stdbool.h>
#include <stddef.h>

struct report {
    char **ids; /* sorted, each once; they point into the text */
    bool *seen;
    size_t count;
};

/* 0, or -1 with ENOMEM. The text is NUL-terminated. */
int report_read(struct report *report, char *text);
void report_release(struct report *report);

/* Is the id in it? Then it has been seen. */
bool report_names(struct report *report, const char *id);

/* An id that was never asked for; NULL: none. */
const char *report_stranger(const struct report *report);

#endif
