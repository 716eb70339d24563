/* SPDX-License-Identifier: ISC */
/*
 * aside: moves damaged bytes of a segment aside: to log/POSITION.damaged,
 * durable before blanks and a newline take their place, so that the file stays
 * NDJSON and every position after them stays what it was.
 *
 * Crash: where the file is there already, whoever made it died while he
 * blanked. Errors: -1 with errno, logged here; path is the log's.
 */
#ifndef HOOKSPOOL_ASIDE_H
#define HOOKSPOOL_ASIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ASIDE_NAME = 20 + sizeof(".damaged") };

void aside_name(char name[ASIDE_NAME], uint64_t position);

/* Keeps the bytes, durably, unless the file is there. None: bytes that were lost, from here on. */
int aside_keep(int dir, const char *path, uint64_t position, const char *bytes, size_t len);

/* Blanks len bytes at this position of the segment that begins at start; to be synced. */
int aside_blank(int fd, const char *path, uint64_t start, uint64_t position, size_t len);

#endif
