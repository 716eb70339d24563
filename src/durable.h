/* SPDX-License-Identifier: ISC */
/*
 * durable: small files that are replaced or grow, and survive a power cut.
 *
 * A replaced file is the old one or the new one, never a part: written under
 * NAME.new, synced, renamed, and its directory synced. What root creates
 * belongs to the owner of the directory it stands in, so that a job that was
 * once run as root does not lock out the one that runs every day; in another's
 * directory root opens no file that has a second name (EMLINK).
 *
 * Errors: -1 with errno, logged here ("path" is the directory's, for that).
 */
#ifndef HOOKSPOOL_DURABLE_H
#define HOOKSPOOL_DURABLE_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Gives what root has made there to whoever the directory belongs to. -1 is not logged. */
int durable_give_away(int dir, int fd);
/* Opens a file (O_NOFOLLOW and O_CLOEXEC are added), creating it with mode 0640 if flags say so. */
int durable_open(int dir, const char *path, const char *name, int flags);

/* Makes a directory of mode 0750, unless it is there, and opens it; its name is durable then. */
int durable_directory(int dir, const char *path, const char *name);

/* The parts become the file, whole and synced, directory included. The iovecs are consumed. */
int durable_replace(int dir, const char *path, const char *name, struct iovec *parts, int count);

/*
 * Opens NAME.new, empty, for a file too large for one call; durable_commit() syncs it, names it
 * NAME and syncs the directory. Both leave the descriptor open. durable_abandon() removes it again:
 * where the disk is full, it is in the way.
 */
int durable_begin(int dir, const char *path, const char *name);
int durable_commit(int dir, const char *path, const char *name, int fd);
void durable_abandon(int dir, const char *name);

#endif
