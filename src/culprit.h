/* SPDX-License-Identifier: ISC */
/*
 * culprit: the part of explain.h that looks for what a signature was made of,
 * and says which of secret, body and signature differs.
 *
 * Pure but for what it allocates; any thread.
 */
#ifndef HOOKSPOOL_CULPRIT_H
#define HOOKSPOOL_CULPRIT_H

#include "config.h"
#include "explanation.h"
#include "keyring.h"
#include "shape.h"

/* A request that is looked into. All of it is borrowed. */
struct inquiry {
    const struct explain_request *request;
    const struct config_endpoint *endpoint; /* or NULL */
    const struct keyring *keyring;
    struct explanation *out;
    struct shape shape;
    const struct secret *secret; /* that signed it just as it came; NULL: none */
};

/* 0, or -1 with ENOMEM. */
int culprit_find(struct inquiry *inquiry);

/* A CGI variable of the request; NULL: it is not there. */
const char *culprit_variable(const struct inquiry *inquiry, const char *name);

/* The name of one of the headers that decide. */
const char *culprit_header(const struct inquiry *inquiry, int field);

#endif
