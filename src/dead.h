/* SPDX-License-Identifier: ISC */
/*
 * dead: the events that a consumer has given up: dead.ndjson, a line each
 * (failure.h), in the order in which they died.
 *
 * Appended and synced; a torn last line is cut before the next append. To take
 * events out the file is written anew and renamed.
 *
 * Crash: an event goes from retry to dead, or back, by being written to the
 * new place first. If both hold it, it stands in retry: dead_drop() takes the
 * other copy away when a drain begins.
 *
 * Changes only between consumer_enter() and consumer_leave(). One thread.
 * Errors: -1 with errno, logged here.
 */
#ifndef HOOKSPOOL_DEAD_H
#define HOOKSPOOL_DEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"

/* Each is durable before the next. After -1 those before the one that failed are there. */
int dead_add(int dir, const char *path, const struct failure *failures, size_t count);

/* Every dead letter; return 0 to go on, a positive value to stop, which is returned. */
typedef int dead_visit(void *context, const struct failure *failure);
int dead_scan(int dir, const char *path, dead_visit *visit, void *context);

/* The positions of all dead letters, ascending; the caller frees. */
int dead_positions(int dir, const char *path, uint64_t **positions, size_t *count);

/* How many are there that `choose` says true of? */
typedef bool dead_choose(void *context, const struct failure *failure);
int dead_count(int dir, const char *path, dead_choose *choose, void *context, size_t *count);

/* Takes them out; *dropped is how many. Durable. */
int dead_drop(int dir, const char *path, dead_choose *choose, void *context, size_t *dropped);

#endif
