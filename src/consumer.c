/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "consumer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "durable.h"
#include "identity.h"
#include "io.h"
#include "log.h"
#include "logstate.h"

static int fail(const char *operation, const char *path, const char *name)
{
    const int saved = errno;

    log_error("cannot %s '%s/%s': %s", operation, path, name, strerror(saved));
    errno = saved;
    return -1;
}

static int open_directory(struct consumer *consumer, const struct spool *spool, bool create)
{
    char path[PATH_MAX];
    int parent;

    if (create)
        parent = durable_directory(spool->dir, spool->path, "consumers");
    else
        parent = io_openat(spool->dir, "consumers", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (parent < 0)
        return create || errno == ENOENT ? -1 : fail("open", spool->path, "consumers");
    snprintf(path, sizeof(path), "%s/consumers", spool->path);
    if (create)
        consumer->dir = durable_directory(parent, path, consumer->name);
    else
        consumer->dir =
            io_openat(parent, consumer->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    const int saved = errno;
    close(parent);
    errno = saved;
    if (consumer->dir < 0)
        return create || errno == ENOENT ? -1 : fail("open", consumer->path, ".");
    return 0;
}

int consumer_open(struct consumer *consumer, const struct spool *spool, const char *name,
                  const struct config_consumer *config, bool create)
{
    *consumer = CONSUMER_CLOSED;
    consumer->config = config;
    consumer->name = strdup(name);
    if (consumer->name == NULL
        || asprintf(&consumer->path, "%s/consumers/%s", spool->path, name) < 0) {
        consumer->path = NULL;
        consumer_close(consumer);
        errno = ENOMEM;
        return fail("open", spool->path, name);
    }
    if (open_directory(consumer, spool, create) < 0) {
        consumer_close(consumer);
        return -1;
    }
    return 0;
}

void consumer_close(struct consumer *consumer)
{
    const int saved = errno;

    if (consumer->drain_fd >= 0)
        close(consumer->drain_fd);
    if (consumer->lock_fd >= 0)
        close(consumer->lock_fd);
    if (consumer->dir >= 0)
        close(consumer->dir);
    free(consumer->name);
    free(consumer->path);
    *consumer = CONSUMER_CLOSED;
    errno = saved;
}

/* 1, 0 if another holds it, -1 */
static int lock_file(const struct consumer *consumer, int fd, const char *name, int operation)
{
    while (flock(fd, operation) < 0) {
        if (errno == EWOULDBLOCK)
            return 0;
        if (errno != EINTR)
            return fail("lock", consumer->path, name);
    }
    return 1;
}

/* What stands in the file when a drain has ended well. */
enum { MARK = LOGSTATE_BOOT + 8, LOOKERS = 4 };

/* The mark of this boot: false when it is not known which that is. */
static bool make_mark(char mark[MARK])
{
    char boot[LOGSTATE_BOOT];

    logstate_boot(boot);
    boot[strcspn(boot, "\n")] = '\0';
    snprintf(mark, MARK, "ended %s\n", boot);
    return boot[0] != '\0';
}

/* Who only looks whether a drain runs (consumer_drained()) has the lock for a moment. */
static int try_lock(const struct consumer *consumer)
{
    const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
    int got = 0;

    for (int i = 0; i < LOOKERS && got == 0; i++) {
        if (i > 0)
            nanosleep(&pause, NULL);
        got = lock_file(consumer, consumer->drain_fd, "drain", LOCK_EX | LOCK_NB);
    }
    return got;
}

int consumer_drain(struct consumer *consumer, bool wait)
{
    char mark[MARK], found[MARK] = "";

    consumer->drain_fd =
        durable_open(consumer->dir, consumer->path, "drain", O_RDWR | O_CREAT);
    if (consumer->drain_fd < 0)
        return -1;
    const int got =
        wait ? lock_file(consumer, consumer->drain_fd, "drain", LOCK_EX) : try_lock(consumer);
    if (got <= 0)
        return got;
    consumer->clean = make_mark(mark) && pread(consumer->drain_fd, found, MARK - 1, 0) > 0
                   && strcmp(mark, found) == 0;
    return io_ftruncate(consumer->drain_fd, 0) < 0 ? fail("empty", consumer->path, "drain") : 1;
}

void consumer_drain_ended(struct consumer *consumer)
{
    char mark[MARK];

    if (!make_mark(mark))
        return;
    struct iovec text = {.iov_base = mark, .iov_len = strlen(mark)};
    /* Without it the next drain looks more closely, and that is all. */
    (void)io_pwritev_all(consumer->drain_fd, &text, 1, 0);
}

int consumer_drained(struct consumer *consumer)
{
    const int fd = io_openat(consumer->dir, "drain", O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0)
        return errno == ENOENT ? 0 : fail("open", consumer->path, "drain");
    const int got = lock_file(consumer, fd, "drain", LOCK_SH | LOCK_NB);
    const int saved = errno;
    close(fd);
    errno = saved;
    return got < 0 ? -1 : !got;
}

/* To read it is enough: the directory may be another user's than the spool, which is purged. */
static int open_lock(const struct consumer *consumer)
{
    const int fd = io_openat(consumer->dir, "lock", O_RDONLY | O_NOFOLLOW, 0);

    if (fd < 0 && errno == ENOENT)
        return durable_open(consumer->dir, consumer->path, "lock", O_RDWR | O_CREAT);
    return fd < 0 ? fail("open", consumer->path, "lock") : fd;
}

int consumer_enter(struct consumer *consumer)
{
    if (consumer->lock_fd < 0)
        consumer->lock_fd = open_lock(consumer);
    if (consumer->lock_fd < 0)
        return -1;
    return lock_file(consumer, consumer->lock_fd, "lock", LOCK_EX) < 0 ? -1 : 0;
}

void consumer_leave(struct consumer *consumer)
{
    const int saved = errno;

    (void)flock(consumer->lock_fd, LOCK_UN);
    errno = saved;
}

bool consumer_refused(const struct consumer *consumer)
{
    char name[IDENTITY_NAME];
    struct stat st;

    if (errno != EACCES && errno != EPERM)
        return false;
    if (consumer->dir >= 0 && fstat(consumer->dir, &st) == 0 && st.st_uid != geteuid())
        log_error("run it as root, or as user %s, whose directory '%s' is",
                  identity_user(st.st_uid, name), consumer->path);
    return true;
}

static int wanted(const struct dirent *entry)
{
    return option_is_name(entry->d_name);
}

int consumer_names(const struct spool *spool, char ***names, size_t *count)
{
    struct dirent **entries;

    *names = NULL;
    *count = 0;
    const int found = scandirat(spool->dir, "consumers", &entries, wanted, alphasort);
    if (found < 0)
        return errno == ENOENT ? 0 : fail("read directory", spool->path, "consumers");
    char **list = calloc((size_t)found + 1, sizeof(*list));
    for (int i = 0; i < found; i++) {
        if (list != NULL && (list[*count] = strdup(entries[i]->d_name)) != NULL)
            (*count)++;
        free(entries[i]);
    }
    free(entries);
    if (list == NULL || *count < (size_t)found) {
        consumer_names_free(list, *count);
        *count = 0;
        errno = ENOMEM;
        return fail("read directory", spool->path, "consumers");
    }
    *names = list;
    return 0;
}

void consumer_names_free(char **names, size_t count)
{
    for (size_t i = 0; names != NULL && i < count; i++)
        free(names[i]);
    free(names);
}
