/* SPDX-License-Identifier: ISC */
/*
 * consumer: the directory consumers/NAME of a spool, and its two locks.
 *
 *   drain     its flock is held by the one drain of this consumer; it says whether
 *             the one before came to its end, in this boot
 *   lock      an empty file; its flock is held for a moment by whoever changes
 *             what stands beside it: a drain, `retry --dead`, `replay`
 *   cursor            how far it is (cursor.h)
 *   retry.ndjson      failed events that will be offered again (retry.h)
 *   dead.ndjson       events given up (dead.h)
 *   replay-N          a request to offer events once more (replay.h)
 *
 * A consumer that was taken out of the configuration keeps its directory.
 * One thread. Errors: -1 with errno, logged here.
 */
#ifndef HOOKSPOOL_CONSUMER_H
#define HOOKSPOOL_CONSUMER_H

#include <stdbool.h>
#include <stddef.h>

#include "spool.h"

struct consumer {
    const struct config_consumer *config; /* NULL: not in the configuration */
    char *name, *path;
    int dir;
    int drain_fd, lock_fd; /* -1: not open */
    bool clean;            /* the drain before this one, in this boot, came to its end */
};

#define CONSUMER_CLOSED ((struct consumer){.dir = -1, .drain_fd = -1, .lock_fd = -1})

/* Opens the directory; with `create`, makes it first. ENOENT, not logged: it never ran. */
int consumer_open(struct consumer *consumer, const struct spool *spool, const char *name,
                  const struct config_consumer *config, bool create);
void consumer_close(struct consumer *consumer);

/* The right to drain, until consumer_close(): 1; 0: another has it (and wait was not asked); -1. */
int consumer_drain(struct consumer *consumer, bool wait);
/* The drain has come to its end, and nothing is to be put right by the next one. */
void consumer_drain_ended(struct consumer *consumer);
/* Does somebody drain it now? 1, 0, -1. */
int consumer_drained(struct consumer *consumer);

/* The short lock around a change. */
int consumer_enter(struct consumer *consumer);
void consumer_leave(struct consumer *consumer);

/* Was it errno that we may not? Then it says who may. */
bool consumer_refused(const struct consumer *consumer);

/* The names below consumers/, sorted; the caller frees with consumer_names_free(). */
int consumer_names(const struct spool *spool, char ***names, size_t *count);
void consumer_names_free(char **names, size_t count);

#endif
