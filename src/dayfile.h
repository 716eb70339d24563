/* SPDX-License-Identifier: ISC */
/*
 * dayfile: the files days/YYYY-MM-DD of a lock directory, to which the names of
 * all ids of a day are hard links; YYYY-MM-DD.N when the links of one are used
 * up. The inode number of a name tells its age (expiry.h).
 *
 * Days are UTC and counted since 1970. An open struct dayfiles remembers the
 * file that it links to. Threads: any. Errors: -1 with errno, logged here
 * unless noted.
 */
#ifndef HOOKSPOOL_DAYFILE_H
#define HOOKSPOOL_DAYFILE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { DAYFILE_SIZE = 40, DAYFILE_SECONDS = 24 * 60 * 60 };

struct dayfile {
    int64_t day; /* 0: none yet */
    unsigned serial;
    char name[DAYFILE_SIZE]; /* "days/2026-11-23", or "days/2026-11-23.1" */
};

struct dayfiles {
    int dir;          /* of locks/; borrowed, as is path, for messages */
    const char *path;
    pthread_mutex_t mutex;
    struct dayfile used;
};

void dayfiles_open(struct dayfiles *days, int dir, const char *path);
void dayfiles_close(struct dayfiles *days);

/*
 * Makes a new name, below locks/, for a file of today, or of the day `least` if that is later.
 * EEXIST is not logged.
 */
int dayfiles_link(struct dayfiles *days, const char *name, int64_t least);

/* The day of a time in Unix seconds. */
int64_t dayfile_day(int64_t seconds);

/* The day that a name below days/ stands for; false: it is not one of ours. */
bool dayfile_parse(const char *name, int64_t *day);

/* "2026-11-23" */
enum { DAYFILE_DATE = sizeof("2026-11-23") };
void dayfile_date(char date[DAYFILE_DATE], int64_t day);

#endif
