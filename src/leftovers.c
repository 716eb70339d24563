/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "consumer.h"
#include "io.h"
#include "log.h"

enum { POSITION = 20 /* digits */, HOUR = 60 * 60 };

struct sweep {
    uint64_t begin;
    bool dry;
    uint64_t count;
    int dir; /* the directory at hand, and its path */
    const char *path;
};

static int fail(const struct sweep *sweep, const char *operation, const char *name)
{
    const int saved = errno;

    log_error("cannot %s '%s/%s': %s", operation, sweep->path, name, strerror(saved));
    errno = saved;
    return -1;
}

static int drop(struct sweep *sweep, const char *name)
{
    if (sweep->dry ? faccessat(sweep->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0
                   : io_unlinkat(sweep->dir, name) < 0)
        return errno == ENOENT ? 0 : fail(sweep, "remove", name);
    sweep->count++;
    return 0;
}

static bool ends_in(const char *name, const char *end)
{
    const size_t len = strlen(name), end_len = strlen(end);

    return len > end_len && strcmp(name + len - end_len, end) == 0;
}

/* Drops the names of the directory at hand that `choose` says true of. */
typedef bool choose_name(const struct sweep *sweep, const char *name);

static int drop_chosen(struct sweep *sweep, choose_name *choose)
{
    struct dirent *entry;
    int result = 0;

    const int fd = io_openat(sweep->dir, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (stream == NULL) {
        (void)fail(sweep, "read directory", ".");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    while (result == 0 && (errno = 0, entry = readdir(stream)) != NULL) {
        if (choose(sweep, entry->d_name))
            result = drop(sweep, entry->d_name);
    }
    if (result == 0 && errno != 0)
        result = fail(sweep, "read directory", ".");
    const int saved = errno;
    closedir(stream);
    errno = saved;
    return result;
}

/* ---- the log */

/* What stood beside a segment that is gone; NULL: this did not. */
static const char *kind_behind(const struct sweep *sweep, const char *name)
{
    return strspn(name, "0123456789") == POSITION && strtoull(name, NULL, 10) < sweep->begin
             ? name + POSITION
             : NULL;
}

static bool is_summary(const struct sweep *sweep, const char *name)
{
    const char *kind = kind_behind(sweep, name);

    return kind != NULL && strcmp(kind, ".summary") == 0;
}

static bool is_behind(const struct sweep *sweep, const char *name)
{
    const char *kind = kind_behind(sweep, name);

    return kind != NULL && (strcmp(kind, ".damaged") == 0 || strcmp(kind, ".summary.new") == 0);
}

static int sweep_log(struct sweep *sweep, const struct spool *spool)
{
    sweep->dir = spool->log_dir;
    sweep->path = spool->log_path;
    if (drop_chosen(sweep, is_summary) < 0)
        return -1;
    sweep->count = 0; /* each segment has one, so they are nothing that was left */
    if (drop_chosen(sweep, is_behind) < 0 || drop(sweep, "damaged.new") < 0)
        return -1;
    if (sweep->dry)
        return drop(sweep, "next");
    /* Under the appenders' lock, for one of them may be about to name it. */
    const int lock = io_openat(sweep->dir, "lock", O_RDWR | O_NOFOLLOW, 0);
    int result = lock < 0 ? -1 : flock(lock, LOCK_EX);
    result = result < 0 ? fail(sweep, "lock", "lock") : drop(sweep, "next");
    const int saved = errno;
    if (lock >= 0)
        close(lock);
    errno = saved;
    return result;
}

/* ---- the lock directory */

static int sweep_locks(struct sweep *sweep, const struct spool *spool, const char *path)
{
    sweep->path = path;
    sweep->dir = io_openat(spool->dir, "locks", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (sweep->dir < 0)
        return fail(sweep, "open", ".");
    int result = drop(sweep, "expired.new");
    if (result == 0)
        result = drop(sweep, "forgotten.new");
    /* Under the right to settle, which is had for the asking: else the next time. */
    if (result == 0 && (sweep->dry || flock(sweep->dir, LOCK_EX | LOCK_NB) == 0))
        result = drop(sweep, "settled.new");
    const int saved = errno;
    close(sweep->dir);
    errno = saved;
    return result;
}

/* ---- consumers */

/* A file that was begun an hour ago, or how far a replay was whose request is gone. */
static bool is_abandoned(const struct sweep *sweep, const char *name)
{
    static const char replay[] = "replay-";
    char request[NAME_MAX + 1];
    struct stat st;

    if (ends_in(name, ".new"))
        return fstatat(sweep->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0
            && st.st_mtime < time(NULL) - HOUR;
    if (strncmp(name, replay, sizeof(replay) - 1) != 0 || !ends_in(name, ".cursor"))
        return false;
    snprintf(request, sizeof(request), "%.*s", (int)(strlen(name) - strlen(".cursor")), name);
    return faccessat(sweep->dir, request, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

static int sweep_consumer(struct sweep *sweep, const struct spool *spool, const char *name)
{
    struct consumer consumer;

    if (consumer_open(&consumer, spool, name, NULL, false) < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
    if (faccessat(consumer.dir, ".", W_OK, AT_EACCESS) < 0 && errno == EACCES) {
        consumer_close(&consumer); /* another user's, whose drains write over what is left there */
        return 0;
    }
    sweep->dir = consumer.dir;
    sweep->path = consumer.path;
    int result = sweep->dry ? 0 : consumer_enter(&consumer);
    if (result == 0)
        result = drop_chosen(sweep, is_abandoned);
    consumer_close(&consumer);
    return result;
}

static int sweep_consumers(struct sweep *sweep, const struct spool *spool)
{
    char **names;
    size_t count;

    if (consumer_names(spool, &names, &count) < 0)
        return -1;
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = sweep_consumer(sweep, spool, names[i]);
    const int saved = errno;
    consumer_names_free(names, count);
    errno = saved;
    return result;
}

int leftovers_remove(const struct spool *spool, uint64_t begin, bool dry, uint64_t *count)
{
    struct sweep sweep = {.begin = begin, .dry = dry};
    char *path;

    if (asprintf(&path, "%s/locks", spool->path) < 0) {
        errno = ENOMEM;
        sweep.path = spool->path;
        return fail(&sweep, "look at", "locks");
    }
    int result = sweep_log(&sweep, spool);
    if (result == 0)
        result = sweep_locks(&sweep, spool, path);
    if (result == 0)
        result = sweep_consumers(&sweep, spool);
    *count = sweep.count;
    free(path);
    return result;
}
