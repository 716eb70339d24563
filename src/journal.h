/* SPDX-License-Identifier: ISC */
/*
 * journal: a file of lines that prove themselves (record_sealed()), which
 * grows at its end and is durable when it has grown.
 *
 * Crash: a torn last line is no line; the next append cuts it. A line in the
 * middle that does not prove itself is damage: it is shown to who scans, and
 * stays where it is.
 *
 * Who appends has seen all that is there (journal_scan(), journal_skip()) and
 * excludes others (consumer_enter()). One thread. Errors: -1 with errno, logged.
 */
#ifndef HOOKSPOOL_JOURNAL_H
#define HOOKSPOOL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct journal {
    int dir, fd;      /* fd is -1 while there is no file */
    const char *path; /* of the directory, for messages; borrowed, as is name */
    const char *name;
    bool write;
    bool named;       /* its name is on stable storage */
    uint64_t end;     /* of the last whole line that was seen */
};

/* With `write` the file is made if it is missing. */
int journal_open(struct journal *journal, int dir, const char *path, const char *name, bool write);
void journal_close(struct journal *journal);

/*
 * A line with its newline, and where it begins. Return 0 to go on; what else, the scan returns:
 * the next one begins behind this line or, when it was negative, with it.
 */
typedef int journal_visit(void *context, const char *line, size_t len, uint64_t offset,
                          bool proven);

/* All whole lines from the end that was seen last to the end of the file. */
int journal_scan(struct journal *journal, journal_visit *visit, void *context);

/* Takes all whole lines for seen, without looking at them. */
int journal_skip(struct journal *journal);

/* Is this still the file of that name, and no shorter? 1; 0: no, or there is one now; -1. */
int journal_current(const struct journal *journal);

/*
 * Appends and syncs lines, `bytes` in all. After -1 nothing of them counts in this journal; should
 * it be impossible to cut them off, who opens the file next may find them.
 */
int journal_append(struct journal *journal, struct iovec *lines, int count, size_t bytes);

/*
 * Makes durable what was seen, before something else is given up for it: who wrote it may have died
 * before his sync, or was told that it failed, and could not cut it off. So all of it is written
 * over itself (segfile.h tells why), and synced with the name.
 */
int journal_secure(struct journal *journal);

/*
 * Writes the file anew, with the lines that `keep` says true of, under its name: durable when it
 * returns 0. This journal is still open on the old one; journal_current() tells.
 */
typedef bool journal_keep(void *context, const char *line, size_t len, uint64_t offset,
                          bool proven);
int journal_rewrite(struct journal *journal, journal_keep *keep, void *context);

#endif
