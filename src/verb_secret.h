/* SPDX-License-Identifier: ISC */
/* secret new, secret rotate: secrets made and renewed. The work is secretfile.h's. */
#ifndef HOOKSPOOL_VERB_SECRET_H
#define HOOKSPOOL_VERB_SECRET_H

#include "cli.h"

extern const struct verb verb_secret_new;
extern const struct verb verb_secret_rotate;

#endif
