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

static int fail(const char *what, const char *path)
{
    const int saved = errno;

    log_error("cannot %s '%s': %s", what, path, strerror(saved));
    errno = saved;
    return -1;
}

/*
 * Watches the nearest directory above the path that is there: 1; 0: what is
 * below it on the way was made meanwhile, so look again.
 */
static int watch_nearest(int inotify, const char *path)
{
    const uint32_t events = IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;
    char *above = strdup(path);
    char *child = strdup(path); /* the one below it */
    int result = -1;

    while (above != NULL && child != NULL) {
        char *slash = strrchr(above, '/');
        strcpy(child, above);
        slash[slash == above] = '\0'; /* the last one is "/" itself */
        if (inotify_add_watch(inotify, above, events | IN_ONLYDIR) >= 0) {
            result = access(child, F_OK) < 0;
            break;
        }
        if (errno != ENOENT || above[1] == '\0') {
            (void)fail("watch", above);
            break;
        }
    }
    if (above == NULL || child == NULL)
        (void)fail("watch", path);
    free(above);
    free(child);
    return result;
}

static int take_event(int inotify)
{
    char events[4096];
    ssize_t got;

    do
        got = read(inotify, events, sizeof(events));
    while (got < 0 && errno == EINTR);
    return got < 0 ? fail("read", "inotify") : 0;
}

/* Waits for something to happen on the way to the path, unless it happens right now. */
static int wait_near(const char *path)
{
    const int inotify = inotify_init1(IN_CLOEXEC);

    if (inotify < 0)
        return fail("watch", path);
    int result = watch_nearest(inotify, path);
    if (result > 0)
        result = take_event(inotify);
    const int saved = errno;
    close(inotify);
    errno = saved;
    return result;
}

int await_spool(const struct config *config, const struct config_spool *spool)
{
    int result = 0;

    while (result == 0 && !spool_exists(config, spool)) {
        char *path;
        if (asprintf(&path, "%s/%s/log", config->spool_dir, spool->name) < 0) {
            errno = ENOMEM;
            return fail("watch", spool->name);
        }
        result = wait_near(path);
        free(path);
    }
    return result;
}
