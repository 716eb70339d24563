/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { LINKS = 40 /* as the kernel has it */ };

/* ---- users */

const char *identity_user(uid_t uid, char name[IDENTITY_NAME])
{
    const struct passwd *entry = getpwuid(uid);

    if (entry != NULL && strlen(entry->pw_name) < IDENTITY_NAME)
        snprintf(name, IDENTITY_NAME, "%s", entry->pw_name);
    else
        snprintf(name, IDENTITY_NAME, "%lu", (unsigned long)uid);
    return name;
}

const char *identity_group(gid_t gid, char name[IDENTITY_NAME])
{
    const struct group *entry = getgrgid(gid);

    if (entry != NULL && strlen(entry->gr_name) < IDENTITY_NAME)
        snprintf(name, IDENTITY_NAME, "%s", entry->gr_name);
    else
        snprintf(name, IDENTITY_NAME, "%lu", (unsigned long)gid);
    return name;
}

static void take_entry(struct identity *who, const struct passwd *entry)
{
    who->uid = entry->pw_uid;
    who->gid = entry->pw_gid;
    who->group_count = IDENTITY_GROUPS;
    if (getgrouplist(entry->pw_name, entry->pw_gid, who->groups, &who->group_count) < 0)
        who->group_count = IDENTITY_GROUPS; /* more than that: the first of them */
}

int identity_by_name(struct identity *who, const char *name)
{
    char *end;

    memset(who, 0, sizeof(*who));
    const struct passwd *entry = getpwnam(name);
    if (entry != NULL) {
        snprintf(who->name, sizeof(who->name), "%s", name);
        take_entry(who, entry);
        return 0;
    }
    errno = 0;
    const unsigned long uid = strtoul(name, &end, 10);
    if (name[0] < '0' || name[0] > '9' || *end != '\0' || errno != 0 || uid >= (uid_t)-1) {
        errno = ENOENT;
        return -1;
    }
    identity_by_uid(who, (uid_t)uid);
    return 0;
}

void identity_by_uid(struct identity *who, uid_t uid)
{
    memset(who, 0, sizeof(*who));
    who->uid = uid;
    who->gid = (gid_t)-1;
    const struct passwd *entry = getpwuid(uid);
    if (entry != NULL)
        take_entry(who, entry);
    (void)identity_user(uid, who->name);
}

void identity_join(struct identity *who, gid_t group)
{
    if (who->group_count < IDENTITY_GROUPS)
        who->groups[who->group_count++] = group;
}

/* ---- modes */

static bool in_group(const struct identity *who, gid_t group)
{
    for (int i = 0; i < who->group_count; i++) {
        if (who->groups[i] == group)
            return true;
    }
    return who->gid == group;
}

bool identity_may(const struct identity *who, const struct stat *st, int how)
{
    unsigned bits = (unsigned)st->st_mode & 7;

    if (who->uid == 0) /* may do anything but run what nobody may run */
        return (how & X_OK) == 0 || S_ISDIR(st->st_mode) || (st->st_mode & 0111) != 0;
    if (who->uid == st->st_uid)
        bits = (unsigned)st->st_mode >> 6 & 7;
    else if (in_group(who, st->st_gid))
        bits = (unsigned)st->st_mode >> 3 & 7;
    return ((unsigned)how & ~bits) == 0;
}

/* ---- paths */

struct way {
    char done[PATH_MAX]; /* where we are, without links; "" is / */
    char text[PATH_MAX];
    const char *rest;    /* what of it is still to be gone */
    int links;
};

/* The first word of the rest, without its slashes; its length, 0 at the end. */
static size_t next_word(struct way *way, char word[NAME_MAX + 1])
{
    const char *start = way->rest + strspn(way->rest, "/");
    const size_t len = strcspn(start, "/");

    if (len > NAME_MAX)
        return len;
    memcpy(word, start, len);
    word[len] = '\0';
    way->rest = start + len;
    return len;
}

/* Where a symbolic link points to becomes the way. */
static int follow(struct way *way, const char *link)
{
    char target[PATH_MAX], whole[PATH_MAX];
    const ssize_t len = readlink(link, target, sizeof(target) - 1);

    if (len < 0)
        return -1;
    target[len] = '\0';
    if (++way->links > LINKS) {
        errno = ELOOP;
        return -1;
    }
    if (snprintf(whole, sizeof(whole), "%s/%s", target, way->rest) >= (int)sizeof(whole)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(way->text, whole, sizeof(whole));
    way->rest = way->text;
    if (target[0] == '/')
        way->done[0] = '\0';
    return 0;
}

/* One word further. walk->path names what is looked at. */
static int step(struct way *way, const char *word, struct identity_walk *walk)
{
    if (strcmp(word, ".") == 0)
        return 0;
    if (strcmp(word, "..") == 0) {
        char *slash = strrchr(way->done, '/');
        if (slash != NULL)
            *slash = '\0';
        return 0;
    }
    if (snprintf(walk->path, sizeof(walk->path), "%s/%s", way->done, word)
        >= (int)sizeof(walk->path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (lstat(walk->path, &walk->st) < 0)
        return -1;
    if (S_ISLNK(walk->st.st_mode))
        return follow(way, walk->path);
    memcpy(way->done, walk->path, sizeof(way->done));
    return 0;
}

static bool has_acl(const char *path)
{
    return getxattr(path, "system.posix_acl_access", NULL, 0) > 0;
}

/* May it use what is there? *walk tells of it. */
static int look(const struct identity *who, const char *path, int how, struct identity_walk *walk)
{
    snprintf(walk->path, sizeof(walk->path), "%s", path[0] == '\0' ? "/" : path);
    if (lstat(walk->path, &walk->st) < 0)
        return -1;
    if (identity_may(who, &walk->st, how))
        return 1;
    walk->acl = has_acl(walk->path);
    return 0;
}

int identity_walk(const struct identity *who, const char *path, int how,
                  struct identity_walk *walk)
{
    struct way way = {.links = 0};
    char word[NAME_MAX + 1];

    memset(walk, 0, sizeof(*walk));
    if (snprintf(way.text, sizeof(way.text), "%s", path) >= (int)sizeof(way.text)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    way.rest = way.text;
    for (size_t len; (len = next_word(&way, word)) > 0;) {
        walk->directory = true;
        const int found = look(who, way.done, X_OK, walk);
        if (found <= 0)
            return found;
        if (len > NAME_MAX) {
            errno = ENAMETOOLONG;
            return -1;
        }
        if (step(&way, word, walk) < 0)
            return -1;
    }
    walk->directory = false;
    return look(who, way.done, how, walk);
}
