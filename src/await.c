/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "await.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "log.h"
#include "spool.h"

static int fail(const char *path)
{
    const int saved = errno;

    log_error("cannot watch '%s': %s", path, strerror(saved));
    errno = saved;
    return -1;
}

static int watch(int fd, const char *path)
{
    return inotify_add_watch(fd, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
}

/* First the watches, then the look, so that nothing happens unseen between the two. */
static int wait_made(int fd, const struct config *config, const struct config_spool *which,
                     const char *path)
{
    char events[4096];

    if (watch(fd, config->spool_dir) < 0)
        return fail(config->spool_dir);
    for (;;) {
        if (watch(fd, path) < 0 && errno != ENOENT)
            return fail(path);
        if (spool_exists(config, which))
            return 0;
        if (read(fd, events, sizeof(events)) < 0 && errno != EINTR)
            return fail(path);
    }
}

int await_spool(const struct config *config, const struct config_spool *which)
{
    char *path;

    if (asprintf(&path, "%s/%s", config->spool_dir, which->name) < 0) {
        errno = ENOMEM;
        return fail(config->spool_dir);
    }
    const int fd = inotify_init1(IN_CLOEXEC);
    const int result = fd < 0 ? fail(path) : wait_made(fd, config, which, path);
    const int saved = errno;
    if (fd >= 0)
        close(fd);
    free(path);
    errno = saved;
    return result;
}
