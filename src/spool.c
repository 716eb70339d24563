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
#include <unistd.h>

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

/* The position before which the log was settled; 0 when nobody has noted one. */
static uint64_t read_settled(const struct spool *spool)
{
    char text[32];

    const int fd = io_openat(spool->dir, "locks/settled", O_RDONLY | O_NOFOLLOW, 0);
    const ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    text[got > 0 ? got : 0] = '\0';
    return strtoull(text, NULL, 10);
}

/* What stands in the files is on the disk: nobody has them open, but a writer may have died. */
static int sync_segments(const struct spool *spool, uint64_t from)
{
    struct segment_list list;
    int result = 0;

    if (segment_list_read(&list, spool->log_dir, spool->log_path) < 0)
        return -1;
    for (size_t i = 0; i < list.count && result == 0; i++) {
        char name[SEGMENT_NAME_SIZE];
        if (i + 1 < list.count && list.starts[i + 1] <= from)
            continue;
        segment_name(name, list.starts[i]);
        const int fd = io_openat(spool->log_dir, name, O_RDONLY | O_NOFOLLOW, 0);
        result = fd < 0 || io_fdatasync(fd) < 0 ? fail("sync", name) : 0;
        if (fd >= 0)
            close(fd);
    }
    const int saved = errno;
    segment_list_release(&list);
    errno = saved;
    return result;
}

/*
 * The end of a log that no responder has opened since the machine was started.
 * While we look nobody may repair it: a shared lock on the spool keeps him out.
 */
static int find_end(struct spool *spool, uint64_t *end)
{
    const uint64_t settled = read_settled(spool);

    const int guard = io_openat(spool->dir, ".", O_RDONLY | O_DIRECTORY, 0);
    if (guard < 0)
        return fail("open directory", spool->path);
    int result = flock(guard, LOCK_SH | LOCK_NB);
    if (result < 0)
        log_warn("spool '%s' is being repaired: try again", spool->path);
    else if ((result = sync_segments(spool, settled)) == 0)
        result = segment_whole(spool->log_dir, spool->log_path, settled, UINT64_MAX, end);
    const int saved = errno;
    close(guard);
    errno = saved;
    return result;
}

int spool_end(struct spool *spool, uint64_t *end)
{
    const int known = logstate_read(spool->log_dir, spool->log_path, end);

    if (known != 0)
        return known < 0 ? -1 : 0;
    return find_end(spool, end);
}
