/* SPDX-License-Identifier: ISC */
/*
 * verb_list: hookspool list: the events of a spool, or those that failed, a row each.
 */
#ifndef HOOKSPOOL_VERB_LIST_H
#define HOOKSPOOL_VERB_LIST_H

#include "cli.h"

extern const struct verb verb_list;

#endif
