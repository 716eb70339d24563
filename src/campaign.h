/* SPDX-License-Identifier: ISC */
/*
 * campaign: test events sent one after the other, each answer judged and
 * printed, and the sum of them. What `send` does once its line is read.
 *
 * SIGINT and SIGTERM let the request end that is on its way; what was sent is
 * summed up. A second one ends the process. Memory does not grow with the
 * number of events. One thread.
 */
#ifndef HOOKSPOOL_CAMPAIGN_H
#define HOOKSPOOL_CAMPAIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "claim.h"
#include "config.h"
#include "pace.h"
#include "signature.h"

struct campaign {
    const char *url;
    bool insecure;
    const struct config_endpoint *endpoint; /* NULL: not known */
    const struct signature_key *key;        /* that signs */
    bool bad_signature;                     /* ... and is not the endpoint's */
    struct claim claim; /* without an id: a new one each */
    int64_t age;        /* where the claim says no time: so many seconds ago */
    const char *type;   /* of bodies that are made */
    const char *body;   /* NULL: they are made, each anew */
    size_t body_len;
    size_t least;       /* bytes of a body that is made */
    bool duplicate;     /* each twice */
    int64_t count;
    struct pace pace;
    bool json, quiet;
};

/*
 * EX_OK when every answer was the expected one; after a message EX_DATAERR when one was another,
 * else EX_UNAVAILABLE when one was missing; EX_USAGE: that is no URL; EX_IOERR, EX_OSERR.
 */
int campaign_run(const struct campaign *campaign);

#endif
