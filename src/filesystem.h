/* SPDX-License-Identifier: ISC */
/*
 * filesystem: on what kind of file system a path lies, and whether a spool may.
 *
 * A spool rests on fdatasync(2) that is believed, flock(2) and F_OFD_SETLK that
 * hold between processes, rename and hard links. Network file systems break one
 * or the other when a server or a wire fails, which is when they are needed;
 * they are refused by name. What is in memory forgets.
 *
 * The table and the judgement of mount options are pure. filesystem_find()
 * reads one /proc/self/mountinfo. Errors: -1 with errno, not logged.
 */
#ifndef HOOKSPOOL_FILESYSTEM_H
#define HOOKSPOOL_FILESYSTEM_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum filesystem_verdict {
    FILESYSTEM_GOOD,
    FILESYSTEM_DOUBTFUL, /* may do; the reason says what to think of */
    FILESYSTEM_REFUSED,
    FILESYSTEM_UNKNOWN
};

struct filesystem_kind {
    const char *name;
    enum filesystem_verdict verdict;
    const char *reason; /* NULL: none is needed */
};

/*
 * By the type that mountinfo has ("ext4", "fuse.sshfs"; NULL: not known) and the magic number of
 * statfs(2); a number that is refused counts whatever the type. Never NULL.
 */
const struct filesystem_kind *filesystem_kind(const char *type, uint64_t magic);

struct filesystem_mount {
    char point[PATH_MAX], type[64], source[256];
    char options[1024]; /* of the mount and of the file system, parted by a comma */
};

/* The mount that holds an absolute path without symbolic links: 1; 0: none; -1. */
int filesystem_find(FILE *mountinfo, const char *path, struct filesystem_mount *mount);

/* What is wrong with the options, worst first; *reason says why. */
enum filesystem_verdict filesystem_options(const char *options, const char **option,
                                           const char **reason);

#endif
