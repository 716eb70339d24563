/* SPDX-License-Identifier: ISC */
/*
 * when: times and durations as people write and read them. UTC throughout.
 *
 * Pure: the clock is an argument; any thread. Times are Unix seconds.
 */
#ifndef HOOKSPOOL_WHEN_H
#define HOOKSPOOL_WHEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WHEN_SIZE = sizeof("2026-11-23T09:33:01.123456Z"), WHEN_AGE_SIZE = 24 };

/*
 * "2026-11-23T09:33:00Z" (the Z, the seconds or the fraction may be missing), "2026-11-23",
 * "@1790000000", "now", "today", "yesterday", or how long ago: "90s", "15m", "2h", "3d".
 */
bool when_parse(const char *text, int64_t now, int64_t *seconds);

/* Exactly 2026-11-23T09:33:00Z, perhaps with six digits of a fraction, as records have it. */
bool when_parse_stamp(const char *text, size_t len, int64_t *seconds, long *nanoseconds);

/* 2026-11-23T09:33:00Z; with micros 2026-11-23T09:33:01.123456Z. Returns the length. */
size_t when_stamp(char out[WHEN_SIZE], int64_t seconds);
size_t when_stamp_micros(char out[WHEN_SIZE], int64_t seconds, long nanoseconds);

/* "45s", "12m", "3h12m", "2d4h": two units at most. Negative ones get a minus sign. */
const char *when_age(char out[WHEN_AGE_SIZE], int64_t seconds);

#endif
