/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int (*io_seam)(const struct io_call *);

/* 0 to go on; -1 with errno when the seam wants the call to fail. */
static int before(const struct io_call *call)
{
    if (io_seam == NULL)
        return 0;
    const int error = io_seam(call);
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

static void after(struct io_call *call)
{
    if (io_seam == NULL)
        return;
    call->done = true;
    (void)io_seam(call);
}

/* One system call with the seam on both sides of it, restarted on EINTR. */
#define THROUGH_SEAM(result, call, expression)            \
    do {                                                  \
        if (before(&(call)) < 0)                          \
            return -1;                                    \
        do                                                \
            (result) = (expression);                      \
        while ((result) < 0 && errno == EINTR);           \
        if ((result) >= 0)                                \
            after(&(call));                               \
    } while (0)

int io_openat(int dir, const char *name, int flags, mode_t mode)
{
    struct io_call call = {.op = IO_OPEN, .fd = dir, .name = name};
    int fd;
    THROUGH_SEAM(fd, call, openat(dir, name, flags | O_CLOEXEC, mode));
    return fd;
}

int io_mkdirat(int dir, const char *name, mode_t mode)
{
    struct io_call call = {.op = IO_MKDIR, .fd = dir, .name = name};
    int result;
    THROUGH_SEAM(result, call, mkdirat(dir, name, mode));
    return result;
}

int io_fdatasync(int fd)
{
    struct io_call call = {.op = IO_FDATASYNC, .fd = fd};
    int result;
    THROUGH_SEAM(result, call, fdatasync(fd));
    return result;
}

int io_fsync(int fd)
{
    struct io_call call = {.op = IO_FSYNC, .fd = fd};
    int result;
    THROUGH_SEAM(result, call, fsync(fd));
    return result;
}

int io_ftruncate(int fd, off_t length)
{
    struct io_call call = {.op = IO_TRUNCATE, .fd = fd, .offset = length};
    int result;
    THROUGH_SEAM(result, call, ftruncate(fd, length));
    return result;
}

int io_linkat(int dir, const char *from, const char *to)
{
    struct io_call call = {.op = IO_LINK, .fd = dir, .name = from, .to = to};
    int result;
    THROUGH_SEAM(result, call, linkat(dir, from, dir, to, 0));
    return result;
}

int io_renameat(int dir, const char *from, const char *to)
{
    struct io_call call = {.op = IO_RENAME, .fd = dir, .name = from, .to = to};
    int result;
    THROUGH_SEAM(result, call, renameat(dir, from, dir, to));
    return result;
}

int io_unlinkat(int dir, const char *name)
{
    struct io_call call = {.op = IO_UNLINK, .fd = dir, .name = name};
    int result;
    THROUGH_SEAM(result, call, unlinkat(dir, name, 0));
    return result;
}

/* Drops the first `bytes` of what the iovecs still have to write. */
static void advance(struct iovec **data, int *count, size_t bytes)
{
    while (*count > 0 && bytes >= (*data)->iov_len) {
        bytes -= (*data)->iov_len;
        ++*data;
        --*count;
    }
    if (*count > 0) {
        (*data)->iov_base = (char *)(*data)->iov_base + bytes;
        (*data)->iov_len -= bytes;
    }
}

int io_pwritev_all(int fd, struct iovec *data, int count, off_t offset)
{
    while (count > 0) {
        struct io_call call = {.op = IO_WRITE, .fd = fd, .data = data, .data_count = count,
                               .offset = offset};
        ssize_t written;
        THROUGH_SEAM(written, call, pwritev(fd, data, count < IOV_MAX ? count : IOV_MAX, offset));
        if (written < 0)
            return -1;
        if (written == 0) {
            errno = ENOSPC;
            return -1;
        }
        offset += written;
        advance(&data, &count, (size_t)written);
    }
    return 0;
}

int io_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        const int wrong = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", wrong) != fd)
            return -1;
    }
    return 0;
}

int64_t io_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
