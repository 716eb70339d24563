/* SPDX-License-Identifier: ISC */
/*
 * forgotten: which ids a spool was told to forget: the journal locks/forgotten.
 *
 *   {"forgotten":ID,"before":POSITION,"time":…,"xxh3":"<16 hex digits>"}\n
 *
 * From then on the lines of ID before POSITION in the log count for nothing:
 * no entry is made of them, and no dead writer is found in them. Who makes
 * entries out of the log, or looks there for a pending id, asks here first,
 * under the claim of the id.
 *
 * A line is durable before the entry of its id is removed (forget.h), so that
 * no crash brings the entry back. It is of no use any more when the log begins
 * at POSITION or later, and is dropped then.
 *
 * Changes exclude each other by an flock(2) of locks/claims. Reading needs no
 * lock. Memory: 16 bytes a line. One thread. Errors: -1 with errno, logged.
 */
#ifndef HOOKSPOOL_FORGOTTEN_H
#define HOOKSPOOL_FORGOTTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct forgotten;

/* dir is locks/, path its name; both are borrowed. With `write` the file is made if needed. */
struct forgotten *forgotten_open(int dir, const char *path, bool write);
void forgotten_close(struct forgotten *forgotten);

/* Takes in what others have written since. */
int forgotten_refresh(struct forgotten *forgotten);

/* Lines of this id before this position count for nothing; 0: all count. */
uint64_t forgotten_before(const struct forgotten *forgotten, const char *id, size_t len);

size_t forgotten_count(const struct forgotten *forgotten);   /* lines that prove themselves */
size_t forgotten_damaged(const struct forgotten *forgotten); /* and that do not */

/* Durable when it returns 0. `now` in Unix seconds. */
int forgotten_add(struct forgotten *forgotten, const char *id, uint64_t before, int64_t now);

/* Drops the lines that are of no use to a log that begins at `begin`. */
int forgotten_trim(struct forgotten *forgotten, uint64_t begin);

#endif
