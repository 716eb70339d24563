/* SPDX-License-Identifier: ISC */
/*
 * ringfile: the file of a ring: a header, and slots of one size in which
 * requests (kept.h) are written over in turn.
 *
 *   0                     struct ringfile: magic, hash, slots, slot_size, next
 *   RINGFILE_START        slot 0, then the others, each of slot_size bytes
 *
 * The request of number n stands in slot n % slots. next is the number of the
 * next one; it is raised after the slot was written. A slot proves itself, so
 * whatever a crash or a power cut leaves of the file is read as far as it is
 * whole. The file is sparse and at most RINGFILE_BYTES long; what was written
 * once is written over in place.
 *
 * Who writes holds the lock (F_OFD_SETLK of byte 0) on a descriptor of its
 * own; readers share it while they list what there is, but not while they read
 * that: a slot that is just being written reads as damaged, and is read again.
 *
 * Errors: -1 with errno, not logged: what they mean the caller knows.
 */
#ifndef HOOKSPOOL_RINGFILE_H
#define HOOKSPOOL_RINGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kept.h"

enum {
    RINGFILE_BYTES = 64 * 1024 * 1024,
    RINGFILE_START = 4096,
    RINGFILE_SLOTS = 1000 /* at most: then a slot has 64 KiB */
};

struct ringfile {
    char magic[8];
    uint64_t hash; /* of what follows */
    uint32_t slots, slot_size;
    uint64_t next;
};

/* So many slots, none written yet; their size follows. */
struct ringfile ringfile_layout(unsigned slots);

/* Waits for the lock for so many nanoseconds: 0, or -1 (EAGAIN: another still holds it). */
enum ringfile_locking { RINGFILE_ALONE, RINGFILE_SHARED };
int ringfile_lock(int fd, enum ringfile_locking how, int64_t patience);
void ringfile_unlock(int fd);

/* 1; 0: there is none, or it does not prove itself; -1. */
int ringfile_read_header(int fd, struct ringfile *file);
int ringfile_write_header(int fd, struct ringfile *file);

/* Writes the request of a number (kept_seal() is called here) into its slot. */
int ringfile_write(int fd, const struct ringfile *file, uint64_t number, struct kept_head *note,
                   size_t len, const void *body, size_t body_len);

/* The number that stands in the slot of `number`, read from its head alone; 0: none does. */
uint64_t ringfile_number(int fd, const struct ringfile *file, uint64_t number);

enum ringfile_slot {
    RINGFILE_KEPT,
    RINGFILE_EMPTY,
    RINGFILE_DAMAGED,
    RINGFILE_FAILED /* errno */
};

/* Reads a slot. On RINGFILE_KEPT, kept_release() when it is done with. */
enum ringfile_slot ringfile_read(int fd, const struct ringfile *file, unsigned slot,
                                 struct kept *kept);

/*
 * The numbers of what is kept, ascending, *count of them, malloc()ed, as the heads have them.
 * NULL with errno.
 */
uint64_t *ringfile_list(int fd, const struct ringfile *file, size_t *count);

#endif
