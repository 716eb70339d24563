/* SPDX-License-Identifier: ISC */
/*
 * replay: requests to offer a consumer events that it has passed, once more.
 *
 * A request is the file replay-N in the consumer's directory, N counting up:
 *   FROM TO
 *   since SECONDS | until SECONDS | type PATTERN | id ID      (any number of lines)
 * and replay-N.cursor says how far a drain is with it. Nothing is copied: the
 * log is read again, from FROM up to TO. The drain removes both files when it
 * is through, the request first.
 *
 * Requests are made and removed between consumer_enter() and consumer_leave().
 * One thread. Times are Unix seconds. Errors: -1 with errno, logged here.
 */
#ifndef HOOKSPOOL_REPLAY_H
#define HOOKSPOOL_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "consumer.h"
#include "filter.h"

enum { REPLAY_NAME = 32 };

struct replay {
    uint64_t number;
    char name[REPLAY_NAME];
    char cursor_name[REPLAY_NAME + 8];
    uint64_t from, to;
    struct filter filter; /* points into text and ids */
    char *text;
    char **ids;
};

/* Durable when it returns 0. EINVAL: a pattern or an id with a line break; or too much of it. */
int replay_request(struct consumer *consumer, uint64_t from, uint64_t to,
                   const struct filter *filter);

/* The request with the least number: 1, 0: none, -1. One that is none is moved aside: EINVAL. */
int replay_first(const struct consumer *consumer, struct replay *replay);
/* The one with the least number above `after`; after EINVAL replay->number is set all the same. */
int replay_next(const struct consumer *consumer, uint64_t after, struct replay *replay);
void replay_release(struct replay *replay);

/* It has been carried out. */
int replay_remove(struct consumer *consumer, const struct replay *replay);

#endif
