/* SPDX-License-Identifier: ISC */
/*
 * flaw: what fsck finds, told on standard output as it is found: a line of
 * text, or of JSON, each. Damage is what ought not to be; a note is what a
 * person may want to know. Of one kind of text no more than a few are told,
 * and then how many more there were; of JSON all.
 *
 * One thread.
 */
#ifndef HOOKSPOOL_FLAW_H
#define HOOKSPOOL_FLAW_H

#include <stdbool.h>
#include <stdint.h>

#include "progress.h"

enum flaw_kind {
    FLAW_DAMAGED_LINE,
    FLAW_UNFINISHED_LINE,
    FLAW_MISSING_BYTES,
    FLAW_NO_FILE,
    FLAW_SETTLED,
    FLAW_STATE,
    FLAW_MISSING_SHARD,
    FLAW_MISSING_ENTRY,
    FLAW_DUPLICATE_ID,
    FLAW_SMALL_FILE,   /* one of the small files of the lock directory */
    FLAW_CURSOR,
    FLAW_JOURNAL_LINE,
    FLAW_REPLAY,
    /* notes */
    FLAW_LOST_BYTES,   /* known to be */
    FLAW_BLANK_LINE,
    FLAW_GIVEN_UP,
    FLAW_TAIL,
    FLAW_STRAY_ENTRY,
    FLAW_UNLOGGED,
    FLAW_PENDING,
    FLAW_UNENTERED,
    FLAW_UNKNOWN_FILE,
    FLAW_UNCONFIGURED,
    FLAW_KINDS
};

struct flaw {
    enum flaw_kind kind;
    const char *file; /* below the spool; NULL: none */
    const char *id;   /* of an event; NULL: none */
    const char *more; /* in words; NULL: none */
    bool placed;      /* position is set */
    uint64_t position, len; /* len 0: none */
    bool repaired;
};

struct flaws {
    const char *spool; /* its name; borrowed */
    bool json, verbose;
    struct progress *progress; /* wiped before a line; borrowed */
    uint64_t counts[FLAW_KINDS];
    uint64_t damage, repaired, notes;
};

void flaws_add(struct flaws *flaws, const struct flaw *flaw);
/* How many more there were. */
void flaws_end(struct flaws *flaws);

#endif
