/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "owner.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

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
        return 0;
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
