/* SPDX-License-Identifier: ISC */
/*
 * secretfile: the secret file as the operator's program handles it: loaded for
 * a verb, created, and rewritten with a new secret before the old ones.
 * What it may hold is secret.h's; hookspoold only ever reads it.
 *
 * A rewritten file is the old one or the new one, never a part: written beside
 * it as .NAME.new with the old one's owner, group and mode, synced, read by
 * secrets_load() as hookspoold will read it, renamed, the directory synced. A
 * new file gets its name last in the same way. A symbolic link is followed and
 * stays. ACLs are not carried over. Whoever writes in one directory excludes
 * the others; what one left who was killed, the next removes. The text is
 * rotation.h's.
 *
 * Functions return one of sysexits.h, after a message unless it is EX_OK. No
 * message holds a secret; memory that held one is wiped. One thread.
 */
#ifndef HOOKSPOOL_SECRETFILE_H
#define HOOKSPOOL_SECRETFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "rotation.h"
#include "secret.h"

/* secrets_load() with a status: EX_NOINPUT, EX_NOPERM, or EX_CONFIG for what is in the file. */
int secretfile_load(struct secrets *secrets, const char *path);

#define SECRETFILE_NO_GROUP ((gid_t)-1)

/*
 * A new file with this secret; one that is there is left alone (EX_CANTCREAT). For a group its
 * mode is 0640, else 0600; root makes it for the group that the directory has. *mode tells.
 */
int secretfile_create(const char *path, const struct signature_key *key, gid_t group,
                      unsigned *mode);

/* With dry_run, rotation tells what would be done. */
int secretfile_rotate(const char *path, struct rotation *rotation, bool dry_run);

#endif
