/* SPDX-License-Identifier: ISC */
/*
 * verb_replay: hookspool replay: asks that a consumer be offered events that
 * it has passed once more (replay.h); its next drain does it.
 */
#ifndef HOOKSPOOL_VERB_REPLAY_H
#define HOOKSPOOL_VERB_REPLAY_H

#include "cli.h"

extern const struct verb verb_replay;

#endif
