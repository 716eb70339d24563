/* SPDX-License-Identifier: ISC */
/*
 * tree: the files of a spool, looked at for owners, modes and symbolic links.
 *
 * The entries of ids are not looked at, for there may be millions: they are
 * links to files in locks/days, which are. Follows no link. One thread.
 */
#ifndef HOOKSPOOL_TREE_H
#define HOOKSPOOL_TREE_H

#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

struct tree_fault {
    size_t count;
    char path[PATH_MAX]; /* of the first */
    struct stat st;      /* likewise */
};

struct tree {
    uid_t user;
    size_t looked;
    struct tree_fault foreign; /* not the user's */
    struct tree_fault open;    /* others may write to it */
    struct tree_fault links;
    struct tree_fault unseen;
    int error; /* why the first of those could not be seen */
};

void tree_look(struct tree *tree, const char *spool, uid_t user);

#endif
