/* SPDX-License-Identifier: ISC */
/*
 * identity: a user with its groups, and what file modes allow it: may it come
 * to a path, through every directory and symbolic link on the way, and use what
 * is there? Answered without becoming that user, so that anybody may ask for
 * anybody.
 *
 * By modes alone: access control lists, capabilities and security modules are
 * not looked into; walk.acl tells that there is a list where the answer fell.
 *
 * One thread (getpwnam()). Errors: -1 with errno, not logged.
 */
#ifndef HOOKSPOOL_IDENTITY_H
#define HOOKSPOOL_IDENTITY_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { IDENTITY_GROUPS = 256, IDENTITY_NAME = 64 };

struct identity {
    char name[IDENTITY_NAME]; /* a number when the user has none */
    uid_t uid;
    gid_t gid;
    gid_t groups[IDENTITY_GROUPS];
    int group_count;
};

/* ENOENT: there is no such user. A name of digits may be a uid. */
int identity_by_name(struct identity *who, const char *name);
/* Any uid will do; what has no entry has no groups. */
void identity_by_uid(struct identity *who, uid_t uid);

/* In addition to those it has; what does not fit is left out. */
void identity_join(struct identity *who, gid_t group);

/* R_OK, W_OK and X_OK together, as access(2) has them. */
bool identity_may(const struct identity *who, const struct stat *st, int how);

struct identity_walk {
    char path[PATH_MAX]; /* what is not allowed, or where we could not look */
    struct stat st;      /* of it */
    bool directory;      /* on the way: it is the x bit that is missing */
    bool acl;
};

/* 1; 0: no, and *walk tells where it ends; -1: cannot look at walk->path. The path is absolute. */
int identity_walk(const struct identity *who, const char *path, int how,
                  struct identity_walk *walk);

/* "root", or the number of who has no name. */
const char *identity_user(uid_t uid, char name[IDENTITY_NAME]);
const char *identity_group(gid_t gid, char name[IDENTITY_NAME]);

#endif
