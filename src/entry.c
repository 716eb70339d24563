/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "entry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "delivery.h"
#include "io.h"
#include "log.h"
#include "record.h"

enum { NAME_SIZE = sizeof("locks/xx/.") + DELIVERY_ID_MAX, DAY_LENGTH = 10 };

static int fail(const char *path, const char *name)
{
    const int saved = errno;

    log_error("cannot look up '%s/%s': %s", path, name, strerror(saved));
    errno = saved;
    return -1;
}

/* 1 and the inode; 0: there is none */
static int look_up(int dir, const char *path, const char *id, bool pending, ino_t *inode)
{
    char name[NAME_SIZE];
    struct stat st;

    const unsigned shard = (unsigned)(record_id_hash(id, strlen(id)) & 0xff);
    snprintf(name, sizeof(name), "locks/%02x/%s%s", shard, pending ? "." : "", id);
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : fail(path, name);
    *inode = st.st_ino;
    return 1;
}

/* The day whose file the entry is a link to: "2026-11-23", or one of more, "2026-11-23.1". */
static int find_day(struct entry *entry, int dir, const char *path, ino_t inode)
{
    struct dirent *day;

    const int fd = io_openat(dir, "locks/days", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    DIR *days = fd < 0 ? NULL : fdopendir(fd);
    if (days == NULL) {
        (void)fail(path, "locks/days");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    while ((day = readdir(days)) != NULL) {
        if (day->d_ino == inode && day->d_name[0] != '.')
            snprintf(entry->day, sizeof(entry->day), "%.*s", DAY_LENGTH, day->d_name);
    }
    closedir(days);
    return 0;
}

int entry_look(struct entry *entry, int dir, const char *path, const char *id)
{
    ino_t inode = 0;

    *entry = (struct entry){.kind = ENTRY_ABSENT};
    if (!delivery_is_id(id, strlen(id)))
        return 0;
    int found = look_up(dir, path, id, false, &inode);
    if (found > 0)
        entry->kind = ENTRY_STORED;
    else if (found == 0 && (found = look_up(dir, path, id, true, &inode)) > 0)
        entry->kind = ENTRY_PENDING;
    return found <= 0 ? found : find_day(entry, dir, path, inode);
}
