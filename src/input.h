/* SPDX-License-Identifier: ISC */
/*
 * input: a file that was named on the command line, or standard input, read
 * whole and within a bound. "-" and NULL mean standard input.
 *
 * Pipes and terminals are fine. The bytes end with a NUL that is not counted;
 * the caller frees them, and wipes them first where they are a secret.
 */
#ifndef HOOKSPOOL_INPUT_H
#define HOOKSPOOL_INPUT_H

#include <stddef.h>

enum { INPUT_MAX = 256 * 1024 * 1024 };

/*
 * EX_OK, or after a message: EX_NOINPUT (no such file), EX_NOPERM, EX_DATAERR (more than max
 * bytes), EX_IOERR, EX_OSERR (no memory). Then *bytes is NULL.
 */
int input_read(const char *path, size_t max, char **bytes, size_t *len);

#endif
