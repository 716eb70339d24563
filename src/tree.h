/* SPDX-License-Identifier: ISC */
/*
 * tree: the files of a spool, looked at for owners, modes and symbolic links.
 *
 * The entries of ids are not looked at, for there may be millions: they are
 * links to files in locks/days, which are. Follows no link. One thread.
 *
 * A directory consumers/NAME may be another user's, who drains that consumer:
 * what is in it belongs to that one then, and the spool's user reads it. Root's
 * is not such a one.
 */
#ifndef HOOKSPOOL_TREE_H
#define HOOKSPOOL_TREE_H

#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "identity.h"

struct tree_fault {
    size_t count;
    char path[PATH_MAX]; /* of the first */
    struct stat st;      /* likewise */
};

struct tree {
    const struct identity *user;
    size_t looked;
    struct tree_fault foreign; /* not the user's, nor that one's whose directory it is */
    uid_t owner;               /* whose the first of them should be */
    struct tree_fault hidden;  /* that one's, and the user cannot read it */
    size_t lent;               /* directories of other users */
    struct tree_fault open;    /* others may write to it */
    struct tree_fault links;
    struct tree_fault unseen;
    int error; /* why the first of those could not be seen */
};

/* The user is borrowed. */
void tree_look(struct tree *tree, const char *spool, const struct identity *user);

#endif
