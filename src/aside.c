/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "aside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "log.h"
#include "segment.h"

static int fail(const char *operation, const char *path, const char *name)
{
    const int saved = errno;

    log_error("cannot %s '%s/%s': %s", operation, path, name, strerror(saved));
    errno = saved;
    return -1;
}

void aside_name(char name[ASIDE_NAME], uint64_t position)
{
    snprintf(name, ASIDE_NAME, "%020" PRIu64 ".damaged", position);
}

static int write_new(int dir, const char *path, const char *bytes, size_t len)
{
    static const char name[] = "damaged.new";
    struct iovec part = {.iov_base = (char *)bytes, .iov_len = len};

    const int fd = io_openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return fail("create", path, name);
    const bool written = len == 0 || io_pwritev_all(fd, &part, 1, 0) == 0;
    const int result = !written || io_fsync(fd) < 0 ? fail("write", path, name) : 0;
    close(fd);
    return result;
}

int aside_keep(int dir, const char *path, uint64_t position, const char *bytes, size_t len)
{
    char name[ASIDE_NAME];

    aside_name(name, position);
    if (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    if (write_new(dir, path, bytes, len) < 0)
        return -1;
    return io_renameat(dir, "damaged.new", name) < 0 || io_fsync(dir) < 0
               ? fail("name", path, name)
               : 0;
}

int aside_blank(int fd, const char *path, uint64_t start, uint64_t position, size_t len)
{
    char name[SEGMENT_NAME_SIZE];
    char *blanks = malloc(len);

    segment_name(name, start);
    if (blanks == NULL)
        return fail("repair", path, name);
    memset(blanks, ' ', len - 1);
    blanks[len - 1] = '\n';
    struct iovec bytes = {.iov_base = blanks, .iov_len = len};
    const int result = io_pwritev_all(fd, &bytes, 1, (off_t)(position - start));
    free(blanks);
    return result < 0 ? fail("repair", path, name) : 0;
}
