/* SPDX-License-Identifier: ISC */
/* verb_purge: hookspool purge; see its help. */
#ifndef HOOKSPOOL_VERB_PURGE_H
#define HOOKSPOOL_VERB_PURGE_H

#include "cli.h"

extern const struct verb verb_purge;

#endif
