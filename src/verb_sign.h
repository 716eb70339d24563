/* SPDX-License-Identifier: ISC */
/* sign: the three headers for a body, as curl takes them. */
#ifndef HOOKSPOOL_VERB_SIGN_H
#define HOOKSPOOL_VERB_SIGN_H

#include "cli.h"

extern const struct verb verb_sign;

#endif
