/* SPDX-License-Identifier: ISC */
/*
 * pretty: bodies as people read them: JSON with a line for each member, other
 * text as it is, both cleaned (out.h).
 *
 * Without a tree, so that a body of any size takes no memory. One thread.
 */
#ifndef HOOKSPOOL_PRETTY_H
#define HOOKSPOOL_PRETTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Strict JSON, with `margin` blanks before each line. */
void pretty_json(FILE *out, const char *text, size_t len, int margin);

/* Is it all text: UTF-8, without control bytes but line ends and tabs? */
bool pretty_is_text(const char *text, size_t len);
void pretty_text(FILE *out, const char *text, size_t len, int margin);

#endif
