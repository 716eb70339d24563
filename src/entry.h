/* SPDX-License-Identifier: ISC */
/*
 * entry: what the lock directory (lockdir.h) says of an id, for those who only
 * look: nothing is made, locked or changed.
 *
 * One thread. Errors: -1 with errno, logged here.
 */
#ifndef HOOKSPOOL_ENTRY_H
#define HOOKSPOOL_ENTRY_H

enum entry_kind {
    ENTRY_ABSENT,
    ENTRY_PENDING, /* it is being stored, or its writer died */
    ENTRY_STORED
};

struct entry {
    enum entry_kind kind;
    char day[16]; /* on which it was made, "2026-11-23"; "": not known */
};

/* dir and path are the spool's. An id that no event can have is absent. */
int entry_look(struct entry *entry, int dir, const char *path, const char *id);

#endif
