/* SPDX-License-Identifier: ISC */
/*
 * verb_cat: hookspool cat: the committed events of a log, byte for byte.
 */
#ifndef HOOKSPOOL_VERB_CAT_H
#define HOOKSPOOL_VERB_CAT_H

#include "cli.h"

extern const struct verb verb_cat;

#endif
