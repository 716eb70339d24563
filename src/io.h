/* SPDX-License-Identifier: ISC */
/*
 * io: the system calls that the promise rests on, and the seam under them.
 *
 * Each function does one thing, restarts on EINTR, and returns what the
 * system call does, with errno. Nothing here knows a path for a message:
 * the caller names operation and object.
 *
 * The seam: when io_seam is set, it is told of every call before it happens
 * (done = false; a value other than 0 is taken as the errno to fail with)
 * and after it succeeded (done = true). Tests use it to fail the Nth call,
 * to end the process between two steps, and to record what a disk was told.
 * A program never sets it.
 *
 * A failed fdatasync or fsync must not be repeated: the kernel may have
 * dropped the pages and would report success (eventlog.h says what is done).
 */
#ifndef HOOKSPOOL_IO_H
#define HOOKSPOOL_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

enum io_op {
    IO_OPEN, IO_MKDIR, IO_WRITE, IO_FDATASYNC, IO_FSYNC, IO_TRUNCATE, IO_LINK, IO_RENAME, IO_UNLINK
};

struct io_call {
    enum io_op op;
    bool done;
    int fd;                  /* the file, or the directory of name */
    const char *name;        /* NULL when the call has none */
    const char *to;          /* second name of link and rename */
    const struct iovec *data;
    int data_count;
    off_t offset;            /* of a write; length of a truncate */
};

extern int (*io_seam)(const struct io_call *);

int io_openat(int dir, const char *name, int flags, mode_t mode);
int io_mkdirat(int dir, const char *name, mode_t mode);
int io_fdatasync(int fd);
int io_fsync(int fd);
int io_ftruncate(int fd, off_t length);
int io_linkat(int dir, const char *from, const char *to);   /* both below dir */
int io_renameat(int dir, const char *from, const char *to); /* both below dir */
int io_unlinkat(int dir, const char *name);

/*
 * Writes all of it at the offset: 0, or -1 with errno (ENOSPC for a write
 * that made no progress). After a failure any part may have been written.
 * The iovecs are consumed.
 */
int io_pwritev_all(int fd, struct iovec *data, int count, off_t offset);

/*
 * What a program begins with: standard descriptors that are closed would be taken by the first
 * files opened, the spool's. They stay as good as closed: what uses them fails. 0, or -1.
 */
int io_standard(void);

/* Nanoseconds on CLOCK_MONOTONIC: what every deadline is counted in. */
int64_t io_now(void);

#endif
