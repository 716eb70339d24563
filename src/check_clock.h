/* SPDX-License-Identifier: ISC */
/*
 * check_clock: a signature holds for `tolerance` around the sender's clock: is
 * ours right? By what the kernel knows of its synchronisation, by the events
 * that came, and by what is on disk.
 */
#ifndef HOOKSPOOL_CHECK_CLOCK_H
#define HOOKSPOOL_CHECK_CLOCK_H

#include "check.h"

void check_clock(struct check *check);

#endif
