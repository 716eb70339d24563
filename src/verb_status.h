/* SPDX-License-Identifier: ISC */
/*
 * verb_status: hookspool status: what waits in the spools, for whom, and since when.
 */
#ifndef HOOKSPOOL_VERB_STATUS_H
#define HOOKSPOOL_VERB_STATUS_H

#include "cli.h"

extern const struct verb verb_status;

#endif
