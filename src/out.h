/* SPDX-License-Identifier: ISC */
/*
 * out: what hookspool prints for people: cleaned text, colours, progress.
 *
 * What a sender or a client wrote is cleaned before a terminal sees it: bytes
 * that are no printable UTF-8 become '?'. Colours only on a terminal, unless
 * NO_COLOR is set (no-color.org). One thread.
 */
#ifndef HOOKSPOOL_OUT_H
#define HOOKSPOOL_OUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

void out_clean(FILE *out, const char *text, size_t len);

enum out_style { OUT_PLAIN, OUT_BOLD, OUT_GOOD, OUT_WARN, OUT_BAD, OUT_FAINT };

/* The escape sequence for a style, or "" where there are to be none. */
const char *out_style(FILE *out, enum out_style style);

/* 1536 as "1.5K", in out. */
enum { OUT_SIZE = 16 };
const char *out_bytes(char out[OUT_SIZE], uint64_t bytes);

/* 0, or -1 after a message: standard output could not be written (return EX_IOERR). */
int out_flush(void);

#endif
