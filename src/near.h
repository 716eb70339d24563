/* SPDX-License-Identifier: ISC */
/*
 * near: how far a mistyped word is from the one that was meant. Pure.
 */
#ifndef HOOKSPOOL_NEAR_H
#define HOOKSPOOL_NEAR_H

enum { NEAR_FAR = 99 };

/* Levenshtein's distance: letters to change, drop or add; NEAR_FAR for long words. */
unsigned near_distance(const char *from, const char *to);

#endif
