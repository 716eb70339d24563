/* SPDX-License-Identifier: ISC */
/*
 * verb_verify: hookspool verify: a captured request, and which of the inputs
 * of its signature differs. explain.h finds out, capture.h reads the headers.
 */
#ifndef HOOKSPOOL_VERB_VERIFY_H
#define HOOKSPOOL_VERB_VERIFY_H

#include "cli.h"

extern const struct verb verb_verify;

#endif
