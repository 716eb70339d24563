/* SPDX-License-Identifier: ISC */
/*
 * What `hookspool check` judges by: kinds of file systems and their options, and what modes let a
 * user do.
 */
#include "autoconf.h"

#include "filesystem.h"
#include "identity.h"

#include "tap.h"
#include "temp.h"

static void kinds(void)
{
    static const struct {
        const char *type;
        uint64_t magic;
        enum filesystem_verdict verdict;
    } rows[] = {
        {"ext4", 0xef53, FILESYSTEM_GOOD}, {NULL, 0xef53, FILESYSTEM_GOOD},
        {"xfs", 0x58465342, FILESYSTEM_GOOD}, {"btrfs", 0x9123683e, FILESYSTEM_GOOD},
        {"zfs", 0x2fc12fc1, FILESYSTEM_GOOD}, {"ext2", 0xef53, FILESYSTEM_DOUBTFUL},
        {"tmpfs", 0x01021994, FILESYSTEM_DOUBTFUL}, {"ramfs", 0x858458f6, FILESYSTEM_DOUBTFUL},
        {"overlay", 0x794c7630, FILESYSTEM_DOUBTFUL}, {"nfs", 0x6969, FILESYSTEM_REFUSED},
        {"nfs4", 0x6969, FILESYSTEM_REFUSED}, {NULL, 0x6969, FILESYSTEM_REFUSED},
        {"ext4", 0x6969, FILESYSTEM_REFUSED}, {"cifs", 0xff534d42, FILESYSTEM_REFUSED},
        {"smb3", 0xfe534d42, FILESYSTEM_REFUSED}, {"ceph", 0x00c36400, FILESYSTEM_REFUSED},
        {"9p", 0x01021997, FILESYSTEM_REFUSED}, {"afs", 0x5346414f, FILESYSTEM_REFUSED},
        {"lustre", 0x0bd00bd0, FILESYSTEM_REFUSED}, {"gfs2", 0x01161970, FILESYSTEM_REFUSED},
        {"ocfs2", 0x7461636f, FILESYSTEM_REFUSED}, {"vfat", 0x4d44, FILESYSTEM_REFUSED},
        {"exfat", 0x2011bab0, FILESYSTEM_REFUSED}, {"fuse.sshfs", 0x65735546, FILESYSTEM_REFUSED},
        {"fuse.s3fs", 0x65735546, FILESYSTEM_REFUSED},
        {"fuse.glusterfs", 0x65735546, FILESYSTEM_REFUSED},
        {"fuse.other", 0x65735546, FILESYSTEM_DOUBTFUL},
        {"fuseblk", 0x65735546, FILESYSTEM_DOUBTFUL}, {"virtiofs", 0x65735546, FILESYSTEM_DOUBTFUL},
        {NULL, 0x65735546, FILESYSTEM_DOUBTFUL}, {"new", 0x12345678, FILESYSTEM_UNKNOWN},
        {NULL, 0, FILESYSTEM_UNKNOWN},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct filesystem_kind *kind = filesystem_kind(rows[i].type, rows[i].magic);
        is_int(kind->verdict, rows[i].verdict, "%s, %jx", rows[i].type != NULL ? rows[i].type : "-",
               (uintmax_t)rows[i].magic);
        ok(kind->verdict == FILESYSTEM_GOOD || kind->verdict == FILESYSTEM_UNKNOWN
               || kind->reason != NULL, "... with a reason");
    }
}

static void mounts(void)
{
    static const char text[] =
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"
        "23 22 0:5 / /dev rw - devtmpfs udev rw\n"
        "24 22 8:2 / /var rw,noatime shared:2 master:3 - xfs /dev/sda2 rw\n"
        "25 24 0:40 / /var/spool\\040of\\011mine ro,nosuid - nfs4 host:/a rw,vers=4.2\n"
        "26 24 8:3 / /over rw - ext3 /dev/sda3 rw\n"
        "27 26 8:4 / /over rw - btrfs /dev/sda4 rw,barrier=0\n"
        "nonsense\n\n28 22 8:5 / /cut rw - \n29 22 8:5 / /cut rw shared:1\n";
    static const struct {
        const char *path, *type, *point;
    } rows[] = {
        {"/", "ext4", "/"}, {"/home", "ext4", "/"}, {"/var", "xfs", "/var"},
        {"/var/spool", "xfs", "/var"}, {"/variable", "ext4", "/"},
        {"/var/spool of\tmine/x", "nfs4", "/var/spool of\tmine"}, {"/over/x", "btrfs", "/over"},
        {"/cut", "ext4", "/"},
    };
    struct filesystem_mount mount;
    const char *option, *reason;

    for (size_t i = 0; i < COUNT(rows); i++) {
        FILE *file = fmemopen((void *)(uintptr_t)text, sizeof(text) - 1, "r");
        is_int(filesystem_find(file, rows[i].path, &mount), 1, "the mount of '%s'", rows[i].path);
        is_str(mount.type, rows[i].type, "... its type");
        ok(strcmp(mount.point, rows[i].point) == 0, "... and where it is");
        fclose(file);
    }
    is_str(mount.options, "rw,relatime,rw,errors=remount-ro", "options of both kinds");
    is_int(filesystem_options(mount.options, &option, &reason), FILESYSTEM_GOOD, "errors=remount-ro"
           " is not ro");
    is_int(filesystem_options("rw,ro", &option, &reason), FILESYSTEM_REFUSED, "ro");
    is_int(filesystem_options("rw,barrier=0", &option, &reason), FILESYSTEM_DOUBTFUL, "barrier=0");
    is_str(option, "barrier=0", "... by its name");
    is_int(filesystem_options("nobarrier,rw", &option, &reason), FILESYSTEM_DOUBTFUL, "nobarrier");
    is_int(filesystem_options("rw,data=writeback", &option, &reason), FILESYSTEM_GOOD,
           "data=writeback does no harm");
    is_str(option, "data=writeback", "... and is mentioned");
    is_int(filesystem_options("", &option, &reason), FILESYSTEM_GOOD, "none");
    FILE *file = fmemopen((void *)(uintptr_t) "\n", 1, "r");
    is_int(filesystem_find(file, "/x", &mount), 0, "no mounts at all");
    fclose(file);
}

/* ---- users */

static void modes(void)
{
    static const struct identity me = {.uid = 1000, .gid = 100, .groups = {100, 50},
                                       .group_count = 2};
    static const struct identity root = {.uid = 0};
    static const struct {
        unsigned mode;
        uid_t uid;
        gid_t gid;
        int how;
        bool me, root;
    } rows[] = {
        {S_IFREG | 0600, 1000, 1, R_OK | W_OK, true, true},
        {S_IFREG | 0600, 1001, 1, R_OK, false, true},
        {S_IFREG | 0640, 0, 100, R_OK, true, true},
        {S_IFREG | 0640, 0, 50, R_OK, true, true},
        {S_IFREG | 0640, 0, 50, W_OK, false, true},
        {S_IFREG | 0604, 0, 50, R_OK, false, true}, /* the group's bits count for its members */
        {S_IFREG | 0077, 1000, 1, R_OK, false, true}, /* and the owner's for him */
        {S_IFREG | 0644, 0, 1, R_OK, true, true},
        {S_IFREG | 0644, 0, 1, X_OK, false, false},
        {S_IFREG | 0100, 0, 1, X_OK, false, true},
        {S_IFDIR | 0700, 0, 0, X_OK, false, true},
        {S_IFDIR | 0000, 0, 0, R_OK | W_OK | X_OK, false, true},
        {S_IFDIR | 0750, 0, 100, R_OK | X_OK, true, true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct stat st = {.st_mode = rows[i].mode, .st_uid = rows[i].uid,
                                .st_gid = rows[i].gid};
        is_int(identity_may(&me, &st, rows[i].how), rows[i].me, "mode %04o, row %zu",
               rows[i].mode & 07777U, i);
        is_int(identity_may(&root, &st, rows[i].how), rows[i].root, "... for root");
    }
}

static void names(void)
{
    struct identity who;

    is_int(identity_by_name(&who, "root"), 0, "root");
    ok(who.uid == 0 && strcmp(who.name, "root") == 0, "... is 0");
    is_int(identity_by_name(&who, "no such user"), -1, "nobody of that name");
    is_int(errno, ENOENT, "... with ENOENT");
    is_int(identity_by_name(&who, "4000000"), 0, "a number without a name");
    ok(who.uid == 4000000 && strcmp(who.name, "4000000") == 0 && who.group_count == 0,
       "... and without groups");
    is_int(identity_by_name(&who, "4000000x"), -1, "no number");
    is_int(identity_by_name(&who, ""), -1, "nothing");
    identity_join(&who, 77);
    const struct stat st = {.st_mode = S_IFREG | 0640, .st_uid = 0, .st_gid = 77};
    ok(identity_may(&who, &st, R_OK), "a group that was joined counts");
}

/* What a stranger can come to: 1, 0, -1; and where it ends, below the directory of the case. */
static void walk_is(const struct temp *temp, const char *path, int how, int want, const char *end)
{
    static const struct identity stranger = {.uid = 4000000, .gid = 4000000};
    struct identity_walk walk;
    char whole[PATH_MAX + 300], where[PATH_MAX + 300];

    snprintf(whole, sizeof(whole), "%s/%s", temp->path, path);
    snprintf(where, sizeof(where), "%s%s%s", temp->path, end[0] != '\0' ? "/" : "", end);
    is_int(identity_walk(&stranger, whole, how, &walk), want, "%s", path);
    is_str(walk.path, where, "... it ends there");
}

static void walks(void)
{
    struct temp temp;

    temp_make(&temp);
    /* The test's own directory is closed to strangers. */
    if (chmod(temp_top.path, 0755) < 0 || fchmod(temp.dir, 0755) < 0
        || mkdirat(temp.dir, "open", 0755) < 0 || fchmodat(temp.dir, "open", 0755, 0) < 0
        || mkdirat(temp.dir, "closed", 0700) < 0
        || symlinkat("open/file", temp.dir, "link") < 0
        || symlinkat("../closed/file", temp.dir, "open/into") < 0
        || symlinkat("loop", temp.dir, "loop") < 0)
        temp_die("files");
    temp_put(temp.dir, "open/file", "x", 1);
    temp_put(temp.dir, "closed/file", "x", 1);
    if (fchmodat(temp.dir, "open/file", 0644, 0) < 0
        || fchmodat(temp.dir, "closed/file", 0644, 0) < 0)
        temp_die("modes");
    walk_is(&temp, "open/file", R_OK, 1, "open/file");
    walk_is(&temp, "open/file", W_OK, 0, "open/file");
    walk_is(&temp, "closed/file", R_OK, 0, "closed");
    walk_is(&temp, "link", R_OK, 1, "open/file");
    walk_is(&temp, "open/into", R_OK, 0, "closed");
    walk_is(&temp, "open/../link", R_OK, 1, "open/file");
    walk_is(&temp, "open/./../open//file", R_OK, 1, "open/file");
    walk_is(&temp, "gone", R_OK, -1, "gone");
    walk_is(&temp, "open/file/below", R_OK, 0, "open/file");
    walk_is(&temp, "loop", R_OK, -1, "loop");
    is_int(errno, ELOOP, "a loop is one");
    temp_drop(&temp);
}

int main(void)
{
    temp_start();
    kinds();
    mounts();
    modes();
    names();
    walks();
    return done_testing();
}
