/* SPDX-License-Identifier: ISC */
/* verb_fsck: hookspool fsck; see its help. */
#ifndef HOOKSPOOL_VERB_FSCK_H
#define HOOKSPOOL_VERB_FSCK_H

#include "cli.h"

extern const struct verb verb_fsck;

#endif
