/* SPDX-License-Identifier: ISC */
/*
 * exhibit: a kept request on standard output: as a line or two of a list, in
 * full, as the raw request it was, or as JSON.
 *
 * A list never shows a signature; in full the headers are shown as they came,
 * for that is what they are kept for. What a stranger wrote is cleaned, unless
 * the raw bytes were asked for. One thread.
 */
#ifndef HOOKSPOOL_EXHIBIT_H
#define HOOKSPOOL_EXHIBIT_H

#include "config.h"
#include "delivery.h"
#include "event.h"
#include "explain.h"
#include "kept.h"

/* A kept request and what is made of it. */
struct exhibit {
    const struct kept *kept;                /* borrowed */
    const struct config_endpoint *endpoint; /* borrowed */
    char id[DELIVERY_ID_MAX + 1];           /* "": none that is well formed */
    char type[EVENT_TYPE_MAX + 1];          /* that the body names; "": it is not known */
    bool explained;
    struct explanation explanation;
};

/*
 * Looks into it, going through `effort` bytes at most in search of a cause; 0: does not explain
 * it. 0, or -1 with ENOMEM.
 */
int exhibit_make(struct exhibit *exhibit, const struct kept *kept,
                 const struct config_endpoint *endpoint, const struct keyring *keyring,
                 size_t effort);

/* Was it refused, for its signature or its form? */
bool exhibit_refused(const struct kept *kept);


void exhibit_list(const struct exhibit *exhibit);
void exhibit_full(const struct exhibit *exhibit);
void exhibit_json(const struct exhibit *exhibit, bool in_full);

/* Request line, headers, and the body as far as it is known: for verify --headers. */
void exhibit_raw(const struct exhibit *exhibit);

#endif
