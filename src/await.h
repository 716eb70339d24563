/* SPDX-License-Identifier: ISC */
/*
 * await: waits until hookspoold has made a spool, by inotify(7): for who stays
 * and was started first. SIGTERM and others end the process meanwhile.
 * Errors: -1 with errno, logged here.
 */
#ifndef HOOKSPOOL_AWAIT_H
#define HOOKSPOOL_AWAIT_H

#include "config.h"

int await_spool(const struct config *config, const struct config_spool *which);

#endif
