/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "logstate.h"

#include <errno.h>
#include <fcntl.h>
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

/* Empty when the kernel does not tell. */
static void read_boot_id(char *boot, size_t size)
{
    memset(boot, 0, size);
    const int fd = io_openat(AT_FDCWD, BOOT_ID, O_RDONLY, 0);
    if (fd < 0)
        return;
    const ssize_t got = read(fd, boot, size - 1);
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

static struct logstate_page *map(int dir)
{
    const int fd = io_openat(dir, "state", O_RDWR | O_CREAT | O_NOFOLLOW, 0640);

    if (fd < 0)
        return NULL;
    void *page = MAP_FAILED;
    if (prepare(fd) == 0)
        page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    const int saved = errno;
    close(fd);
    errno = saved;
    return page == MAP_FAILED ? NULL : page;
}

int logstate_open(struct logstate *state, int dir, const char *path)
{
    *state = (struct logstate){.path = path};
    pthread_mutex_init(&state->mutex, NULL);
    state->lock_fd = io_openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0640);
    if (state->lock_fd < 0) {
        const int saved = errno;
        log_error("cannot open '%s/lock': %s", path, strerror(saved));
        errno = saved;
        return -1;
    }
    char boot[sizeof(state->page->boot)];
    read_boot_id(boot, sizeof(boot));
    if (boot[0] == '\0') { /* nobody could believe anybody's page */
        const int saved = errno;
        log_error("cannot read '" BOOT_ID "': %s", strerror(saved));
        errno = saved;
        return -1;
    }
    state->page = map(dir);
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

bool logstate_believed(const struct logstate *state)
{
    const struct logstate_page *page = state->page;
    char boot[sizeof(page->boot)];

    read_boot_id(boot, sizeof(boot));
    return memcmp(page->magic, magic, sizeof(magic)) == 0
        && memcmp(page->boot, boot, sizeof(boot)) == 0;
}

void logstate_begin(struct logstate *state)
{
    struct logstate_page *page = state->page;

    memset(page, 0, sizeof(*page));
    memcpy(page->magic, magic, sizeof(magic));
    read_boot_id(page->boot, sizeof(page->boot));
}
