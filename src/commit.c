/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "commit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>

enum {
    BATCH_LINES = 512,
    BATCH_BYTES = 4 * 1024 * 1024 /* a batch is closed by the line that reaches it */
};

struct commit {
    struct eventlog *log;
    pthread_mutex_t mutex; /* over the queue and every entry's taken, done and result */
    struct commit_entry *first, **last;
    bool led; /* a leader is at it */
    atomic_bool rotated;
    struct iovec lines[BATCH_LINES]; /* the leader's */
};

struct commit *commit_new(struct eventlog *log)
{
    struct commit *commit = calloc(1, sizeof(*commit));

    if (commit == NULL)
        return NULL;
    commit->log = log;
    commit->last = &commit->first;
    pthread_mutex_init(&commit->mutex, NULL);
    return commit;
}

void commit_free(struct commit *commit)
{
    if (commit == NULL)
        return;
    pthread_mutex_destroy(&commit->mutex);
    free(commit);
}

static void enqueue(struct commit *commit, struct commit_entry *entry)
{
    *commit->last = entry;
    commit->last = &entry->next;
}

static void withdraw(struct commit *commit, struct commit_entry *entry)
{
    struct commit_entry **at = &commit->first;

    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    if (commit->last == &entry->next)
        commit->last = at;
}

/* Takes a batch off the queue: its first entry; *count lines of *bytes in all. */
static struct commit_entry *take_batch(struct commit *commit, int *count, size_t *bytes)
{
    struct commit_entry *batch = commit->first;
    struct commit_entry *entry = batch;
    struct commit_entry *end = NULL;

    *count = 0;
    *bytes = 0;
    while (entry != NULL && *count < BATCH_LINES && *bytes < BATCH_BYTES) {
        commit->lines[*count] = (struct iovec){.iov_base = (char *)entry->line,
                                               .iov_len = entry->len};
        ++*count;
        *bytes += entry->len;
        entry->taken = true;
        end = entry;
        entry = entry->next;
    }
    commit->first = entry;
    if (entry == NULL)
        commit->last = &commit->first;
    end->next = NULL;
    return batch;
}

/* Writes and syncs what is in commit->lines. Outside the mutex. */
static enum commit_result store_batch(struct commit *commit, int count, size_t bytes)
{
    struct eventlog_extent extent;

    switch (eventlog_append(commit->log, commit->lines, count, bytes, &extent)) {
    case EVENTLOG_ABSENT:
        return COMMIT_ABSENT;
    case EVENTLOG_UNSURE:
        return COMMIT_UNSURE;
    case EVENTLOG_APPENDED:
        break;
    }
    if (extent.rotated)
        atomic_store(&commit->rotated, true);
    return eventlog_sync(commit->log, &extent) < 0 ? COMMIT_UNSURE : COMMIT_DURABLE;
}

/* Leads one batch: called and returns with the mutex held and the queue not empty. */
static void lead(struct commit *commit)
{
    int count;
    size_t bytes;
    struct commit_entry *entry = take_batch(commit, &count, &bytes);

    commit->led = true;
    pthread_mutex_unlock(&commit->mutex);
    const enum commit_result result = store_batch(commit, count, bytes);
    const int error = errno;
    pthread_mutex_lock(&commit->mutex);
    commit->led = false;

    while (entry != NULL) {
        struct commit_entry *next = entry->next; /* the owner may go as soon as it is done */
        entry->result = result;
        entry->error = error;
        entry->done = true;
        pthread_cond_signal(&entry->changed);
        entry = next;
    }
    if (commit->first != NULL) /* they came meanwhile, and one of them must lead */
        pthread_cond_signal(&commit->first->changed);
}

/* Waits for the entry's fate, leading when nobody does: false when the deadline passed. */
static bool wait_until(struct commit *commit, struct commit_entry *entry,
                       const struct timespec *deadline)
{
    while (!entry->done) {
        if (!entry->taken && !commit->led)
            lead(commit);
        else if (deadline == NULL)
            pthread_cond_wait(&entry->changed, &commit->mutex);
        else if (pthread_cond_timedwait(&entry->changed, &commit->mutex, deadline) == ETIMEDOUT)
            return entry->done;
    }
    return true;
}

static enum commit_result finish(struct commit_entry *entry)
{
    pthread_cond_destroy(&entry->changed);
    errno = entry->error;
    return entry->result;
}

static void init_entry(struct commit_entry *entry, const char *line, size_t len)
{
    pthread_condattr_t attributes;

    *entry = (struct commit_entry){.line = line, .len = len};
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&entry->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

enum commit_result commit_line(struct commit *commit, struct commit_entry *entry, const char *line,
                               size_t len, int64_t deadline)
{
    const struct timespec until = {.tv_sec = (time_t)(deadline / 1000000000),
                                   .tv_nsec = (long)(deadline % 1000000000)};

    init_entry(entry, line, len);
    pthread_mutex_lock(&commit->mutex);
    enqueue(commit, entry);
    bool known = wait_until(commit, entry, &until);
    if (!known && !entry->taken) {
        const bool was_first = commit->first == entry;
        withdraw(commit, entry);
        if (was_first && commit->first != NULL && !commit->led)
            pthread_cond_signal(&commit->first->changed); /* our turn to lead was missed */
        entry->result = COMMIT_ABSENT;
        entry->error = ETIMEDOUT;
        known = true;
    }
    pthread_mutex_unlock(&commit->mutex);
    return known ? finish(entry) : COMMIT_LATE;
}

enum commit_result commit_wait(struct commit *commit, struct commit_entry *entry)
{
    pthread_mutex_lock(&commit->mutex);
    (void)wait_until(commit, entry, NULL);
    pthread_mutex_unlock(&commit->mutex);
    return finish(entry);
}

bool commit_rotated(struct commit *commit)
{
    return atomic_exchange(&commit->rotated, false);
}
