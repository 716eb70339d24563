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
#include "sender.h"

/* Where a file stands, its symbolic links resolved. */
struct place {
    char path[PATH_MAX]; /* of the file */
    char directory[PATH_MAX];
    const char *name; /* in path */
    char beside[NAME_MAX + 8]; /* NAME.new */
    int dir;
};

static int failed(const char *operation, const char *path)
{
    const int error = errno;

    log_error("cannot %s '%s': %s", operation, path, strerror(error));
    if (error == EACCES || error == EPERM || error == EROFS)
        return EX_NOPERM;
    return error == ENOENT || error == ENOTDIR ? EX_NOINPUT : EX_IOERR;
}

int secretfile_generate(struct signature_key *key, size_t bytes)
{
    memset(key, 0, sizeof(*key));
    if (sender_random(key->bytes, bytes) < 0)
        return EX_OSERR;
    key->len = bytes;
    return EX_OK;
}

/* The only line that is not empty and no comment; what others may read is no secret any more. */
static int find_key(struct signature_key *key, const char *name, const char *text)
{
    static const char blanks[] = " \t\r\n";
    const char *found = NULL, *why;
    size_t found_len = 0;

    for (const char *at = text; *at != '\0'; at += at[0] == '\n') {
        at += strspn(at, " \t\r");
        const size_t len = strcspn(at, "\n");
        if (len > 0 && *at != '#') {
            if (found != NULL) {
                log_error("%s holds more than one line; the new secret alone is wanted", name);
                return EX_DATAERR;
            }
            found = at;
            found_len = len;
        }
        at += len;
    }
    if (found == NULL) {
        log_error("%s holds no secret", name);
        return EX_DATAERR;
    }
    while (found_len > 0 && strchr(blanks, found[found_len - 1]) != NULL)
        found_len--;
    if (signature_key_parse(key, found, found_len, &why) == 0)
        return EX_OK;
    log_error("%s: secret %s", name, why);
    return EX_DATAERR;
}

int secretfile_read_key(struct signature_key *key, const char *path)
{
    const bool from_file = strcmp(path, "-") != 0;
    struct stat st;
    char *text;
    size_t len;

    memset(key, 0, sizeof(*key));
    if (from_file && stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IRWXO) != 0) {
        log_error("'%s' is open to others (mode %04o): what they can read is no secret; have the "
                  "sender make another", path, (unsigned)st.st_mode & 07777U);
        return EX_NOPERM;
    }
    int status = input_read(path, SECRET_FILE_MAX, &text, &len);
    if (status != EX_OK)
        return status;
    if (memchr(text, '\0', len) != NULL) {
        log_error("%s holds a NUL byte", from_file ? path : "standard input");
        status = EX_DATAERR;
    } else {
        status = find_key(key, from_file ? path : "standard input", text);
    }
    crypto_wipe(text, len);
    free(text);
    return status;
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

/* The directory of a path that is there or is to be made, open; 0, or a status. */
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
    (void)snprintf(place->beside, sizeof(place->beside), "%.*s.new", NAME_MAX, place->name);
    place->dir = open(place->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return place->dir < 0 ? failed("open", place->directory) : EX_OK;
}

static int write_synced(int fd, const char *text, size_t len, const char *path)
{
    struct iovec part = {(void *)text, len};

    if (io_pwritev_all(fd, &part, 1, 0) < 0)
        return failed("write", path);
    return io_fsync(fd) < 0 ? failed("sync", path) : EX_OK;
}

/* ---- a new file */

/* Root makes it for the group that its directory was made for. */
static int share_with_group(const struct place *place, int fd, unsigned *mode)
{
    struct stat st;

    *mode = 0600;
    if (fstat(place->dir, &st) < 0)
        return failed("stat", place->directory);
    if (geteuid() == 0 && st.st_gid != 0) {
        if (fchown(fd, (uid_t)-1, st.st_gid) < 0)
            return failed("change the group of", place->path);
        *mode = 0640;
    }
    return fchmod(fd, *mode) < 0 ? failed("change the mode of", place->path) : EX_OK;
}

static int write_new(const struct place *place, int fd, const char *text, unsigned *mode)
{
    int status = share_with_group(place, fd, mode);

    if (status == EX_OK)
        status = write_synced(fd, text, strlen(text), place->path);
    if (status == EX_OK && io_fsync(place->dir) < 0)
        status = failed("sync", place->directory);
    return status;
}

int secretfile_create(const char *path, const struct signature_key *key, unsigned *mode)
{
    char text[ROTATION_SECRET + 1];
    struct place place;
    int status = open_place(&place, path);

    if (status != EX_OK)
        return status;
    const int fd = io_openat(place.dir, place.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        const bool there = errno == EEXIST;
        status = failed("create", path);
        status = there ? EX_CANTCREAT : status;
    } else {
        rotation_secret(key, text);
        strcat(text, "\n");
        status = write_new(&place, fd, text, mode);
        crypto_wipe(text, sizeof(text));
        close(fd);
        if (status != EX_OK)
            (void)io_unlinkat(place.dir, place.name);
    }
    close(place.dir);
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

/* Writes the text as NAME.new, as its owner would have. */
static int write_beside(const struct place *place, const char *beside, const char *text,
                        size_t len)
{
    struct stat st;
    int status = EX_OK;

    if (stat(place->path, &st) < 0)
        return failed("stat", place->path);
    if (io_unlinkat(place->dir, place->beside) < 0 && errno != ENOENT) /* of one that was killed */
        return failed("remove", beside);
    const int fd = io_openat(place->dir, place->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                             0600);
    if (fd < 0)
        return failed("create", beside);
    if ((st.st_uid != geteuid() || st.st_gid != getegid()) && fchown(fd, st.st_uid, st.st_gid) < 0)
        status = failed("keep the owner and group for", beside);
    else if (fchmod(fd, st.st_mode & 07777) < 0)
        status = failed("change the mode of", beside);
    if (status == EX_OK)
        status = write_synced(fd, text, len, beside);
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
    char beside[PATH_MAX + NAME_MAX + 16];

    (void)snprintf(beside, sizeof(beside), "%s/%s", place->directory, place->beside);
    int status = write_beside(place, beside, text, len);
    if (status == EX_OK)
        status = prove(beside, key);
    if (status == EX_OK && io_renameat(place->dir, place->beside, place->name) < 0)
        status = failed("replace", place->path);
    if (status != EX_OK) {
        (void)io_unlinkat(place->dir, place->beside);
        return status;
    }
    return io_fsync(place->dir) < 0 ? failed("sync", place->directory) : EX_OK;
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

    if (status != EX_OK)
        return status;
    if (flock(place.dir, LOCK_EX) < 0)
        status = failed("lock", place.directory);
    else
        status = rotate_at(&place, rotation, dry_run);
    close(place.dir);
    return status;
}
