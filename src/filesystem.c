/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "filesystem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NETWORK "a network file system: locks and syncs do not hold when a wire or a server fails"
#define CLUSTER "a cluster file system: locks and syncs hang on other machines"
#define MEMORY "in memory: a restart takes every event along"
#define NO_LINKS "has no hard links, which the memory of ids is made of"

static const struct row {
    uint64_t magic; /* 0: only by name */
    struct filesystem_kind kind;
} table[] = {
    {0, {"ext4", FILESYSTEM_GOOD, NULL}}, /* the first of one number is its name */
    {0xef53, {"ext2, ext3 or ext4", FILESYSTEM_GOOD, NULL}},
    {0, {"ext3", FILESYSTEM_GOOD, NULL}},
    {0, {"ext2", FILESYSTEM_DOUBTFUL, "has no journal: after a power cut it wants fsck first"}},
    {0x58465342, {"xfs", FILESYSTEM_GOOD, NULL}},
    {0x9123683e, {"btrfs", FILESYSTEM_GOOD, NULL}},
    {0x2fc12fc1, {"zfs", FILESYSTEM_GOOD, NULL}},
    {0xf2f52010, {"f2fs", FILESYSTEM_GOOD, NULL}},
    {0xca451a4e, {"bcachefs", FILESYSTEM_GOOD, NULL}},
    {0x3153464a, {"jfs", FILESYSTEM_GOOD, NULL}},
    {0x52654973, {"reiserfs", FILESYSTEM_GOOD, NULL}},
    {0x3434, {"nilfs2", FILESYSTEM_GOOD, NULL}},
    {0x01021994, {"tmpfs", FILESYSTEM_DOUBTFUL, MEMORY}},
    {0x858458f6, {"ramfs", FILESYSTEM_DOUBTFUL, MEMORY}},
    {0x794c7630, {"overlay", FILESYSTEM_DOUBTFUL,
                  "the layer of a container: events go when the container goes; give the spool a "
                  "volume of its own"}},
    {0x61756673, {"aufs", FILESYSTEM_DOUBTFUL, "layers: give the spool a volume of its own"}},
    {0xf15f, {"ecryptfs", FILESYSTEM_DOUBTFUL, "stacked: a sync is as good as the layer below"}},
    {0x6969, {"nfs", FILESYSTEM_REFUSED, NETWORK}},
    {0, {"nfs4", FILESYSTEM_REFUSED, NETWORK}},
    {0xff534d42, {"cifs", FILESYSTEM_REFUSED, NETWORK}},
    {0xfe534d42, {"smb3", FILESYSTEM_REFUSED, NETWORK}},
    {0, {"smb2", FILESYSTEM_REFUSED, NETWORK}},
    {0x517b, {"smbfs", FILESYSTEM_REFUSED, NETWORK}},
    {0x564c, {"ncpfs", FILESYSTEM_REFUSED, NETWORK}},
    {0x00c36400, {"ceph", FILESYSTEM_REFUSED, NETWORK}},
    {0x5346414f, {"afs", FILESYSTEM_REFUSED, NETWORK}},
    {0x6b414653, {"kafs", FILESYSTEM_REFUSED, NETWORK}},
    {0x73757245, {"coda", FILESYSTEM_REFUSED, NETWORK}},
    {0x01021997, {"9p", FILESYSTEM_REFUSED, "a file system of another machine, by 9P: its locks "
                  "are not seen by the other side, and syncs may not reach the disk"}},
    {0x0bd00bd0, {"lustre", FILESYSTEM_REFUSED, CLUSTER}},
    {0x47504653, {"gpfs", FILESYSTEM_REFUSED, CLUSTER}},
    {0x01161970, {"gfs2", FILESYSTEM_REFUSED, CLUSTER}},
    {0x7461636f, {"ocfs2", FILESYSTEM_REFUSED, CLUSTER}},
    {0x19830326, {"beegfs", FILESYSTEM_REFUSED, CLUSTER}},
    {0x20030528, {"orangefs", FILESYSTEM_REFUSED, CLUSTER}},
    {0x786f4256, {"vboxsf", FILESYSTEM_REFUSED, "a folder of the host: it has no hard links"}},
    {0, {"vmhgfs", FILESYSTEM_REFUSED, "a folder of the host"}},
    {0, {"fuse.vmhgfs-fuse", FILESYSTEM_REFUSED, "a folder of the host"}},
    {0x4d44, {"vfat", FILESYSTEM_REFUSED, NO_LINKS}},
    {0, {"msdos", FILESYSTEM_REFUSED, NO_LINKS}},
    {0x2011bab0, {"exfat", FILESYSTEM_REFUSED, NO_LINKS}},
    {0x7366746e, {"ntfs3", FILESYSTEM_DOUBTFUL, "not made for this"}},
    {0, {"fuseblk", FILESYSTEM_DOUBTFUL, "served by a program: a sync is as good as that is"}},
    {0, {"virtiofs", FILESYSTEM_DOUBTFUL,
         "a folder of the host: a sync is as good as the host's virtiofsd makes it"}},
    {0x9660, {"iso9660", FILESYSTEM_REFUSED, "cannot be written to"}},
    {0x73717368, {"squashfs", FILESYSTEM_REFUSED, "cannot be written to"}},
    {0xe0f5e1e2, {"erofs", FILESYSTEM_REFUSED, "cannot be written to"}},
    {0x65735546, {"fuse", FILESYSTEM_DOUBTFUL,
                  "served by a program: a sync is as good as that is"}},
};

/* What is served by FUSE over a network: "fuse." and one of these. */
static const char *const fuse_network[] = {
    "sshfs", "s3fs", "glusterfs", "ceph", "ceph-fuse", "rclone", "gcsfuse", "goofys", "juicefs",
    "mfs", "lizardfs", "davfs", "curlftpfs", "smbnetfs", "blobfuse", "blobfuse2", "mount-s3",
    "mountpoint-s3", "s3ql", "cernvm", "cvmfs2", "onedriver", "google-drive-ocamlfuse", "seaweedfs",
    "afp", "nfs", "hdfs", "fuse_dfs", "beegfs", "moosefs", "dbxfs", "rclonefs"};

enum { ROWS = sizeof(table) / sizeof(table[0]),
       FUSE_ROWS = sizeof(fuse_network) / sizeof(fuse_network[0]) };

static const struct filesystem_kind fuse_refused = {"a network file system by FUSE",
                                                    FILESYSTEM_REFUSED, NETWORK};
static const struct filesystem_kind unknown = {"a file system that is not known here",
                                               FILESYSTEM_UNKNOWN, NULL};

static const struct filesystem_kind *by_magic(uint64_t magic)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (table[i].magic != 0 && table[i].magic == magic)
            return &table[i].kind;
    }
    return &unknown;
}

const struct filesystem_kind *filesystem_kind(const char *type, uint64_t magic)
{
    const struct filesystem_kind *kind = by_magic(magic);
    const bool fuse = type != NULL && strncmp(type, "fuse.", 5) == 0;

    if (kind->verdict == FILESYSTEM_REFUSED) /* the number is of the thing itself */
        return kind;
    for (size_t i = 0; fuse && i < FUSE_ROWS; i++) {
        if (strcmp(type + 5, fuse_network[i]) == 0)
            return &fuse_refused;
    }
    for (size_t i = 0; type != NULL && i < ROWS; i++) {
        if (strcmp(table[i].kind.name, type) == 0)
            return &table[i].kind;
    }
    return kind;
}

/* ---- mounts */

/* A field of mountinfo into out: blanks and backslashes stand there as \040 and the like. */
static void unescape(const char *field, char *out, size_t size)
{
    size_t len = 0;

    for (; *field != '\0' && len + 1 < size; len++) {
        unsigned code = 0;
        if (field[0] == '\\' && strspn(field + 1, "01234567") >= 3) {
            for (int i = 1; i <= 3; i++)
                code = code * 8 + (unsigned)(field[i] - '0');
            field += 4;
            out[len] = (char)code;
        } else {
            out[len] = *field++;
        }
    }
    out[len] = '\0';
}

static bool is_below(const char *path, const char *point)
{
    const size_t len = strlen(point);

    if (strcmp(point, "/") == 0)
        return true;
    return strncmp(path, point, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/*
 * One line: ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG...] - TYPE SOURCE SUPEROPTIONS. Of nested
 * mounts the longest point holds the path, of those on one point the last.
 */
static void take_mount(char *line, const char *path, struct filesystem_mount *mount, int *found)
{
    char *fields[6], *rest = line, *tail[3] = {0};
    char point[PATH_MAX];

    for (size_t i = 0; i < 6; i++) {
        fields[i] = strsep(&rest, " ");
        if (fields[i] == NULL)
            return;
    }
    char *dash;
    do {
        dash = strsep(&rest, " ");
    } while (dash != NULL && strcmp(dash, "-") != 0);
    for (size_t i = 0; dash != NULL && i < 3; i++)
        tail[i] = strsep(&rest, " ");
    if (tail[2] == NULL)
        return;
    unescape(fields[4], point, sizeof(point));
    if (!is_below(path, point) || (*found && strlen(point) < strlen(mount->point)))
        return;
    *found = 1;
    memcpy(mount->point, point, sizeof(point));
    unescape(tail[0], mount->type, sizeof(mount->type));
    unescape(tail[1], mount->source, sizeof(mount->source));
    snprintf(mount->options, sizeof(mount->options), "%s,%s", fields[5], tail[2]);
}

int filesystem_find(FILE *mountinfo, const char *path, struct filesystem_mount *mount)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    int found = 0;

    memset(mount, 0, sizeof(*mount));
    while ((len = getline(&line, &room, mountinfo)) > 0) {
        if (line[len - 1] == '\n')
            line[len - 1] = '\0';
        take_mount(line, path, mount, &found);
    }
    const int saved = errno;
    free(line);
    errno = saved;
    return ferror(mountinfo) ? -1 : found;
}

/* ---- their options */

static bool has_option(const char *options, const char *option)
{
    const size_t len = strlen(option);

    for (const char *at = options; *at != '\0'; at += *at == ',') {
        const size_t word = strcspn(at, ",");
        if (word == len && memcmp(at, option, len) == 0)
            return true;
        at += word;
    }
    return false;
}

enum filesystem_verdict filesystem_options(const char *options, const char **option,
                                           const char **reason)
{
    static const struct {
        const char *option;
        enum filesystem_verdict verdict;
        const char *reason;
    } rows[] = {
        {"ro", FILESYSTEM_REFUSED, "nothing can be stored"},
        {"nobarrier", FILESYSTEM_DOUBTFUL, "a sync does not reach the disk: a power cut loses "
         "events that were answered 200, unless the controller has a battery"},
        {"barrier=0", FILESYSTEM_DOUBTFUL, "a sync does not reach the disk: a power cut loses "
         "events that were answered 200, unless the controller has a battery"},
        {"data=writeback", FILESYSTEM_GOOD, "no harm: lines prove themselves"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (has_option(options, rows[i].option)) {
            *option = rows[i].option;
            *reason = rows[i].reason;
            return rows[i].verdict;
        }
    }
    *option = *reason = NULL;
    return FILESYSTEM_GOOD;
}
