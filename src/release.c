/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "release.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "delivery.h"
#include "entry.h"
#include "event.h"
#include "io.h"
#include "jsonc.h"
#include "log.h"
#include "out.h"
#include "record.h"
#include "store.h"
#include "upkeep.h"

#define DEADLINE (INT64_C(60) * 1000000000)

enum outcome {
    RELEASE_NO_MATTER, /* not a refusal that could be undone */
    RELEASE_REFUSED,   /* it still is */
    RELEASE_CUT,
    RELEASE_IGNORED,
    RELEASE_DUPLICATE,
    RELEASE_STORED,
    RELEASE_FAILED
};

struct release {
    const struct release_options *options;
    const struct config *config;
    const struct config_endpoint *endpoint;
    const struct keyring *keyring;
    char *spool;         /* its path */
    struct store *store; /* NULL: nothing was to be stored yet */
    bool shut;           /* it cannot be opened */
    unsigned counts[RELEASE_FAILED + 1];
};

/* ---- does it hold now? */

/* Why it does not; NULL: it does. */
static const char *judge(const struct release *release, const struct kept *kept,
                         struct delivery *delivery)
{
    int error;

    const char *fault = delivery_parse(delivery, kept->variables, kept->head->came,
                                       release->endpoint->tolerance);
    if (fault != NULL)
        return fault;
    const struct secret *secret = secrets_verify(
        &release->keyring->files[0].secrets, kept->head->came, delivery->id, delivery->timestamp,
        kept->body, kept->head->body_len, delivery->signatures, delivery->signatures_len, &error);
    if (secret != NULL)
        return NULL;
    return error == 0 ? "no signature matches" : strerror(error);
}

/* A refusal that another secret or tolerance can undo. */
static bool is_candidate(const struct kept *kept)
{
    return kept->head->status == 401
        || (kept->head->status == 400 && (strcmp(kept->reason, "timestamp too old") == 0
                                          || strcmp(kept->reason, "timestamp too new") == 0));
}

/* ---- storing it */

static char *make_record(const struct release *release, const struct delivery *delivery,
                         struct event *event, size_t *len)
{
    event->id = delivery->id;
    event->source = release->endpoint->path;
    event->time = delivery->when;
    clock_gettime(CLOCK_REALTIME, &event->received);
    return record_encode(event, len);
}

/* Not before there is something to store. */
static bool open_store(struct release *release)
{
    int status;

    if (release->store == NULL && !release->shut)
        release->store =
            upkeep_open(release->config, release->endpoint->spool_config, &status);
    release->shut = release->store == NULL;
    return !release->shut;
}

/* Until it is known: the disk may take longer than any deadline. */
static enum store_verdict put(struct store *store, const char *id, const char *line, size_t len)
{
    struct store_ticket ticket;

    enum store_verdict verdict = store_put(store, id, line, len, io_now() + DEADLINE, &ticket);
    if (verdict != STORE_LATE)
        return verdict;
    store_finish(store, id, &ticket);
    verdict = store_put(store, id, line, len, io_now() + DEADLINE, &ticket);
    if (verdict == STORE_LATE)
        store_finish(store, id, &ticket);
    return verdict == STORE_DUPLICATE ? STORE_STORED : verdict;
}

/* Would it be a duplicate? By its entry alone, for a dry run opens nothing. */
static bool is_stored(const struct release *release, const char *id)
{
    struct entry entry = {.kind = ENTRY_ABSENT};

    const int dir = io_openat(AT_FDCWD, release->spool, O_RDONLY | O_DIRECTORY, 0);
    if (dir < 0)
        return false;
    (void)entry_look(&entry, dir, release->spool, id);
    close(dir);
    return entry.kind == ENTRY_STORED;
}

static enum outcome store(struct release *release, const struct delivery *delivery,
                          struct event *event, const char **why)
{
    size_t len;

    if (release->options->dry_run)
        return is_stored(release, delivery->id) ? RELEASE_DUPLICATE : RELEASE_STORED;
    if (!open_store(release)) {
        *why = "spool cannot be opened";
        return RELEASE_FAILED;
    }
    char *line = make_record(release, delivery, event, &len);
    if (line == NULL) {
        *why = "out of memory";
        return RELEASE_FAILED;
    }
    const enum store_verdict verdict = put(release->store, delivery->id, line, len);
    free(line);
    switch (verdict) {
    case STORE_STORED:
        return RELEASE_STORED;
    case STORE_DUPLICATE:
        return RELEASE_DUPLICATE;
    case STORE_BUSY:
        *why = "id is being stored by another request";
        break;
    case STORE_FULL:
        *why = "no room in the spool";
        break;
    case STORE_LATE:
    case STORE_SLOW:
        *why = "disk has not answered in time";
        break;
    case STORE_FAILED:
        *why = "spool failed";
        break;
    }
    return RELEASE_FAILED;
}

static enum outcome release_one(struct release *release, const struct kept *kept,
                                struct delivery *delivery, const char **why)
{
    struct event event = {.body = kept->body, .body_len = kept->head->body_len};

    *why = NULL;
    delivery->id[0] = '\0';
    if (!is_candidate(kept))
        return RELEASE_NO_MATTER;
    if (kept_is_cut(kept)) {
        (void)delivery_parse(delivery, kept->variables, kept->head->came, 0); /* for its id */
        return RELEASE_CUT;
    }
    *why = judge(release, kept, delivery);
    if (*why != NULL)
        return RELEASE_REFUSED;
    if (event_examine(&event, release->endpoint->default_type) < 0) {
        *why = "out of memory";
        return RELEASE_FAILED;
    }
    if (!config_wants(release->endpoint, event.type))
        return RELEASE_IGNORED;
    return store(release, delivery, &event, why);
}

/* ---- what is said */

static const char *const words[] = {[RELEASE_REFUSED] = "refused", [RELEASE_CUT] = "cut",
                                    [RELEASE_IGNORED] = "ignored",
                                    [RELEASE_DUPLICATE] = "duplicate",
                                    [RELEASE_STORED] = "stored", [RELEASE_FAILED] = "failed"};

static void tell_json(const struct release *release, const struct kept *kept, const char *id,
                      enum outcome outcome, const char *why)
{
    printf("{\"number\":%" PRIu64 ",\"id\":", kept->head->number);
    if (id[0] == '\0')
        fputs("null", stdout);
    else
        jsonc_put(stdout, id, strlen(id));
    printf(",\"outcome\":\"%s\",\"reason\":", words[outcome]);
    if (why == NULL)
        fputs("null", stdout);
    else
        jsonc_put(stdout, why, strlen(why));
    printf(",\"dry_run\":%s}\n", release->options->dry_run ? "true" : "false");
}

static void tell(const struct release *release, const struct kept *kept, const char *id,
                 enum outcome outcome, const char *why)
{
    const bool dry_run = release->options->dry_run;

    if (release->options->json) {
        tell_json(release, kept, id, outcome, why);
        return;
    }
    if (release->options->quiet && outcome != RELEASE_STORED && outcome != RELEASE_FAILED)
        return;
    printf("%6" PRIu64 "  %s  ", kept->head->number, id[0] == '\0' ? "-" : id);
    switch (outcome) {
    case RELEASE_CUT:
        printf("only %u of its %" PRIu64 " bytes are kept: it can be neither verified nor stored\n",
               kept->head->body_len, kept->head->sent);
        break;
    case RELEASE_IGNORED:
        puts("holds, but its type is not subscribed");
        break;
    case RELEASE_DUPLICATE:
        puts("duplicate: it is stored already");
        break;
    case RELEASE_STORED:
        puts(dry_run ? "would be stored" : "stored");
        break;
    case RELEASE_REFUSED:
        printf("still refused: %s\n", why);
        break;
    case RELEASE_FAILED:
    case RELEASE_NO_MATTER:
        printf("not stored: %s; try again\n", why);
        break;
    }
}

static void tell_end(const struct release *release)
{
    const unsigned *counts = release->counts;

    if (release->options->json || release->options->quiet)
        return;
    printf("%u %s, %u duplicate%s, %u still refused", counts[RELEASE_STORED],
           release->options->dry_run ? "would be stored" : "stored", counts[RELEASE_DUPLICATE],
           counts[RELEASE_DUPLICATE] == 1 ? "" : "s", counts[RELEASE_REFUSED]);
    if (counts[RELEASE_CUT] > 0)
        printf(", %u not kept whole", counts[RELEASE_CUT]);
    if (counts[RELEASE_IGNORED] > 0)
        printf(", %u not subscribed", counts[RELEASE_IGNORED]);
    if (counts[RELEASE_FAILED] > 0)
        printf(", %u failed", counts[RELEASE_FAILED]);
    putchar('\n');
}

/* ---- all of it */

static int release_all(struct release *release, struct ringview *view, const uint64_t *numbers,
                       size_t count)
{
    struct delivery delivery;
    struct kept kept;
    const char *why;

    for (size_t i = 0; i < count; i++) {
        const int found = ringview_read(view, numbers[i], &kept);
        if (found < 0)
            return EX_IOERR;
        if (found == 0) {
            log_warn("request %" PRIu64 " was written over, or is damaged", numbers[i]);
            continue;
        }
        const enum outcome outcome = release_one(release, &kept, &delivery, &why);
        release->counts[outcome]++;
        if (outcome != RELEASE_NO_MATTER)
            tell(release, &kept, delivery.id, outcome, why);
        kept_release(&kept);
    }
    tell_end(release);
    return release->counts[RELEASE_FAILED] > 0 ? EX_TEMPFAIL : EX_OK;
}

int release_run(const struct release_options *options, const struct config *config,
                struct ringview *view, const struct keyring *keyring)
{
    struct release release = {.options = options, .config = config, .endpoint = view->endpoint,
                              .keyring = keyring};
    size_t count;
    int status = EX_OSERR;

    uint64_t *numbers = ringview_numbers(view, &count);
    if (numbers == NULL)
        return EX_IOERR;
    if (asprintf(&release.spool, "%s/%s", config->spool_dir, view->endpoint->spool) < 0)
        release.spool = NULL;
    else
        status = release_all(&release, view, numbers, count);
    if (release.store != NULL) {
        store_settle(release.store);
        upkeep_close(release.store);
    }
    free(release.spool);
    free(numbers);
    return status == EX_OK && out_flush() < 0 ? EX_IOERR : status;
}
