/* SPDX-License-Identifier: ISC */
/*
 * offer: some events on their way: offered to the command as one batch, and,
 * when that fails, in halves, in their order, until each that fails has failed
 * alone. What came of a part is written down (verdict.h) before the next is
 * run, so at any time a part at the front is decided and the rest is not.
 *
 * The events are an extent of the log (of a lane: the log itself, or a replay)
 * or entries of retry. One offer has one run at a time; a drain has as many
 * offers as it has jobs, so the cursor never has more gaps than that.
 *
 * One thread. Errors are logged and end up in struct offers.
 */
#ifndef HOOKSPOOL_OFFER_H
#define HOOKSPOOL_OFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "ledger.h"
#include "runner.h"

enum {
    OFFER_JOBS = 64, /* at most */
    OFFER_BATCH = 1000000,
    OFFER_DEPTH = 24,
    OFFER_VARIABLES = 9,
    OFFER_VARIABLE = 256
};

struct offer_options {
    size_t batch;    /* events a run */
    unsigned jobs;   /* runs at a time */
    int64_t timeout; /* seconds a run; 0: any */
    uint64_t max;    /* events in all; UINT64_MAX: any number */
    unsigned max_failures; /* 0: any number */
    bool wait, follow, ordered, report_failures, verbose, quiet;
    char *const *command;
};

/* Where events of the log come from. */
struct lane {
    struct cursor *cursor;
    const struct filter *filter;
    struct reader *reader;
    uint64_t next; /* where the next batch begins */
    uint64_t end;
};

/* What all offers of a drain share. */
struct offers {
    const struct offer_options *options;
    struct ledger *ledger;
    struct runner *runner;
    struct reader *again; /* reads what was offered before */
    const char *program, *spool;
    uint64_t acknowledged;
    struct batch_damage damage;
    unsigned streak; /* events that failed alone, with no success since */
    unsigned asked;  /* signals that ask us to end */
    bool broken;     /* the streak was too long, or order forbids to go on: begin nothing new */
    bool over;       /* nothing more is run in this drain */
    int status;      /* sysexits.h: what is to be told */
};

struct offer {
    bool busy;
    struct lane *lane;      /* NULL: entries of retry */
    struct batch batch;     /* that is being run */
    uint64_t next, end;     /* of the lane: what is not decided */
    struct retry_entry *entries;
    size_t entry, entry_count; /* likewise */
    size_t parts[OFFER_DEPTH]; /* how many events each next batch has; the last one is at hand */
    size_t depth;
    char variables[OFFER_VARIABLES][OFFER_VARIABLE];
    char *environment[OFFER_VARIABLES + 1];
};

enum offer_begun {
    OFFER_RUNS,
    OFFER_SKIPPED, /* what came next in the lane is not wanted: ask again */
    OFFER_NOTHING, /* is left */
    OFFER_FAILED
};

/* Takes the next `most` events of a lane that are not decided, and runs them. */
enum offer_begun offer_lane(struct offers *offers, struct offer *offer, struct lane *lane,
                            size_t most);
/* The same with failed events that are due, `count` of them in offer->entries. */
enum offer_begun offer_retry(struct offers *offers, struct offer *offer, size_t count);

/* Runs the next part of what is not decided. */
void offer_part(struct offers *offers, struct offer *offer);
/* The part that was run is to be offered again, in two. */
void offer_split(struct offer *offer);
/* It is decided: moves on behind it. */
int offer_pass(struct offer *offer);

/*
 * The events of the part that was run, one by one, with id, type, position and event set. A visit
 * returns 0 to go on. What it returned, or -1.
 */
typedef int offer_visit(void *context, struct failure *event);
int offer_events(struct offers *offers, struct offer *offer, offer_visit *visit, void *context);

/* The drain comes to its end, with this status, unless there was another before. */
void offer_end(struct offers *offers, int status);
/* The same, because something could not be written down: errno says what. */
void offer_end_doubtful(struct offers *offers);

void offer_release(struct offer *offer);

#endif
