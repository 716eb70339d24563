/* SPDX-License-Identifier: ISC */
/*
 * attribution: who signed what. Finds the secret, the content and the form of the
 * body that a signature was made of, when it is not what it ought to be.
 *
 * Each answer is proven: an HMAC was made and it is one of the digests given.
 * The work is bounded, in HMACs by the secrets and variants there are, in
 * bytes by the caller. Pure but for what it allocates; any thread. Keys are
 * wiped; no digest is given away.
 */
#ifndef HOOKSPOOL_ATTRIBUTION_H
#define HOOKSPOOL_ATTRIBUTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digests.h"
#include "keyring.h"

struct attribution_question {
    const struct keyring *keyring;
    const char *id, *timestamp; /* as the headers have them, however malformed */
    const void *body;
    size_t len;
    const struct digest *digests;
    size_t digest_count;
    size_t bytes; /* of bodies to go through at most; the endpoint's own secrets are always tried */
    bool plainly; /* no variants of body, id and time */
};

enum attribution_form {
    ATTRIBUTION_DECODED, /* the key is what the secret's base64 stands for, as it should be */
    ATTRIBUTION_TEXT,    /* it is the base64 itself */
    ATTRIBUTION_PREFIXED /* it is the whole text, with whsec_ */
};

struct attribution_answer {
    bool found;
    const struct keyring_file *file;
    const struct secret *secret;
    enum attribution_form form;
    const char *content; /* what was signed instead of id.time.body, in words; NULL: that */
    const char *variant; /* "it matches if ..."; NULL: the body as it is */
    const struct digest *digest;
    unsigned tried; /* HMACs */
    bool complete;  /* everything was tried that could be */
};

/* 0, or -1 with ENOMEM. */
int attribution_find(const struct attribution_question *question,
                     struct attribution_answer *answer);

#endif
