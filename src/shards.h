/* SPDX-License-Identifier: ISC */
/*
 * shards: the directories 00 to ff of a lock directory, for those who look at
 * it from outside (lockdir.h is for those who work in it). Any thread.
 */
#ifndef HOOKSPOOL_SHARDS_H
#define HOOKSPOOL_SHARDS_H

#include <stdbool.h>
#include <stddef.h>

enum { SHARDS_COUNT = 256, SHARDS_NAME = 3 + 1 + 256 };

/* Where an id belongs; and the name of its entry, "3f/msg_2Kx". */
unsigned shards_of(const char *id, size_t len);
void shards_entry(char name[SHARDS_NAME], const char *id, size_t len);

/* Is the directory there? */
bool shards_has(int locks, unsigned shard);

#endif
