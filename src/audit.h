/* SPDX-License-Identifier: ISC */
/*
 * audit: one spool as fsck goes over it: opened to be read, or to be repaired,
 * and what the parts of fsck know of it in common.
 *
 * Reading needs no more than read access to the spool, takes no lock for
 * longer than a moment and changes nothing. To be repaired the spool is opened
 * as the responder opens it as well (upkeep.h), and others who look after it
 * are kept out (purge_right()).
 *
 * One thread. Errors are logged here or below.
 */
#ifndef HOOKSPOOL_AUDIT_H
#define HOOKSPOOL_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "flaw.h"
#include "forgotten.h"
#include "progress.h"
#include "spool.h"
#include "store.h"

struct audit {
    const struct config *config; /* borrowed */
    struct spool spool;
    struct store *store; /* NULL: only reads */
    int right;           /* purge_right(), for repair */
    char *locks_path;
    int locks;           /* the directory */
    struct forgotten *forgotten;
    int64_t expired;     /* ids of this day, and of those before, may have no entry; or INT64_MIN */
    uint64_t settled;    /* before the end was read; 0 without the file */
    bool bad_settled;    /* the file holds no position, or one where no line begins */
    bool unsettled;      /* it was, and the file is removed; */
    uint64_t was_settled; /* then this is what it held */
    uint64_t begin, end; /* of the log, as far as it is durable */
    bool live;           /* somebody has opened it since the machine was started */
    struct flaws flaws;
    struct progress progress;
    uint64_t segments, events, bytes; /* so far */
    uint64_t all;        /* bytes that are to be read */
    int status;          /* EX_OK, or what went wrong */
};

/* Opens it to be read; false after a message, with status. */
bool audit_open(struct audit *audit, const struct config *config,
                 const struct config_spool *which);
/* And to be repaired, once it can be opened like that. */
bool audit_open_store(struct audit *audit);
/* Reads where the log begins and ends, what was forgotten, and what has expired. */
bool audit_read(struct audit *audit);
void audit_close(struct audit *audit);

/* Takes in what was forgotten, or has expired, since. */
bool audit_refresh(struct audit *audit);

/* Must an id have an entry for its line at this position, of an event that arrived then? */
bool audit_wants_entry(const struct audit *audit, const char *id, size_t len, uint64_t position,
                        int64_t received);

/* A system call failed, of which was told: the status becomes this, unless it was worse. */
void audit_failed(struct audit *audit, int error);

#endif
