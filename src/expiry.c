/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "expiry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dayfile.h"
#include "delivery.h"
#include "durable.h"
#include "io.h"
#include "log.h"
#include "record.h"
#include "settle.h"

enum {
    SHARDS = 256,
    TAIL = 16 * 1024 * 1024 /* so much may be unsettled before a search settles it first */
};

struct inode {
    ino_t number;
    int64_t day;
};

/* One run; and what it knows of the names at hand. */
struct pass {
    struct expiry *expiry;
    struct throttle *throttle;
    struct inode *days; /* ascending by number */
    size_t count, room;
    bool deceived; /* directories tell other inode numbers than files do: each file is asked */
    int claims;    /* of a dry run */
    unsigned shard; /* the directory at hand */
};

static int fail(const struct pass *pass, const char *operation, const char *name)
{
    const int saved = errno;

    log_error("cannot %s '%s/%s': %s", operation, pass->expiry->path, name, strerror(saved));
    errno = saved;
    return -1;
}

int64_t expiry_last(int64_t now, int64_t window)
{
    return now < window ? -1 : dayfile_day(now - window) - 1;
}

/* ---- directories */

typedef int visit_name(struct pass *pass, int dir, const char *name, ino_t inode);

/* Visits the names of a directory of locks/, all but "." and "..". */
static int read_names(struct pass *pass, const char *directory, visit_name *visit)
{
    struct dirent *entry;
    int result = 0;

    const int fd = io_openat(pass->expiry->dir, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (stream == NULL) {
        (void)fail(pass, "read directory", directory);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    while (result == 0 && (errno = 0, entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = visit(pass, dirfd(stream), entry->d_name, entry->d_ino);
    }
    if (result == 0 && errno != 0)
        result = fail(pass, "read directory", directory);
    const int saved = errno;
    closedir(stream);
    errno = saved;
    return result;
}

/* ---- day files */

static int compare(const void *a, const void *b)
{
    const struct inode *x = a, *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

static int add_day(struct pass *pass, int dir, const char *name, ino_t number)
{
    struct stat st;
    int64_t day;

    if (!dayfile_parse(name, &day))
        return 0;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : fail(pass, "stat", name);
    pass->deceived |= st.st_ino != number;
    if (pass->count == pass->room) {
        const size_t room = pass->room == 0 ? 64 : pass->room * 2;
        struct inode *grown = reallocarray(pass->days, room, sizeof(*grown));
        if (grown == NULL)
            return fail(pass, "read directory", "days");
        pass->days = grown;
        pass->room = room;
    }
    pass->days[pass->count++] = (struct inode){st.st_ino, day};
    return 0;
}

/* Removes a day file that is old and has no entry left. */
static int remove_day(struct pass *pass, int dir, const char *name, ino_t number)
{
    struct stat st;
    int64_t day;

    (void)number;
    if (!dayfile_parse(name, &day) || day > pass->expiry->last)
        return 0;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : fail(pass, "stat", name);
    if (pass->expiry->store != NULL) {
        if (st.st_nlink > 1)
            return 0;
        if (io_unlinkat(dir, name) < 0)
            return fail(pass, "remove", name);
    }
    pass->expiry->days++;
    return 0;
}

/* ---- entries */

/* Is this inode of a day that has passed? 1, 0, -1. */
static int is_old(const struct pass *pass, int dir, const char *name, ino_t number)
{
    const struct inode wanted = {.number = number};
    struct stat st;

    const struct inode *found =
        pass->count == 0 ? NULL
                         : bsearch(&wanted, pass->days, pass->count, sizeof(wanted), compare);
    if (found != NULL)
        return found->day <= pass->expiry->last;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : fail(pass, "stat", name);
    return dayfile_day((int64_t)st.st_mtime) <= pass->expiry->last;
}

/* Under the claim of its id: goes, if it is still what was seen. */
static int remove_claimed(struct pass *pass, int dir, const char *name, ino_t number)
{
    struct stat st;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : fail(pass, "stat", name);
    if (st.st_ino != number)
        return 0;
    if (io_unlinkat(dir, name) < 0)
        return fail(pass, "remove", name);
    pass->expiry->ids++;
    return 0;
}

/* Takes the claim if it is free: 1; 0: it is not, which is counted; -1. */
static int claim(struct pass *pass, const char *id, struct lockdir_claim *claim)
{
    if (lockdir_claim(store_locks(pass->expiry->store), id, 0, claim) == 0)
        return 1;
    if (errno != EAGAIN)
        return -1;
    pass->expiry->busy++;
    return 0;
}

static int visit_entry(struct pass *pass, int dir, const char *name, ino_t number)
{
    struct expiry *expiry = pass->expiry;
    const char *id = name + (name[0] == '.');
    struct lockdir_claim held;

    const int old = is_old(pass, dir, name, number);
    if (old <= 0)
        return old;
    if (expiry->store == NULL) {
        expiry->ids++;
        return 0;
    }
    int result = claim(pass, id, &held);
    if (result > 0) {
        result = remove_claimed(pass, dir, name, number);
        lockdir_release(store_locks(expiry->store), &held);
    }
    return result;
}

/* ---- pending names */

/* A search of the tail takes as long as that is: others may have stored a lot meanwhile. */
static int shorten_tail(struct store *store)
{
    if (eventlog_synced(store_log(store)) - lockdir_settled(store_locks(store)) < TAIL)
        return 0;
    return store_settle_all(store, 0) < 0 && errno != EAGAIN ? -1 : 0;
}

static int conclude(struct pass *pass, const char *id)
{
    struct store *store = pass->expiry->store;
    struct lockdir_claim held;

    if (shorten_tail(store) < 0)
        return -1;
    int result = claim(pass, id, &held);
    if (result <= 0)
        return result;
    const int pending = lockdir_pending(store_locks(store), id);
    result = pending <= 0 ? pending : settle_conclude(store_log(store), store_locks(store), id);
    lockdir_release(store_locks(store), &held);
    if (pending > 0 && result >= 0) {
        pass->expiry->recovered += result > 0;
        pass->expiry->pending += result == 0;
    }
    return result < 0 ? -1 : 0;
}

static int visit_pending(struct pass *pass, const char *id)
{
    if (pass->expiry->store != NULL)
        return conclude(pass, id);
    const int held = lockdir_claimed(pass->claims, id);
    if (held < 0)
        return fail(pass, "look at", "claims");
    pass->expiry->pending += held == 0;
    pass->expiry->busy += held > 0;
    return 0;
}

static int visit(struct pass *pass, int dir, const char *name, ino_t number)
{
    const bool dotted = name[0] == '.';
    const char *id = name + dotted;
    const size_t len = strlen(id);
    struct stat st;
    int result = 0;

    if (delivery_is_id(id, len)) { /* else it is not ours */
        if (pass->deceived && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            number = st.st_ino;
        /* In another directory than that of its id nobody looks a pending name up. */
        if (dotted && (record_id_hash(id, len) & 0xff) == pass->shard)
            result = visit_pending(pass, id);
        else
            result = visit_entry(pass, dir, name, number);
    }
    throttle_step(pass->throttle);
    return result;
}

/* ---- the run */

static int run(struct pass *pass)
{
    if (read_names(pass, "days", add_day) < 0)
        return -1;
    if (pass->count > 1)
        qsort(pass->days, pass->count, sizeof(*pass->days), compare);
    if (pass->expiry->store == NULL) {
        pass->claims = io_openat(pass->expiry->dir, "claims", O_RDONLY | O_NOFOLLOW, 0);
        if (pass->claims < 0)
            return fail(pass, "open", "claims");
    }
    for (pass->shard = 0; pass->shard < SHARDS; pass->shard++) {
        char name[8];
        snprintf(name, sizeof(name), "%02x", pass->shard);
        if (read_names(pass, name, visit) < 0)
            return -1;
    }
    return read_names(pass, "days", remove_day);
}

int expiry_run(struct expiry *expiry, struct throttle *throttle)
{
    struct pass pass = {.expiry = expiry, .throttle = throttle, .claims = -1};

    const int result = run(&pass);
    const int saved = errno;
    if (pass.claims >= 0)
        close(pass.claims);
    free(pass.days);
    errno = saved;
    return result;
}

/* ---- the marker */

#define MARKER "expired"

int expiry_marker(int dir, const char *path, int64_t *day)
{
    char text[DAYFILE_DATE + 1] = "";

    const int fd = io_openat(dir, MARKER, O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0 && errno == ENOENT)
        return 0;
    const ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    const int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    if (got < 0) {
        log_error("cannot read '%s/" MARKER "': %s", path, strerror(errno));
        errno = saved;
        return -1;
    }
    if (got == DAYFILE_DATE && text[DAYFILE_DATE - 1] == '\n') {
        text[DAYFILE_DATE - 1] = '\0';
        if (dayfile_parse(text, day))
            return 1;
    }
    errno = EUCLEAN;
    return -1;
}

int expiry_mark(int dir, const char *path, int64_t day)
{
    char text[DAYFILE_DATE];
    struct iovec part = {.iov_base = text, .iov_len = DAYFILE_DATE};
    int64_t before;

    const int known = expiry_marker(dir, path, &before);
    if (known < 0 && errno != EUCLEAN)
        return -1;
    if (day < 0 || (known > 0 && before >= day))
        return 0;
    dayfile_date(text, day);
    text[DAYFILE_DATE - 1] = '\n';
    return durable_replace(dir, path, MARKER, &part, 1);
}
