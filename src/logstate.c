/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "logstate.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "log.h"

enum { PAGE_BYTES = 4096 };

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static const char magic[8] = "hookspl1";

void logstate_boot(char boot[LOGSTATE_BOOT])
{
    memset(boot, 0, LOGSTATE_BOOT);
    const int fd = io_openat(AT_FDCWD, BOOT_ID, O_RDONLY, 0);
    if (fd < 0)
        return;
    const ssize_t got = read(fd, boot, LOGSTATE_BOOT - 1);
    const int saved = got == 0 ? ENODATA : errno;
    if (got <= 0)
        boot[0] = '\0';
    close(fd);
    errno = saved;
}

/* A page of zeros, written and not merely sized: a hole could not be filled on a full disk. */
static int prepare(int fd)
{
    char zeros[PAGE_BYTES] = {0};
    struct iovec page = {.iov_base = zeros, .iov_len = sizeof(zeros)};
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -1;
    if (st.st_size >= PAGE_BYTES)
        return 0;
    return io_pwritev_all(fd, &page, 1, 0);
}

static struct logstate_page *map(int dir, int *fd)
{
    *fd = io_openat(dir, "state", O_RDWR | O_CREAT | O_NOFOLLOW, 0640);
    if (*fd < 0 || prepare(*fd) < 0)
        return NULL;
    void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    return page == MAP_FAILED ? NULL : page;
}

int logstate_open(struct logstate *state, int dir, const char *path)
{
    *state = (struct logstate){.path = path, .page_fd = -1};
    pthread_mutex_init(&state->mutex, NULL);
    state->lock_fd = io_openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0640);
    if (state->lock_fd < 0) {
        const int saved = errno;
        log_error("cannot open '%s/lock': %s", path, strerror(saved));
        errno = saved;
        return -1;
    }
    char boot[LOGSTATE_BOOT];
    logstate_boot(boot);
    if (boot[0] == '\0') { /* nobody could believe anybody's page */
        const int saved = errno;
        log_error("cannot read '" BOOT_ID "': %s", strerror(saved));
        errno = saved;
        return -1;
    }
    state->page = map(dir, &state->page_fd);
    if (state->page == NULL) {
        const int saved = errno;
        log_error("cannot map '%s/state': %s", path, strerror(saved));
        errno = saved;
        return -1;
    }
    return 0;
}

void logstate_close(struct logstate *state)
{
    if (state->page != NULL)
        munmap(state->page, PAGE_BYTES);
    if (state->page_fd >= 0)
        close(state->page_fd);
    if (state->lock_fd >= 0)
        close(state->lock_fd);
    pthread_mutex_destroy(&state->mutex);
}

int logstate_enter(struct logstate *state)
{
    pthread_mutex_lock(&state->mutex);
    while (flock(state->lock_fd, LOCK_EX) < 0) {
        if (errno == EINTR)
            continue;
        const int saved = errno;
        log_error("cannot lock '%s/lock': %s", state->path, strerror(saved));
        pthread_mutex_unlock(&state->mutex);
        errno = saved;
        return -1;
    }
    return 0;
}

void logstate_leave(struct logstate *state)
{
    const int saved = errno;

    (void)flock(state->lock_fd, LOCK_UN);
    pthread_mutex_unlock(&state->mutex);
    errno = saved;
}

static bool believed(const struct logstate_page *page)
{
    char boot[LOGSTATE_BOOT];

    logstate_boot(boot);
    return memcmp(page->magic, magic, sizeof(magic)) == 0
        && memcmp(page->boot, boot, sizeof(boot)) == 0;
}

bool logstate_believed(const struct logstate *state)
{
    return believed(state->page);
}

void logstate_announce(const struct logstate *state)
{
    const int saved = errno;

    /* Should it fail, a watcher wakes with the next one. */
    (void)!pwrite(state->page_fd, "", 1, offsetof(struct logstate_page, beat));
    errno = saved;
}

/* The page as it stands in the file, which is the same memory: 1, or 0 if it is no page. */
static int copy_page(int dir, const char *path, struct logstate_page *page)
{
    const int fd = io_openat(dir, "state", O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0 && errno == ENOENT)
        return 0;
    const ssize_t got = fd < 0 ? -1 : pread(fd, page, sizeof(*page), 0);
    const int saved = errno;
    if (got < 0)
        log_error("cannot read '%s/state': %s", path, strerror(saved));
    if (fd >= 0)
        close(fd);
    errno = saved;
    return got < 0 ? -1 : got == sizeof(*page);
}

int logstate_look(int dir, const char *path, struct logstate_page *page)
{
    const int lock = io_openat(dir, "lock", O_RDONLY | O_NOFOLLOW, 0);
    if (lock < 0 && errno == ENOENT)
        return 0;
    int locked = -1;
    while (lock >= 0 && (locked = flock(lock, LOCK_SH)) < 0 && errno == EINTR)
        continue;
    if (locked < 0) {
        const int saved = errno;
        log_error("cannot lock '%s/lock': %s", path, strerror(saved));
        if (lock >= 0)
            close(lock);
        errno = saved;
        return -1;
    }
    int result = copy_page(dir, path, page);
    if (result > 0)
        result = believed(page);
    if (result > 0 && page->phase == LOGSTATE_DOUBTFUL) {
        errno = EWOULDBLOCK;
        result = -1;
    }
    const int saved = errno;
    close(lock);
    errno = saved;
    return result;
}

int logstate_read(int dir, const char *path, uint64_t *synced)
{
    struct logstate_page page;
    const int result = logstate_look(dir, path, &page);

    if (result > 0)
        *synced = page.synced;
    return result;
}

void logstate_begin(struct logstate *state)
{
    struct logstate_page *page = state->page;

    memset(page, 0, sizeof(*page));
    memcpy(page->magic, magic, sizeof(magic));
    logstate_boot(page->boot);
}
