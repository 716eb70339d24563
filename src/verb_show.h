/* SPDX-License-Identifier: ISC */
/*
 * verb_show: hookspool show: all that is known of one event.
 */
#ifndef HOOKSPOOL_VERB_SHOW_H
#define HOOKSPOOL_VERB_SHOW_H

#include "cli.h"

extern const struct verb verb_show;

#endif
