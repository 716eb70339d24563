/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "owner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

/* Has only root a say in what this name stands for? */
static int check_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *parent = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    struct stat st;

    const int result = parent == NULL ? -1 : stat(parent, &st);
    if (result < 0)
        log_error("cannot stat the directory of '%s': %s", path, strerror(errno));
    free(parent);
    if (result < 0 || st.st_uid == 0)
        return result;
    log_error("'%s' belongs to root, and the directory it stands in does not: whose is it?", path);
    errno = EPERM;
    return -1;
}

int owner_become(const char *path)
{
    struct stat st;

    if (geteuid() != 0)
        return 0;
    if (stat(path, &st) < 0) {
        log_error("cannot stat '%s': %s", path, strerror(errno));
        return -1;
    }
    if (st.st_uid == 0)
        return check_parent(path);
    if (setegid(st.st_gid) == 0 && seteuid(st.st_uid) == 0)
        return 0;
    const int saved = errno;
    log_error("cannot act as the owner of '%s' (user %u): %s", path, (unsigned)st.st_uid,
              strerror(saved));
    owner_leave();
    errno = saved;
    return -1;
}

void owner_leave(void)
{
    const int saved = errno;

    if (getuid() == 0 && (geteuid() != 0 || getegid() != getgid())) {
        (void)!seteuid(0); /* what we are, so it cannot fail */
        (void)!setegid(getgid());
    }
    errno = saved;
}
