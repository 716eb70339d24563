/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "shards.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "record.h"

unsigned shards_of(const char *id, size_t len)
{
    return (unsigned)(record_id_hash(id, len) & 0xff);
}

void shards_entry(char name[SHARDS_NAME], const char *id, size_t len)
{
    snprintf(name, SHARDS_NAME, "%02x/%.*s", shards_of(id, len), (int)len, id);
}

bool shards_has(int locks, unsigned shard)
{
    char name[8];
    struct stat st;

    snprintf(name, sizeof(name), "%02x", shard);
    return fstatat(locks, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}
