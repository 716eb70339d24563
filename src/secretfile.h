/* SPDX-License-Identifier: ISC */
/*
 * secretfile: the secret file as the operator's program handles it: loaded for
 * a verb, created, and rewritten with a new secret before the old ones.
 * What it may hold is secret.h's; hookspoold only ever reads it.
 *
 * A rewritten file is the old one or the new one, never a part: written beside
 * it under NAME.new with the old one's owner, group and mode, synced, read by
 * secrets_load() as hookspoold will read it, renamed, the directory synced. A
 * symbolic link is followed and stays. ACLs are not carried over. Rotations in
 * one directory exclude each other. The text is rotation.h's.
 *
 * Functions return one of sysexits.h, after a message unless it is EX_OK. No
 * message holds a secret; memory that held one is wiped. One thread.
 */
#ifndef HOOKSPOOL_SECRETFILE_H
#define HOOKSPOOL_SECRETFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "rotation.h"
#include "secret.h"

/* A new key of so many bytes, from getrandom(2). */
int secretfile_generate(struct signature_key *key, size_t bytes);

/* The one secret in a file, or on standard input ("-"), as a sender shows it. */
int secretfile_read_key(struct signature_key *key, const char *path);

/* secrets_load() with a status: EX_NOINPUT, EX_NOPERM, or EX_CONFIG for what is in the file. */
int secretfile_load(struct secrets *secrets, const char *path);

/*
 * A new file with this secret; one that is there is left alone (EX_CANTCREAT). Its mode is 0600;
 * if root makes it in a directory of another group, 0640 and that group. *mode tells.
 */
int secretfile_create(const char *path, const struct signature_key *key, unsigned *mode);

/* With dry_run, rotation tells what would be done. */
int secretfile_rotate(const char *path, struct rotation *rotation, bool dry_run);

#endif
