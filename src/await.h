/* SPDX-License-Identifier: ISC */
/*
 * await: waits until a spool has been made, by inotify(7): first for its
 * parent, then for it, then for its log.
 *
 * One thread. Errors: -1 with errno, logged here.
 */
#ifndef HOOKSPOOL_AWAIT_H
#define HOOKSPOOL_AWAIT_H

#include "config.h"

/* Returns when its log can be opened, which may be at once. */
int await_spool(const struct config *config, const struct config_spool *spool);

#endif
