/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "feed.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
    COPY_BYTES = 64 * 1024,
    SPLICE_BYTES = 1 << 30,
    ROUNDS = 64 /* and then others have their turn, however fast it is read */
};

size_t feed_bytes(const struct feed *feed)
{
    size_t bytes = 0;

    for (size_t i = 0; i < feed->count; i++)
        bytes += feed->pieces[i].len + feed->pieces[i].newline;
    return bytes;
}

/* For file systems that cannot splice. */
static ssize_t copy(const struct feed_piece *piece, size_t done, int pipe)
{
    char buffer[COPY_BYTES];
    const size_t left = piece->len - done;

    const ssize_t got = pread(piece->fd, buffer, left < sizeof(buffer) ? left : sizeof(buffer),
                              piece->offset + (off_t)done);
    return got <= 0 ? got : write(pipe, buffer, (size_t)got);
}

/* Writes some of the piece at hand: how much, 0 if the file is too short, or -1. */
static ssize_t write_some(const struct feed_piece *piece, size_t done, int pipe)
{
    off_t offset = piece->offset + (off_t)done;
    size_t left = piece->len - done;

    if (left == 0)
        return write(pipe, "\n", 1);
    if (left > SPLICE_BYTES)
        left = SPLICE_BYTES;
    const ssize_t moved =
        splice(piece->fd, &offset, pipe, NULL, left, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    return moved < 0 && errno == EINVAL ? copy(piece, done, pipe) : moved;
}

enum feed_state feed_write(struct feed *feed, int pipe)
{
    for (int round = 0; feed->at < feed->count; round++) {
        if (round == ROUNDS)
            return FEED_FULL;
        const struct feed_piece *piece = &feed->pieces[feed->at];
        if (feed->done == piece->len + piece->newline) {
            feed->at++;
            feed->done = 0;
            continue;
        }
        const ssize_t written = write_some(piece, feed->done, pipe);
        if (written > 0) {
            feed->done += (size_t)written;
        } else if (written == 0) {
            errno = EIO;
            return FEED_FAILED;
        } else if (errno == EAGAIN) {
            return FEED_FULL;
        } else if (errno != EINTR) {
            return errno == EPIPE ? FEED_CLOSED : FEED_FAILED;
        }
    }
    return FEED_OVER;
}
