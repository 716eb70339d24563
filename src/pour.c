/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "pour.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "log.h"

enum { AT_ONCE = 1 << 30, COPY_BYTES = 128 * 1024, PIPE_BYTES = 1 << 20 };

static int fail(const char *what, const char *path)
{
    const int saved = errno;

    if (saved != EPIPE)
        log_error("cannot %s '%s': %s", what, path, strerror(saved));
    errno = saved;
    return -1;
}

static int write_all(const char *bytes, size_t len)
{
    while (len > 0) {
        const ssize_t done = write(STDOUT_FILENO, bytes, len);
        if (done < 0 && errno != EINTR)
            return fail("write to", "standard output");
        bytes += done > 0 ? done : 0;
        len -= done > 0 ? (size_t)done : 0;
    }
    return 0;
}

/* For terminals, files that are appended to, and file systems that cannot send. */
static int copy(int fd, uint64_t offset, uint64_t len, const char *path)
{
    char bytes[COPY_BYTES];

    while (len > 0) {
        const ssize_t got = pread(fd, bytes, len < sizeof(bytes) ? (size_t)len : sizeof(bytes),
                                  (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = EIO; /* it was longer a moment ago */
        if (got <= 0)
            return fail("read", path);
        if (write_all(bytes, (size_t)got) < 0)
            return -1;
        offset += (uint64_t)got;
        len -= (uint64_t)got;
    }
    return 0;
}

/* A pipe that holds more makes fewer turns between writer and reader. */
static void widen(void)
{
    static bool done;

    if (!done) /* what is no pipe, or may not be changed, stays as it is */
        (void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_BYTES);
    done = true;
}

int pour(int fd, uint64_t offset, uint64_t len, const char *path)
{
    off_t at = (off_t)offset;

    widen();
    if (fflush(stdout) != 0)
        return fail("write to", "standard output");
    while (len > 0) {
        const ssize_t sent = sendfile(STDOUT_FILENO, fd, &at,
                                      len < AT_ONCE ? (size_t)len : AT_ONCE);
        if (sent > 0)
            len -= (uint64_t)sent;
        else if (sent == 0 || errno == EINVAL || errno == ENOSYS || errno == EOVERFLOW)
            return copy(fd, (uint64_t)at, len, path);
        else if (errno != EINTR)
            return fail("write to", "standard output");
    }
    return 0;
}
