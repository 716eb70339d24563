/* SPDX-License-Identifier: ISC */
/*
 * sendlog: what `send` prints: a line a request, a summary at the end, as text
 * or as JSON. What a server wrote is cleaned. One thread.
 *
 * Each returns 0, or -1 when standard output could not be written, after a
 * message unless its reader has gone.
 */
#ifndef HOOKSPOOL_SENDLOG_H
#define HOOKSPOOL_SENDLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "expect.h"
#include "post.h"
#include "answers.h"

/* One request and its answer. */
struct sendlog_line {
    const char *id;
    int64_t sent;   /* by the clock */
    int64_t stamp;  /* as signed */
    size_t bytes;
    const struct post_answer *answer;
    const char *word; /* hookspoold's, or "" */
    const struct expectation *expectation;
    bool met;
    const char *hint; /* "": none */
};

int sendlog_answer(const struct sendlog_line *line, bool json);

/* nanoseconds: from the first request to the last answer. */
int sendlog_summary(const struct answers *answers, const char *url, int64_t nanoseconds, bool json);

#endif
