/* SPDX-License-Identifier: ISC */
/*
 * spool: one spool as those see it who read it: its directories, and where its
 * log begins and ends. Opening it takes no lock and writes nothing.
 *
 * The end is the position up to which everything is on stable storage and
 * stays: `synced` of the shared state (logstate.h), read under the appenders'
 * flock. After a boot, before any responder has opened the spool, there is no
 * such state; what is on disk then has survived, and the end is that of the
 * last line that proves itself.
 *
 * One thread. Errors: -1 with errno, logged here.
 */
#ifndef HOOKSPOOL_SPOOL_H
#define HOOKSPOOL_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"

struct spool {
    const struct config_spool *config; /* borrowed */
    char *path, *log_path;
    int dir, log_dir;
};

#define SPOOL_CLOSED ((struct spool){.dir = -1, .log_dir = -1})

/* Has the spool been made? hookspoold does it when it starts. */
bool spool_exists(const struct config *config, const struct config_spool *which);

/* ENOENT, logged: nobody has stored an event yet. */
int spool_open(struct spool *spool, const struct config *config,
               const struct config_spool *which);
void spool_close(struct spool *spool);

/* The start of the first segment; UINT64_MAX when there is none. */
int spool_begin(struct spool *spool, uint64_t *begin);
int spool_end(struct spool *spool, uint64_t *end);

#endif
