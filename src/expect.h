/* SPDX-License-Identifier: ISC */
/*
 * expect: what hookspoold must answer to a test event, decided from what the
 * event is and in the order of receive.c: the size of the body, the time, the
 * signature, the type, the id.
 *
 * Pure; any thread.
 */
#ifndef HOOKSPOOL_EXPECT_H
#define HOOKSPOOL_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

/* What the defaults of hookspool.conf(5) are, where there is no configuration. */
enum { EXPECT_TOLERANCE = 300, EXPECT_MAX_BODY = 1024 * 1024 };

struct test_event {
    const struct config_endpoint *endpoint; /* NULL: not known */
    const char *body;
    size_t body_len;
    int64_t age;        /* seconds since it was signed; negative: in the future */
    bool bad_signature;
};

struct expectation {
    long status;
    const char *word; /* in the answer; a refusal may also be the web server's: NULL, any */
    const char *why;  /* of a refusal, or of "ignored"; NULL: it is stored */
};

int64_t expect_tolerance(const struct config_endpoint *endpoint);
uint64_t expect_max_body(const struct config_endpoint *endpoint);

/* again: the same id once more. 0, or -1 with ENOMEM. */
int expect_answer(struct expectation *expectation, const struct test_event *event, bool again);

/* Is it that? word is "" where the answer had none. */
bool expect_met(const struct expectation *expectation, long status, const char *word);

#endif
