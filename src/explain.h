/* SPDX-License-Identifier: ISC */
/*
 * explain: why a request was refused, or would be: each input of its signature,
 * whether it holds, and what was found, with numbers.
 *
 * Nothing is guessed: what is said of a secret, a body or a signature was
 * proven by an HMAC (attribution.h). What accepts a request is delivery.h and
 * secret.h; `genuine` comes from them alone.
 *
 * Pure but for what it allocates; any thread. Times are Unix seconds.
 */
#ifndef HOOKSPOOL_EXPLAIN_H
#define HOOKSPOOL_EXPLAIN_H

#include "config.h"
#include "explanation.h"
#include "keyring.h"

/*
 * endpoint may be NULL; the first file of the keyring ought to have signed. 0, or -1 with ENOMEM.
 */
int explain(const struct explain_request *request, const struct config_endpoint *endpoint,
            const struct keyring *keyring, struct explanation *explanation);

#endif
