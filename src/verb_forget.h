/* SPDX-License-Identifier: ISC */
/* verb_forget: hookspool forget; see its help. */
#ifndef HOOKSPOOL_VERB_FORGET_H
#define HOOKSPOOL_VERB_FORGET_H

#include "cli.h"

extern const struct verb verb_forget;

#endif
