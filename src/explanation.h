/* SPDX-License-Identifier: ISC */
/*
 * explanation: what explain.h is asked, and what it says: of each input of a
 * signature whether it holds, and the causes that were found.
 *
 * Texts are printable ASCII, names of files aside, and never hold a secret or
 * a signature. Plain data; all that a request points to is borrowed.
 */
#ifndef HOOKSPOOL_EXPLANATION_H
#define HOOKSPOOL_EXPLANATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A request as it was captured; headers are CGI variables ("HTTP_SVIX_ID=..."), NULL at the end. */
struct explain_request {
    char *const *headers;
    const void *body; /* NULL: it is not known */
    size_t body_len;
    uint64_t sent;    /* bytes that the body had; more than body_len: the rest is not known */
    int64_t came;     /* when it arrived */
    size_t effort;    /* bytes to go through in search of a cause; 0: EXPLAIN_EFFORT */
};

enum explain_input {
    EXPLAIN_HEADERS, EXPLAIN_ID, EXPLAIN_TIME, EXPLAIN_SIGNATURE, EXPLAIN_SECRET, EXPLAIN_BODY
};

enum explain_holds { EXPLAIN_UNKNOWN, EXPLAIN_HOLDS, EXPLAIN_DIFFERS };

enum {
    EXPLAIN_INPUTS = EXPLAIN_BODY + 1,
    EXPLAIN_TEXT = 256,
    EXPLAIN_MOST = 8,
    EXPLAIN_TOLERANCE = 300,           /* without an endpoint */
    EXPLAIN_EFFORT = 128 * 1024 * 1024 /* half a second */
};

struct explanation {
    bool genuine; /* hookspoold would take it, had it come then */
    struct {
        enum explain_holds holds;
        char text[EXPLAIN_TEXT];
    } inputs[EXPLAIN_INPUTS];
    size_t count;
    char findings[EXPLAIN_MOST][EXPLAIN_TEXT]; /* in the order of the checks; no full stop */
};

/* "headers", "id", ... */
const char *explanation_input(enum explain_input input);

void explanation_say(struct explanation *explanation, enum explain_input input,
                     enum explain_holds holds, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* An input that differs: a finding, and, for the first one, what is said of the input. */
void explanation_find(struct explanation *explanation, enum explain_input input,
                      const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
