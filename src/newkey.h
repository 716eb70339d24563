/* SPDX-License-Identifier: ISC */
/*
 * newkey: a key that is new here: made, or shown by the sender, in a file, a
 * pipe or on a terminal. Never an argument.
 *
 * Functions return one of sysexits.h, after a message unless it is EX_OK. No
 * message holds a secret; memory that held one is wiped. One thread.
 */
#ifndef HOOKSPOOL_NEWKEY_H
#define HOOKSPOOL_NEWKEY_H

#include <stddef.h>

#include "signature.h"

/* A key of so many bytes, from getrandom(2). */
int newkey_generate(struct signature_key *key, size_t bytes);

/*
 * The one secret in a file, or on standard input ("-"); comments are passed over. A terminal does
 * not show it. A file that others can read is refused.
 */
int newkey_read(struct signature_key *key, const char *path);

#endif
