/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "identity.h"
#include "io.h"
#include "log.h"
#include "logstate.h"
#include "segment.h"

static int fail(const char *operation, const char *path)
{
    const int saved = errno;

    log_error("cannot %s '%s': %s", operation, path, strerror(saved));
    errno = saved;
    return -1;
}

static int open_directory(int parent, const char *name, const char *path)
{
    const int fd = io_openat(parent, name, O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0 && errno == ENOENT) {
        log_error("there is no spool '%s' yet: hookspoold makes it when it starts", path);
        errno = ENOENT;
        return -1;
    }
    return fd < 0 ? fail("open directory", path) : fd;
}

/* We may not look: who may. */
static void advise(const char *spool_dir)
{
    char owner[IDENTITY_NAME], group[IDENTITY_NAME];
    const int saved = errno;
    struct stat st;

    if (stat(spool_dir, &st) == 0)
        log_error("run it as root, as user %s, or as a user in group %s",
                  identity_user(st.st_uid, owner), identity_group(st.st_gid, group));
    errno = saved;
}

bool spool_exists(const struct config *config, const struct config_spool *which)
{
    char *path;
    bool exists = true;

    if (asprintf(&path, "%s/%s/log", config->spool_dir, which->name) >= 0) {
        exists = access(path, F_OK) == 0 || errno != ENOENT;
        free(path);
    }
    return exists;
}

int spool_open(struct spool *spool, const struct config *config,
               const struct config_spool *which)
{
    *spool = (struct spool){.config = which, .dir = -1, .log_dir = -1};
    if (asprintf(&spool->path, "%s/%s", config->spool_dir, which->name) < 0)
        spool->path = NULL;
    else if (asprintf(&spool->log_path, "%s/log", spool->path) < 0)
        spool->log_path = NULL;
    if (spool->path == NULL || spool->log_path == NULL) {
        spool_close(spool);
        errno = ENOMEM;
        return fail("open spool", which->name);
    }
    spool->dir = open_directory(AT_FDCWD, spool->path, spool->path);
    if (spool->dir >= 0)
        spool->log_dir = open_directory(spool->dir, "log", spool->log_path);
    if (spool->log_dir < 0) {
        if (errno == EACCES)
            advise(config->spool_dir);
        spool_close(spool);
        return -1;
    }
    return 0;
}

void spool_close(struct spool *spool)
{
    const int saved = errno;

    if (spool->dir >= 0)
        close(spool->dir);
    if (spool->log_dir >= 0)
        close(spool->log_dir);
    free(spool->path);
    free(spool->log_path);
    *spool = SPOOL_CLOSED;
    errno = saved;
}

int spool_begin(struct spool *spool, uint64_t *begin)
{
    struct segment_list list;

    if (segment_list_read(&list, spool->log_dir, spool->log_path) < 0)
        return -1;
    *begin = list.count > 0 ? list.starts[0] : UINT64_MAX;
    segment_list_release(&list);
    return 0;
}

/*
 * The last segment, and how much of it is on the disk: 1; 0: there is none; -1.
 * The lengths of the others are known by their names.
 */
static int sync_last(const struct spool *spool, uint64_t *start, uint64_t *end)
{
    struct segment_list list;
    struct stat st;
    char name[SEGMENT_NAME_SIZE];

    if (segment_list_read(&list, spool->log_dir, spool->log_path) < 0)
        return -1;
    const bool empty = list.count == 0;
    *start = empty ? 0 : list.starts[list.count - 1];
    segment_list_release(&list);
    if (empty)
        return 0;
    segment_name(name, *start);
    const int fd = io_openat(spool->log_dir, name, O_RDONLY | O_NOFOLLOW, 0);
    const bool synced = fd >= 0 && fstat(fd, &st) == 0 && io_fdatasync(fd) == 0;
    const int result = synced ? 1 : fail("sync", name);
    const int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    if (result > 0)
        *end = *start + (uint64_t)st.st_size;
    return result;
}

/*
 * The end of a log that no responder has opened since the machine was started.
 * A shared lock on the spool keeps out who would repair it first; one who had
 * done so when we got the lock writes beside us, so the state is asked again.
 * The lock is held for the sync alone, so that a responder that starts need not
 * wait for us. What he does meanwhile leaves the whole lines as they are.
 */
static int find_end(const struct spool *spool, uint64_t *end)
{
    uint64_t start = 0, limit = 0;

    const int guard = io_openat(spool->dir, ".", O_RDONLY | O_DIRECTORY, 0);
    if (guard < 0)
        return fail("open directory", spool->path);
    int result = flock(guard, LOCK_SH | LOCK_NB);
    if (result < 0 && errno != EWOULDBLOCK)
        result = fail("lock", spool->path);
    const int known =
        result < 0 ? -1 : logstate_read(spool->log_dir, spool->log_path, end);
    if (known == 0)
        result = sync_last(spool, &start, &limit);
    const int saved = errno;
    close(guard);
    errno = saved;
    if (known != 0)
        return known;
    if (result > 0)
        return segment_whole(spool->log_dir, spool->log_path, start, limit, end);
    *end = 0;
    return result;
}

int spool_end(const struct spool *spool, uint64_t *end)
{
    int known = logstate_read(spool->log_dir, spool->log_path, end);

    if (known == 0)
        known = find_end(spool, end);
    if (known < 0 && errno == EWOULDBLOCK)
        log_warn("spool '%s' is being repaired: try again", spool->path);
    return known < 0 ? -1 : 0;
}
