/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "durable.h"
#include "io.h"
#include "log.h"
#include "record.h"

enum {
    READ_BYTES = 64 * 1024,
    LINE_LIMIT = 176 * 1024 * 1024 /* a record, and what is said of its failures */
};

static int fail(const struct journal *journal, const char *operation)
{
    const int saved = errno;

    log_error("cannot %s '%s/%s': %s", operation, journal->path, journal->name, strerror(saved));
    errno = saved;
    return -1;
}

int journal_open(struct journal *journal, int dir, const char *path, const char *name, bool write)
{
    *journal = (struct journal){.dir = dir, .path = path, .name = name, .write = write};
    if (write) {
        journal->fd = durable_open(dir, path, name, O_RDWR | O_CREAT);
        return journal->fd < 0 ? -1 : 0;
    }
    journal->fd = io_openat(dir, name, O_RDONLY | O_NOFOLLOW, 0);
    return journal->fd < 0 && errno != ENOENT ? fail(journal, "open") : 0;
}

void journal_close(struct journal *journal)
{
    const int saved = errno;

    if (journal->fd >= 0)
        close(journal->fd);
    journal->fd = -1;
    errno = saved;
}

int journal_current(const struct journal *journal)
{
    struct stat named, open;

    if (fstatat(journal->dir, journal->name, &named, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? journal->fd < 0 : fail(journal, "stat");
    if (journal->fd < 0)
        return 0;
    if (fstat(journal->fd, &open) < 0)
        return fail(journal, "stat");
    return named.st_ino == open.st_ino && named.st_dev == open.st_dev
        && (uint64_t)open.st_size >= journal->end; /* a line behind a gap would be none */
}

/* What was read of the file: buffer[0..filled) stands in it from journal->end on. */
struct window {
    char *buffer;
    size_t filled, room;
};

/* Reads more: 1, 0 at the end, -1. */
static int fill(const struct journal *journal, struct window *window)
{
    if (window->filled == window->room) {
        const size_t room = window->room == 0 ? READ_BYTES : window->room * 2;
        char *grown = window->room >= LINE_LIMIT ? NULL : realloc(window->buffer, room);
        if (grown == NULL) {
            errno = window->room >= LINE_LIMIT ? EFBIG : ENOMEM;
            return fail(journal, "read");
        }
        window->buffer = grown;
        window->room = room;
    }
    ssize_t got;
    do
        got = pread(journal->fd, window->buffer + window->filled, window->room - window->filled,
                    (off_t)(journal->end + window->filled));
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fail(journal, "read");
    window->filled += (size_t)got;
    return got > 0;
}

/* Visits the whole lines of the window and moves the end behind them. */
static int visit_lines(struct journal *journal, struct window *window, size_t searched,
                       journal_visit *visit, void *context)
{
    const char *newline;
    size_t begin = 0, content;
    int result = 0;

    while (result == 0
           && (newline = memchr(window->buffer + searched, '\n', window->filled - searched))
                  != NULL) {
        const char *line = window->buffer + begin;
        searched = (size_t)(newline - window->buffer) + 1;
        const size_t len = searched - begin;
        result = visit(context, line, len, journal->end + begin,
                       record_sealed(line, len, &content));
        if (result >= 0) /* else it was not taken in */
            begin = searched;
    }
    window->filled -= begin;
    journal->end += begin;
    memmove(window->buffer, window->buffer + begin, window->filled);
    return result;
}

int journal_scan(struct journal *journal, journal_visit *visit, void *context)
{
    struct window window = {0};
    size_t searched = 0;
    int result = 0;

    while (journal->fd >= 0 && (result = fill(journal, &window)) > 0) {
        result = visit_lines(journal, &window, searched, visit, context);
        if (result != 0)
            break;
        searched = window.filled;
    }
    const int saved = errno;
    free(window.buffer);
    errno = saved;
    return result;
}

int journal_skip(struct journal *journal)
{
    char buffer[READ_BYTES];
    struct stat st;

    if (fstat(journal->fd, &st) < 0)
        return fail(journal, "stat");
    uint64_t end = (uint64_t)st.st_size;
    while (end > journal->end) { /* backwards, to the last newline */
        const uint64_t left = end - journal->end;
        const size_t want = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);
        const ssize_t got = pread(journal->fd, buffer, want, (off_t)(end - want));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(journal, "read");
        const char *newline = (size_t)got < want ? NULL : memrchr(buffer, '\n', want);
        if (newline != NULL) {
            journal->end = end - want + (uint64_t)(newline - buffer) + 1;
            return 0;
        }
        end -= want;
    }
    return 0;
}

/* Takes back what may have been written behind the end. */
static void cut(const struct journal *journal)
{
    const int saved = errno;

    if (io_ftruncate(journal->fd, (off_t)journal->end) < 0)
        (void)fail(journal, "cut");
    errno = saved;
}

int journal_append(struct journal *journal, struct iovec *lines, int count, size_t bytes)
{
    struct stat st;

    if (fstat(journal->fd, &st) < 0)
        return fail(journal, "stat");
    if ((uint64_t)st.st_size > journal->end) { /* torn by a crash */
        log_warn("cut a torn line of %ju bytes at the end of '%s/%s'",
                 (uintmax_t)st.st_size - journal->end, journal->path, journal->name);
        if (io_ftruncate(journal->fd, (off_t)journal->end) < 0)
            return fail(journal, "cut");
    }
    if (io_pwritev_all(journal->fd, lines, count, (off_t)journal->end) < 0) {
        (void)fail(journal, "write");
        cut(journal);
        return -1;
    }
    /* The name as well, once: who made the file may have died before he did it. */
    if (io_fdatasync(journal->fd) < 0 || (!journal->named && io_fsync(journal->dir) < 0)) {
        (void)fail(journal, "sync"); /* what it holds now is not known: none of it counts */
        cut(journal);
        return -1;
    }
    journal->named = true;
    journal->end += bytes;
    return 0;
}

/* Writes what was seen over itself. */
static int write_again(const struct journal *journal)
{
    char buffer[READ_BYTES];
    uint64_t at = 0;

    while (at < journal->end) {
        const uint64_t left = journal->end - at;
        const size_t want = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);
        const ssize_t got = pread(journal->fd, buffer, want, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = EIO; /* it was longer when it was seen */
        if (got <= 0)
            return fail(journal, "read");
        struct iovec piece = {.iov_base = buffer, .iov_len = (size_t)got};
        if (io_pwritev_all(journal->fd, &piece, 1, (off_t)at) < 0)
            return fail(journal, "write");
        at += (uint64_t)got;
    }
    return 0;
}

int journal_secure(struct journal *journal)
{
    if (write_again(journal) < 0)
        return -1;
    if (io_fdatasync(journal->fd) < 0 || io_fsync(journal->dir) < 0)
        return fail(journal, "sync");
    journal->named = true;
    return 0;
}

struct rewrite {
    const struct journal *journal;
    int fd;
    uint64_t to;
    journal_keep *keep;
    void *context;
};

static int rewrite_line(void *context, const char *line, size_t len, uint64_t offset, bool proven)
{
    struct rewrite *rewrite = context;
    struct iovec part = {.iov_base = (char *)line, .iov_len = len};

    if (!rewrite->keep(rewrite->context, line, len, offset, proven))
        return 0;
    if (io_pwritev_all(rewrite->fd, &part, 1, (off_t)rewrite->to) < 0)
        return fail(rewrite->journal, "write anew");
    rewrite->to += len;
    return 0;
}

int journal_rewrite(struct journal *journal, journal_keep *keep, void *context)
{
    struct journal whole = *journal; /* read once more, from the beginning */
    struct rewrite rewrite = {.journal = journal, .keep = keep, .context = context};

    rewrite.fd = durable_begin(journal->dir, journal->path, journal->name);
    if (rewrite.fd < 0)
        return -1;
    whole.end = 0;
    int result = journal_scan(&whole, rewrite_line, &rewrite);
    if (result == 0)
        result = durable_commit(journal->dir, journal->path, journal->name, rewrite.fd);
    if (result != 0)
        durable_abandon(journal->dir, journal->name);
    const int saved = errno;
    close(rewrite.fd);
    errno = saved;
    return result;
}
