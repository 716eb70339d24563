/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "lockdir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "dayfile.h"
#include "io.h"
#include "log.h"
#include "record.h"

enum {
    SHARDS = 256,
    NAME_SIZE = 3 + 1 + 256 /* "xx/" "." id NUL */
};

struct lockdir {
    char *path;
    int dir;
    _Atomic uint64_t settled;
    struct dayfiles days;
    pthread_mutex_t mutex; /* over the two below */
    int *idle;             /* descriptors of claims that nobody uses just now */
    size_t idle_count, idle_room;
};

static int fail(const struct lockdir *locks, const char *operation, const char *name)
{
    const int saved = errno;

    log_error("cannot %s '%s/%s': %s", operation, locks->path, name, strerror(saved));
    errno = saved;
    return -1;
}

/* Made once. The last one says that all are there, so the others are on disk before it is made. */
static int make_shards(struct lockdir *locks)
{
    char name[8];

    if (faccessat(locks->dir, "ff", F_OK, 0) == 0)
        return 0;
    for (unsigned i = 0; i < SHARDS; i++) {
        snprintf(name, sizeof(name), "%02x", i);
        if (i == SHARDS - 1 && io_fsync(locks->dir) < 0)
            return fail(locks, "sync", ".");
        if (io_mkdirat(locks->dir, name, 0750) < 0 && errno != EEXIST)
            return fail(locks, "create", name);
    }
    return 0;
}

int lockdir_read_settled(struct lockdir *locks)
{
    char text[32] = "";
    char *end;

    const int fd = io_openat(locks->dir, "settled", O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0)
        return errno == ENOENT ? 0 : fail(locks, "open", "settled");
    const ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (got < 0)
        return fail(locks, "read", "settled");
    errno = 0;
    uint64_t position = strtoull(text, &end, 10);
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\n') {
        log_error("'%s/settled' holds no position: all of the log will be looked at", locks->path);
        position = 0;
    }
    atomic_store(&locks->settled, position); /* once: others search from here meanwhile */
    return 0;
}

static int open_directory(struct lockdir *locks, int spool_fd)
{
    if ((io_mkdirat(spool_fd, "locks", 0750) < 0 && errno != EEXIST)
        || (locks->dir = io_openat(spool_fd, "locks", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)) < 0)
        return fail(locks, "open directory", "");
    if (io_mkdirat(locks->dir, "days", 0750) < 0 && errno != EEXIST)
        return fail(locks, "create", "days");
    if (make_shards(locks) < 0 || lockdir_read_settled(locks) < 0)
        return -1;
    const int fd = io_openat(locks->dir, "claims", O_RDWR | O_CREAT | O_NOFOLLOW, 0640);
    if (fd < 0)
        return fail(locks, "open", "claims");
    close(fd);
    locks->days.dir = locks->dir;
    return 0;
}

struct lockdir *lockdir_open(int spool_fd, const char *path)
{
    struct lockdir *locks = calloc(1, sizeof(*locks));

    if (locks == NULL || asprintf(&locks->path, "%s/locks", path) < 0) {
        free(locks);
        log_error("cannot open spool '%s': %s", path, strerror(ENOMEM));
        errno = ENOMEM;
        return NULL;
    }
    locks->dir = -1;
    pthread_mutex_init(&locks->mutex, NULL);
    dayfiles_open(&locks->days, -1, locks->path);
    if (open_directory(locks, spool_fd) < 0) {
        const int saved = errno;
        lockdir_close(locks);
        errno = saved;
        return NULL;
    }
    return locks;
}

void lockdir_close(struct lockdir *locks)
{
    if (locks == NULL)
        return;
    for (size_t i = 0; i < locks->idle_count; i++)
        close(locks->idle[i]);
    if (locks->dir >= 0)
        close(locks->dir);
    pthread_mutex_destroy(&locks->mutex);
    dayfiles_close(&locks->days);
    free(locks->idle);
    free(locks->path);
    free(locks);
}

int lockdir_directory(const struct lockdir *locks, const char **path)
{
    *path = locks->path;
    return locks->dir;
}

/*
 * A descriptor for one claim at a time: such locks belong to the open file,
 * so two claims on one descriptor would not exclude each other.
 */
static int take_descriptor(struct lockdir *locks)
{
    int fd = -1;

    pthread_mutex_lock(&locks->mutex);
    if (locks->idle_count > 0)
        fd = locks->idle[--locks->idle_count];
    pthread_mutex_unlock(&locks->mutex);
    if (fd < 0)
        fd = io_openat(locks->dir, "claims", O_RDWR | O_NOFOLLOW, 0);
    return fd < 0 ? fail(locks, "open", "claims") : fd;
}

static void give_back(struct lockdir *locks, int fd)
{
    pthread_mutex_lock(&locks->mutex);
    if (locks->idle_count == locks->idle_room) {
        const size_t room = locks->idle_room == 0 ? 16 : locks->idle_room * 2;
        int *grown = reallocarray(locks->idle, room, sizeof(*grown));
        if (grown != NULL) {
            locks->idle = grown;
            locks->idle_room = room;
        }
    }
    if (locks->idle_count < locks->idle_room) {
        locks->idle[locks->idle_count++] = fd;
        fd = -1;
    }
    pthread_mutex_unlock(&locks->mutex);
    if (fd >= 0)
        close(fd);
}

/* The byte that stands for an id. */
static off_t byte_of(const char *id)
{
    return (off_t)(record_id_hash(id, strlen(id)) >> 1);
}

static int lock_byte(const struct lockdir_claim *claim, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = claim->byte, .l_len = 1};

    return fcntl(claim->fd, F_OFD_SETLK, &lock);
}

int lockdir_claimed(int claims, const char *id)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte_of(id), .l_len = 1};

    return fcntl(claims, F_OFD_GETLK, &lock) < 0 ? -1 : lock.l_type != F_UNLCK;
}

int lockdir_claim(struct lockdir *locks, const char *id, int64_t deadline,
                  struct lockdir_claim *claim)
{
    /*
     * Polled, for the blocking form knows no deadline. Two requests for one
     * id at once are rare, and the first is through in a sync's time.
     */
    struct timespec pause = {.tv_nsec = 200 * 1000};

    claim->byte = byte_of(id);
    claim->fd = take_descriptor(locks);
    if (claim->fd < 0)
        return -1;
    while (lock_byte(claim, F_WRLCK) < 0) {
        const bool busy = errno == EAGAIN || errno == EACCES;
        if (!busy && errno != EINTR)
            (void)fail(locks, "lock", "claims");
        if ((!busy && errno != EINTR) || io_now() >= deadline) {
            const int saved = busy ? EAGAIN : errno;
            give_back(locks, claim->fd);
            errno = saved;
            return -1;
        }
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < 10 * 1000 * 1000)
            pause.tv_nsec *= 2;
    }
    return 0;
}

void lockdir_release(struct lockdir *locks, struct lockdir_claim *claim)
{
    const int saved = errno;

    if (lock_byte(claim, F_UNLCK) == 0)
        give_back(locks, claim->fd);
    else
        close(claim->fd); /* frees it as well */
    claim->fd = -1;
    errno = saved;
}

static void entry_name(char name[NAME_SIZE], const char *id, bool pending)
{
    const unsigned shard = (unsigned)(record_id_hash(id, strlen(id)) & 0xff);

    snprintf(name, NAME_SIZE, "%02x/%s%s", shard, pending ? "." : "", id);
}

static int look_up(struct lockdir *locks, const char *id, bool pending)
{
    char name[NAME_SIZE];

    entry_name(name, id, pending);
    if (faccessat(locks->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return 1;
    return errno == ENOENT ? 0 : fail(locks, "look up", name);
}

int lockdir_stored(struct lockdir *locks, const char *id)
{
    return look_up(locks, id, false);
}

int lockdir_pending(struct lockdir *locks, const char *id)
{
    return look_up(locks, id, true);
}

int lockdir_pend(struct lockdir *locks, const char *id)
{
    char name[NAME_SIZE];

    entry_name(name, id, true);
    if (dayfiles_link(&locks->days, name, 0) == 0)
        return 0;
    return errno == EEXIST ? 1 : -1;
}

int lockdir_enter(struct lockdir *locks, const char *id)
{
    return lockdir_restore(locks, id, 0);
}

int lockdir_restore(struct lockdir *locks, const char *id, int64_t received)
{
    char pending[NAME_SIZE], entry[NAME_SIZE];

    entry_name(pending, id, true);
    entry_name(entry, id, false);
    if (io_renameat(locks->dir, pending, entry) == 0)
        return 0;
    if (errno != ENOENT)
        return fail(locks, "rename", pending);
    const int64_t least = dayfile_day(received);
    return dayfiles_link(&locks->days, entry, least) == 0 || errno == EEXIST ? 0 : -1;
}

int lockdir_abandon(struct lockdir *locks, const char *id)
{
    char name[NAME_SIZE];

    entry_name(name, id, true);
    return io_unlinkat(locks->dir, name) < 0 ? fail(locks, "remove", name) : 0;
}

int lockdir_renew(struct lockdir *locks, const char *id)
{
    if (lockdir_abandon(locks, id) < 0)
        return -1;
    return lockdir_pend(locks, id) < 0 ? -1 : 0;
}

static int sync_directory(struct lockdir *locks, const char *name)
{
    const int fd = io_openat(locks->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    if (fd < 0)
        return fail(locks, "open", name);
    const int result = io_fsync(fd) < 0 ? fail(locks, "sync", name) : 0;
    close(fd);
    return result;
}

int lockdir_forget(struct lockdir *locks, const char *id)
{
    char name[NAME_SIZE];

    entry_name(name, id, false);
    if (io_unlinkat(locks->dir, name) < 0)
        return fail(locks, "remove", name);
    name[2] = '\0'; /* the shard */
    return sync_directory(locks, name);
}

int lockdir_sync(struct lockdir *locks)
{
    char name[8];

    for (unsigned i = 0; i < SHARDS; i++) {
        snprintf(name, sizeof(name), "%02x", i);
        if (sync_directory(locks, name) < 0)
            return -1;
    }
    return sync_directory(locks, "days") < 0 || sync_directory(locks, ".") < 0 ? -1 : 0;
}

int lockdir_settling(struct lockdir *locks)
{
    /* Opened anew each time, so that it excludes the threads of one process as well. */
    const int fd = io_openat(locks->dir, ".", O_RDONLY | O_DIRECTORY, 0);

    if (fd >= 0 && (flock(fd, LOCK_EX | LOCK_NB) < 0 || lockdir_read_settled(locks) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

uint64_t lockdir_settled(struct lockdir *locks)
{
    return atomic_load(&locks->settled);
}

int lockdir_set_settled(struct lockdir *locks, uint64_t position)
{
    char text[32];
    const int len = snprintf(text, sizeof(text), "%" PRIu64 "\n", position);
    struct iovec bytes = {.iov_base = text, .iov_len = (size_t)len};

    const int fd = io_openat(locks->dir, "settled.new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW,
                             0640);
    if (fd < 0)
        return fail(locks, "create", "settled.new");
    const int written = io_pwritev_all(fd, &bytes, 1, 0) < 0 || io_fsync(fd) < 0 ? -1 : 0;
    if (written < 0)
        (void)fail(locks, "write", "settled.new");
    close(fd);
    if (written < 0)
        return -1;
    if (io_renameat(locks->dir, "settled.new", "settled") < 0 || io_fsync(locks->dir) < 0)
        return fail(locks, "replace", "settled");
    atomic_store(&locks->settled, position);
    return 0;
}
