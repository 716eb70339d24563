/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "secretfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "crypto.h"
#include "input.h"
#include "io.h"
#include "log.h"
#include "status.h"

/* Where a file stands, its symbolic links resolved. */
struct place {
    char path[PATH_MAX]; /* of the file */
    char directory[PATH_MAX];
    const char *name;           /* in path */
    char beside[NAME_MAX + 8];  /* .NAME.new, where it is written first */
    char beside_path[PATH_MAX + NAME_MAX + 16];
    int dir;
};

static int failed(const char *operation, const char *path)
{
    log_error("cannot %s '%s': %s", operation, path, strerror(errno));
    return status_of_file(errno);
}

int secretfile_load(struct secrets *secrets, const char *path)
{
    char why[1024];

    *secrets = (struct secrets){NULL, 0};
    if (access(path, R_OK) < 0)
        return failed("open", path);
    if (secrets_load(secrets, path, why, sizeof(why)) == 0)
        return EX_OK;
    log_error("%s", why);
    return EX_CONFIG;
}

/* ---- places */

/* Where the file stands, or is to. Its directory is open and locked: 0, or a status. */
static int open_place(struct place *place, const char *path)
{
    char copy[PATH_MAX];

    place->dir = -1;
    if (strlen(path) >= sizeof(copy)) {
        errno = ENAMETOOLONG;
        return failed("open", path);
    }
    if (realpath(path, place->path) == NULL) {
        if (errno != ENOENT)
            return failed("open", path);
        strcpy(place->path, path);
    }
    strcpy(copy, place->path);
    strcpy(place->directory, dirname(copy));
    const char *slash = strrchr(place->path, '/');
    place->name = slash == NULL ? place->path : slash + 1;
    (void)snprintf(place->beside, sizeof(place->beside), ".%.*s.new", NAME_MAX, place->name);
    (void)snprintf(place->beside_path, sizeof(place->beside_path), "%s/%s", place->directory,
                   place->beside);
    place->dir = open(place->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (place->dir < 0)
        return failed("open", place->directory);
    return flock(place->dir, LOCK_EX) < 0 ? failed("lock", place->directory) : EX_OK;
}

static void close_place(struct place *place)
{
    if (place->dir >= 0)
        close(place->dir);
}

/* Opens the file beside it, empty and ours alone. A descriptor, or -1 with *status. */
static int open_beside(const struct place *place, int *status)
{
    if (io_unlinkat(place->dir, place->beside) < 0 && errno != ENOENT) /* of one that was killed */
        *status = failed("remove", place->beside_path);
    else
        *status = EX_OK;
    if (*status != EX_OK)
        return -1;
    const int fd = io_openat(place->dir, place->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                             0600);
    if (fd < 0)
        *status = failed("create", place->beside_path);
    return fd;
}

static int write_synced(int fd, const char *text, size_t len, const char *path)
{
    struct iovec part = {(void *)text, len};

    if (io_pwritev_all(fd, &part, 1, 0) < 0)
        return failed("write", path);
    return io_fsync(fd) < 0 ? failed("sync", path) : EX_OK;
}

/* ---- a new file */

/* For the group that is asked for, or that root's directory was made for. */
static int share_with_group(const struct place *place, int fd, gid_t group, unsigned *mode)
{
    struct stat st;

    *mode = 0600;
    if (group == SECRETFILE_NO_GROUP && geteuid() == 0) {
        if (fstat(place->dir, &st) < 0)
            return failed("stat", place->directory);
        group = st.st_gid != 0 ? st.st_gid : SECRETFILE_NO_GROUP;
    }
    if (group == SECRETFILE_NO_GROUP)
        return EX_OK;
    *mode = 0640;
    if (fchown(fd, (uid_t)-1, group) < 0)
        return failed("change the group of", place->path);
    return fchmod(fd, *mode) < 0 ? failed("change the mode of", place->path) : EX_OK;
}

/* The name comes last, and only if it is free. */
static int publish(const struct place *place)
{
    if (io_linkat(place->dir, place->beside, place->name) < 0) {
        const bool there = errno == EEXIST;
        const int status = failed("create", place->path);
        return there ? EX_CANTCREAT : status;
    }
    if (io_unlinkat(place->dir, place->beside) < 0)
        return failed("remove", place->beside_path);
    return io_fsync(place->dir) < 0 ? failed("sync", place->directory) : EX_OK;
}

static int create_at(const struct place *place, const struct signature_key *key, gid_t group,
                     unsigned *mode)
{
    char text[ROTATION_SECRET + 1];
    int status;
    const int fd = open_beside(place, &status);

    if (fd < 0)
        return status;
    status = share_with_group(place, fd, group, mode);
    if (status == EX_OK) {
        rotation_secret(key, text);
        strcat(text, "\n");
        status = write_synced(fd, text, strlen(text), place->beside_path);
        crypto_wipe(text, sizeof(text));
    }
    close(fd);
    if (status == EX_OK)
        status = publish(place);
    if (status != EX_OK)
        (void)io_unlinkat(place->dir, place->beside);
    return status;
}

int secretfile_create(const char *path, const struct signature_key *key, gid_t group,
                      unsigned *mode)
{
    struct place place;
    int status = open_place(&place, path);

    if (status == EX_OK)
        status = create_at(&place, key, group, mode);
    close_place(&place);
    return status;
}

/* ---- rotation */

static bool same_key(const struct signature_key *a, const struct signature_key *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static int check_known(const struct secrets *secrets, const struct signature_key *key,
                       const char *path)
{
    for (size_t i = 0; i < secrets->count; i++) {
        if (same_key(&secrets->list[i].key, key)) {
            log_error("%s:%u: the new secret stands there already; nothing was changed", path,
                      secrets->list[i].line);
            return EX_DATAERR;
        }
    }
    return EX_OK;
}

/* Writes the text beside it, as its owner would have. */
static int write_beside(const struct place *place, const char *text, size_t len)
{
    struct stat st;
    int status;

    if (stat(place->path, &st) < 0)
        return failed("stat", place->path);
    const int fd = open_beside(place, &status);
    if (fd < 0)
        return status;
    if ((st.st_uid != geteuid() || st.st_gid != getegid()) && fchown(fd, st.st_uid, st.st_gid) < 0)
        status = failed("keep the owner and group for", place->beside_path);
    else if (fchmod(fd, st.st_mode & 07777) < 0)
        status = failed("change the mode of", place->beside_path);
    if (status == EX_OK)
        status = write_synced(fd, text, len, place->beside_path);
    close(fd);
    return status;
}

/* Reads it as hookspoold will. */
static int prove(const char *beside, const struct signature_key *key)
{
    struct secrets secrets;
    char why[1024];

    if (secrets_load(&secrets, beside, why, sizeof(why)) < 0) {
        log_error("%s; nothing was changed", why);
        return EX_DATAERR;
    }
    const bool first = same_key(&secrets.list[0].key, key);
    secrets_release(&secrets);
    if (!first)
        log_error("'%s' does not begin with the new secret; nothing was changed", beside);
    return first ? EX_OK : EX_SOFTWARE;
}

static int replace(const struct place *place, const char *text, size_t len,
                   const struct signature_key *key)
{
    int status = write_beside(place, text, len);

    if (status == EX_OK)
        status = prove(place->beside_path, key);
    if (status == EX_OK && io_renameat(place->dir, place->beside, place->name) < 0)
        status = failed("replace", place->path);
    if (status != EX_OK) {
        (void)io_unlinkat(place->dir, place->beside);
        return status;
    }
    return io_fsync(place->dir) < 0 ? failed("sync", place->directory) : EX_OK;
}

static int too_many(const char *path)
{
    log_error("'%s' would hold more than %d secrets: take one out that has expired", path,
              SECRETS_MAX);
    return EX_DATAERR;
}

/* Under the lock: the file as it is now. */
static int rotate_at(const struct place *place, struct rotation *rotation, bool dry_run)
{
    struct secrets secrets;
    char *text = NULL, *made = NULL;
    size_t len = 0, made_len = 0;
    int status = secretfile_load(&secrets, place->path);

    if (status == EX_OK)
        status = check_known(&secrets, rotation->key, place->path);
    if (status == EX_OK)
        status = input_read(place->path, SECRET_FILE_MAX, &text, &len);
    if (status == EX_OK) {
        made = rotation_rewrite(rotation, &secrets, text, len, &made_len);
        if (made == NULL)
            status = failed("rewrite", place->path);
        else if (secrets.count - rotation->dropped == SECRETS_MAX)
            status = too_many(place->path);
        else if (!dry_run)
            status = replace(place, made, made_len, rotation->key);
    }
    if (text != NULL)
        crypto_wipe(text, len);
    if (made != NULL)
        crypto_wipe(made, made_len);
    free(text);
    free(made);
    secrets_release(&secrets);
    return status;
}

int secretfile_rotate(const char *path, struct rotation *rotation, bool dry_run)
{
    struct place place;
    int status = open_place(&place, path);

    if (status == EX_OK)
        status = rotate_at(&place, rotation, dry_run);
    close_place(&place);
    return status;
}
