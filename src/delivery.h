/* SPDX-License-Identifier: ISC */
/*
 * What the sender says about a delivery, taken from the CGI environment of one request: the id,
 * the timestamp and the list of signatures, from `svix-*` or from `webhook-*` headers.
 *
 * Pure: the clock is an argument, nothing is allocated or written elsewhere; threads do not
 * matter. The id and timestamp are copies that are safe in a log line and a file name and hold
 * no dot, so `id.timestamp.body` can be cut in one way only. The signatures are borrowed from
 * envp. Times are Unix seconds.
 * The whole of envp is scanned, because nginx before 1.23 passes a repeated header as two
 * variables of one name, where a lookup would hide the second.
 * Sources: standardwebhooks.com; docs.svix.com; RFC 3875, 4.1.18.
 */
#ifndef HOOKSPOOL_DELIVERY_H
#define HOOKSPOOL_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DELIVERY_ID_MAX = 200,
    DELIVERY_TIMESTAMP_MAX = 12
};

struct delivery {
    char id[DELIVERY_ID_MAX + 1];               /* [A-Za-z0-9_][A-Za-z0-9_-]{0,199} */
    char timestamp[DELIVERY_TIMESTAMP_MAX + 1]; /* as signed: [1-9][0-9]{0,11} */
    int64_t when;                               /* the timestamp */
    const char *signatures;                     /* outer blanks and TABs trimmed; no NUL ends it */
    size_t signatures_len;
    const char *family;                         /* "svix" or "webhook", a constant */
};

/*
 * Returns NULL, or the reason to refuse, a constant for the log. The first complete family
 * decides, svix before webhook; they are never mixed, and one never makes up for the other.
 * A header that is empty counts as absent. A time exactly `tolerance` seconds away is accepted.
 * After a refusal the id is filled, for the log, if it was reached and well formed, else empty.
 * `now` and `tolerance` are not negative.
 */
const char *delivery_parse(struct delivery *delivery, char *const *envp, int64_t now,
                           int64_t tolerance);

/* Is this an id that delivery_parse() would let pass? And the rule in words. */
#define DELIVERY_IDS "1 to 200 of A-Z a-z 0-9 _ -, not '-' first"
bool delivery_is_id(const char *text, size_t len);

#endif
