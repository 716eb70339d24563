/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "segfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "log.h"

enum { PIECE_BYTES = 256 * 1024 };

static void complain(const char *operation, const char *path, uint64_t start)
{
    const int saved = errno;

    log_error("cannot %s '%s/%020" PRIu64 ".ndjson': %s", operation, path, start, strerror(saved));
    errno = saved;
}

struct segfile *segfile_open(int dir, const char *path, const char *name, int flags,
                             uint64_t start)
{
    struct segfile *segment = malloc(sizeof(*segment));
    const int fd = segment == NULL ? -1 : io_openat(dir, name, O_RDWR | O_NOFOLLOW | flags, 0640);

    if (fd < 0) {
        complain("open", path, start);
        free(segment);
        return NULL;
    }
    *segment = (struct segfile){.fd = fd, .start = start, .users = 1, .path = path};
    return segment;
}

struct segfile *segfile_create(int dir, const char *path, uint64_t start)
{
    /* Never what is there: a power cut in a rename may leave both names of one segment. */
    if (io_unlinkat(dir, SEGFILE_NEXT) < 0 && errno != ENOENT) {
        const int saved = errno;
        log_error("cannot remove '%s/" SEGFILE_NEXT "': %s", path, strerror(saved));
        errno = saved;
        return NULL;
    }
    return segfile_open(dir, path, SEGFILE_NEXT, O_CREAT | O_EXCL, start);
}

void segfile_release(struct segfile *segment)
{
    if (segment != NULL && --segment->users == 0) {
        close(segment->fd);
        free(segment);
    }
}

/* One piece at `offset` of the file, read and written back: its length, or -1. */
static ssize_t rewrite_piece(int fd, char *buffer, size_t len, uint64_t offset)
{
    ssize_t got;

    do
        got = pread(fd, buffer, len, (off_t)offset);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        errno = EIO; /* bytes that were there are gone */
    if (got <= 0)
        return -1;
    struct iovec piece = {.iov_base = buffer, .iov_len = (size_t)got};
    return io_pwritev_all(fd, &piece, 1, (off_t)offset) < 0 ? -1 : got;
}

int segfile_rewrite(const struct segfile *segment, uint64_t from, uint64_t to)
{
    if (from < segment->start)
        from = segment->start;
    if (from >= to)
        return 0;

    char *buffer = malloc(PIECE_BYTES);
    ssize_t done = buffer == NULL ? -1 : 0;
    for (; done >= 0 && from < to; from += (uint64_t)done) {
        const size_t len = to - from < PIECE_BYTES ? (size_t)(to - from) : PIECE_BYTES;
        done = rewrite_piece(segment->fd, buffer, len, from - segment->start);
        if (done < 0)
            break;
    }
    if (done < 0)
        complain("write", segment->path, segment->start);
    const int saved = errno;
    free(buffer);
    errno = saved;
    return done < 0 ? -1 : 0;
}
