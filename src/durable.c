/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "log.h"

enum { NAME = 256 };

static int fail(const char *operation, const char *path, const char *name)
{
    const int saved = errno;

    log_error("cannot %s '%s/%s': %s", operation, path, name, strerror(saved));
    errno = saved;
    return -1;
}

static int fail_closing(int fd, const char *operation, const char *path, const char *name)
{
    (void)fail(operation, path, name);
    const int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/*
 * What root makes belongs to whoever the directory belongs to. Who that is could have given a file
 * of root's a second name here: root does not touch such a one.
 */
int durable_give_away(int dir, int fd)
{
    struct stat parent, st;

    if (geteuid() != 0)
        return 0;
    if (fstat(dir, &parent) < 0 || fstat(fd, &st) < 0)
        return -1;
    if (S_ISREG(st.st_mode) && st.st_nlink > 1 && parent.st_uid != 0) {
        errno = EMLINK;
        return -1;
    }
    if (st.st_uid != 0 || (parent.st_uid == 0 && parent.st_gid == st.st_gid))
        return 0;
    return fchown(fd, parent.st_uid, parent.st_gid);
}

int durable_open(int dir, const char *path, const char *name, int flags)
{
    const int fd = io_openat(dir, name, (flags & ~O_TRUNC) | O_NOFOLLOW, 0640);

    if (fd < 0)
        return fail((flags & O_CREAT) != 0 ? "create" : "open", path, name);
    if (durable_give_away(dir, fd) < 0)
        return fail_closing(fd, "open", path, name);
    if ((flags & O_TRUNC) != 0 && io_ftruncate(fd, 0) < 0)
        return fail_closing(fd, "empty", path, name);
    return fd;
}

int durable_directory(int dir, const char *path, const char *name)
{
    const bool made = io_mkdirat(dir, name, 0750) == 0;

    if (!made && errno != EEXIST)
        return fail("create directory", path, name);
    const int fd = io_openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0)
        return fail("open directory", path, name);
    if (made && durable_give_away(dir, fd) < 0)
        return fail_closing(fd, "give away", path, name);
    if (io_fsync(dir) < 0) /* also if it was there: who made it may have died just then */
        return fail_closing(fd, "sync directory of", path, name);
    return fd;
}

void durable_abandon(int dir, const char *name)
{
    char temporary[NAME];
    const int saved = errno;

    snprintf(temporary, sizeof(temporary), "%s.new", name);
    (void)io_unlinkat(dir, temporary);
    errno = saved;
}

int durable_begin(int dir, const char *path, const char *name)
{
    char temporary[NAME];

    snprintf(temporary, sizeof(temporary), "%s.new", name);
    /* Never what is there: a power cut in a rename may leave both names of one file. */
    if (io_unlinkat(dir, temporary) < 0 && errno != ENOENT)
        return fail("remove", path, temporary);
    const int fd = durable_open(dir, path, temporary, O_RDWR | O_CREAT | O_EXCL);
    if (fd < 0)
        durable_abandon(dir, name);
    return fd;
}

int durable_commit(int dir, const char *path, const char *name, int fd)
{
    char temporary[NAME];

    snprintf(temporary, sizeof(temporary), "%s.new", name);
    if (io_fsync(fd) < 0)
        return fail("sync", path, temporary);
    if (io_renameat(dir, temporary, name) < 0)
        return fail("rename", path, temporary);
    return io_fsync(dir) < 0 ? fail("sync directory of", path, name) : 0;
}

int durable_replace(int dir, const char *path, const char *name, struct iovec *parts, int count)
{
    const int fd = durable_begin(dir, path, name);

    if (fd < 0)
        return -1;
    int result = io_pwritev_all(fd, parts, count, 0) < 0 ? fail("write", path, name) : 0;
    if (result == 0)
        result = durable_commit(dir, path, name, fd);
    if (result < 0)
        durable_abandon(dir, name);
    const int saved = errno;
    close(fd);
    errno = saved;
    return result;
}
