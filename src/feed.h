/* SPDX-License-Identifier: ISC */
/*
 * feed: writes pieces of files into a pipe, as far as it takes them, without
 * copying them through this program where the file system allows (splice(2)).
 *
 * One thread. Nothing is logged: the errno goes to who knows the command.
 */
#ifndef HOOKSPOOL_FEED_H
#define HOOKSPOOL_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* len bytes of a file, and perhaps a newline behind them. */
struct feed_piece {
    int fd; /* borrowed */
    off_t offset;
    size_t len;
    bool newline;
};

struct feed {
    const struct feed_piece *pieces; /* borrowed */
    size_t count;
    size_t at;   /* the piece at hand, */
    size_t done; /* and how much of it is written, its newline included */
};

enum feed_state {
    FEED_OVER,   /* all is written */
    FEED_FULL,   /* the pipe takes no more now, or has taken much */
    FEED_CLOSED, /* nobody reads it any more */
    FEED_FAILED  /* errno: a file could not be read, or is too short (EIO) */
};

/* The pipe does not block, and SIGPIPE is ignored. */
enum feed_state feed_write(struct feed *feed, int pipe);

/* How much there is to write in all. */
size_t feed_bytes(const struct feed *feed);

#endif
