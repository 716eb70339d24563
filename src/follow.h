/* SPDX-License-Identifier: ISC */
/*
 * follow: wakes who waits for a log to grow, by inotify(7).
 *
 * What is stored is announced by a write to log/state (logstate_announce()).
 * The directory is watched as well, since that file may be made later.
 * Nothing is lost between opening and reading: open first, read then.
 *
 * One thread. Errors: NULL or -1 with errno, logged here.
 */
#ifndef HOOKSPOOL_FOLLOW_H
#define HOOKSPOOL_FOLLOW_H

#include <stdint.h>

struct follow;

struct follow *follow_open(int log_dir, const char *log_path);
void follow_close(struct follow *follow);

/* Can be read when something happened; for poll(2). */
int follow_fd(const struct follow *follow);
/* Reads the events away. */
int follow_clear(struct follow *follow);

/* Watches another directory, for these events of inotify. */
int follow_watch(struct follow *follow, int dir, const char *path, uint32_t events);

#endif
