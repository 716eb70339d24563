/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONSUMERS "/consumers/"

enum { DEPTH = 8 /* more than any of ours is deep */ };

/* A directory that is gone through. */
struct place {
    const char *spool;
    uid_t owner; /* whose its files are */
    int depth;
};

static void note(struct tree_fault *fault, const char *path, const struct stat *st)
{
    if (fault->count++ > 0)
        return;
    snprintf(fault->path, sizeof(fault->path), "%s", path);
    fault->st = *st;
}

static void note_unseen(struct tree *tree, const char *path)
{
    static const struct stat none;

    if (tree->unseen.count == 0)
        tree->error = errno;
    note(&tree->unseen, path, &none);
}

/* owner: whose the files of its directory are. */
static void judge(struct tree *tree, const char *path, const struct stat *st, uid_t owner)
{
    const int how = S_ISDIR(st->st_mode) ? R_OK | X_OK : R_OK;

    tree->looked++;
    if (S_ISLNK(st->st_mode)) {
        note(&tree->links, path, st);
        return;
    }
    if (st->st_uid != owner && tree->foreign.count == 0)
        tree->owner = owner;
    if (st->st_uid != owner)
        note(&tree->foreign, path, st);
    else if (owner != tree->user->uid && !identity_may(tree->user, st, how))
        note(&tree->hidden, path, st);
    if ((st->st_mode & S_IWOTH) != 0)
        note(&tree->open, path, st);
}

/* locks/3f: entries of ids are in it. */
static bool is_shard(const char *path)
{
    const char *name = strrchr(path, '/');
    const size_t len = strlen(path);

    return name != NULL && strlen(name) == 3 && strspn(name + 1, "0123456789abcdef") == 2
        && len >= 9 && memcmp(name - 6, "/locks", 6) == 0;
}

/* consumers/NAME, and another user's. */
static bool is_lent(const struct tree *tree, const char *spool, const char *path,
                    const struct stat *st)
{
    const char *below = path + strlen(spool);
    const size_t len = strlen(CONSUMERS);

    return S_ISDIR(st->st_mode) && st->st_uid != 0 && st->st_uid != tree->user->uid
        && strncmp(below, CONSUMERS, len) == 0 && strchr(below + len, '/') == NULL;
}

static void look_into(struct tree *tree, int parent, const char *name, const char *path,
                      struct place place)
{
    const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    char below[PATH_MAX];
    struct stat st;

    if (stream == NULL) {
        note_unseen(tree, path);
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0
            || snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) >= (int)sizeof(below))
            continue;
        if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
            if (errno != ENOENT) /* else it has gone meanwhile */
                note_unseen(tree, below);
            continue;
        }
        const bool lent = is_lent(tree, place.spool, below, &st);
        const uid_t owner = lent ? st.st_uid : place.owner;
        tree->lent += lent;
        judge(tree, below, &st, owner);
        if (S_ISDIR(st.st_mode) && place.depth < DEPTH && !is_shard(below))
            look_into(tree, fd, entry->d_name, below,
                      (struct place){place.spool, owner, place.depth + 1});
    }
    closedir(stream);
}

void tree_look(struct tree *tree, const char *spool, const struct identity *user)
{
    struct stat st;

    memset(tree, 0, sizeof(*tree));
    tree->user = user;
    if (lstat(spool, &st) < 0) {
        note_unseen(tree, spool);
        return;
    }
    judge(tree, spool, &st, user->uid);
    if (!S_ISLNK(st.st_mode))
        look_into(tree, AT_FDCWD, spool, spool, (struct place){spool, user->uid, 0});
}
