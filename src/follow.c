/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "log.h"

struct follow {
    int fd;
    int log_dir; /* borrowed, as is the path */
    const char *log_path;
};

static int fail(const char *path)
{
    const int saved = errno;

    log_error("cannot watch '%s': %s", path, strerror(saved));
    errno = saved;
    return -1;
}

/* By descriptor, so that it does not matter what the directories above are called now. */
static int watch(const struct follow *follow, int dir, const char *name, uint32_t events)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
    return inotify_add_watch(follow->fd, path, events) < 0 ? -1 : 0;
}

static int watch_state(const struct follow *follow)
{
    if (watch(follow, follow->log_dir, "state", IN_MODIFY) == 0 || errno == ENOENT)
        return 0;
    return fail(follow->log_path);
}

struct follow *follow_open(int log_dir, const char *log_path)
{
    struct follow *follow = calloc(1, sizeof(*follow));

    if (follow == NULL) {
        (void)fail(log_path);
        return NULL;
    }
    *follow = (struct follow){.log_dir = log_dir, .log_path = log_path};
    follow->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (follow->fd < 0)
        (void)fail(log_path);
    else if (follow_watch(follow, log_dir, log_path, IN_CREATE | IN_MOVED_TO) == 0
             && watch_state(follow) == 0)
        return follow;
    const int saved = errno;
    follow_close(follow);
    errno = saved;
    return NULL;
}

void follow_close(struct follow *follow)
{
    if (follow == NULL)
        return;
    if (follow->fd >= 0)
        close(follow->fd);
    free(follow);
}

int follow_fd(const struct follow *follow)
{
    return follow->fd;
}

int follow_clear(struct follow *follow)
{
    char events[4096];
    ssize_t got;

    do
        got = read(follow->fd, events, sizeof(events));
    while (got > 0 || (got < 0 && errno == EINTR));
    if (got < 0 && errno != EAGAIN)
        return fail(follow->log_path);
    return watch_state(follow); /* it may have been made just now */
}

int follow_watch(struct follow *follow, int dir, const char *path, uint32_t events)
{
    return watch(follow, dir, ".", events) < 0 ? fail(path) : 0;
}
