/* SPDX-License-Identifier: ISC */
/* send: signed test events through the real URL, and whether they were answered as they must be. */
#ifndef HOOKSPOOL_VERB_SEND_H
#define HOOKSPOOL_VERB_SEND_H

#include "cli.h"

extern const struct verb verb_send;

#endif
