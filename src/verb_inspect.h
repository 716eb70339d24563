/* SPDX-License-Identifier: ISC */
/*
 * verb_inspect: hookspool inspect: the requests that hookspoold has kept, and
 * what was wrong with them. ring.h keeps them, exhibit.h shows them, release.h
 * stores those that hold after all.
 */
#ifndef HOOKSPOOL_VERB_INSPECT_H
#define HOOKSPOOL_VERB_INSPECT_H

#include "cli.h"

extern const struct verb verb_inspect;

#endif
