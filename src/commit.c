/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "commit.h"

#include <errno.h>
#include <pthread.h>
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
    pthread_mutex_t mutex; /* over the queue, and taken of the entries in it */
    struct commit_entry *first, **last;
    bool led; /* a leader is at it, or has been called */
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

static void remove_entry(struct commit *commit, struct commit_entry *entry)
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

/* Wakes the owner, who may be gone right after. What was stored before is seen by him. */
static void call(struct commit_entry *entry, enum commit_call why)
{
    atomic_store(&entry->call, why);
    sem_post(&entry->woken);
}

/* The lead goes to whoever is first in the queue now, or to nobody. Under the mutex. */
static void pass_lead(struct commit *commit)
{
    commit->led = commit->first != NULL;
    if (commit->led)
        call(commit->first, COMMIT_LEAD);
}

/*
 * Leads one batch; the leader's own entry is its first. The next leader is
 * called before the batch is told, so that the disk does not wait for us.
 */
static void lead(struct commit *commit, struct commit_entry *own)
{
    int count;
    size_t bytes;

    pthread_mutex_lock(&commit->mutex);
    struct commit_entry *entry = take_batch(commit, &count, &bytes);
    pthread_mutex_unlock(&commit->mutex);
    const enum commit_result result = store_batch(commit, count, bytes);
    const int error = errno;
    pthread_mutex_lock(&commit->mutex);
    pass_lead(commit);
    pthread_mutex_unlock(&commit->mutex);

    while (entry != NULL) {
        struct commit_entry *next = entry->next; /* the owner may go once he is woken */
        entry->result = result;
        entry->error = error;
        if (entry != own)
            call(entry, COMMIT_DONE);
        entry = next;
    }
}

static enum commit_result finish(struct commit_entry *entry)
{
    sem_destroy(&entry->woken);
    errno = entry->error;
    return entry->result;
}

/* The deadline came: takes the entry back if that can still be done. */
static bool withdraw(struct commit *commit, struct commit_entry *entry)
{
    pthread_mutex_lock(&commit->mutex);
    const bool queued = !entry->taken;
    if (queued) {
        remove_entry(commit, entry);
        if (atomic_load(&entry->call) == COMMIT_LEAD) /* called at the last moment */
            pass_lead(commit);
        entry->result = COMMIT_ABSENT;
        entry->error = ETIMEDOUT;
    }
    pthread_mutex_unlock(&commit->mutex);
    return queued;
}

enum commit_result commit_line(struct commit *commit, struct commit_entry *entry, const char *line,
                               size_t len, int64_t deadline)
{
    const struct timespec until = {.tv_sec = (time_t)(deadline / 1000000000),
                                   .tv_nsec = (long)(deadline % 1000000000)};

    *entry = (struct commit_entry){.line = line, .len = len};
    sem_init(&entry->woken, 0, 0);
    pthread_mutex_lock(&commit->mutex);
    enqueue(commit, entry);
    const bool first = !commit->led;
    commit->led = true;
    pthread_mutex_unlock(&commit->mutex);

    if (!first) {
        while (sem_clockwait(&entry->woken, CLOCK_MONOTONIC, &until) < 0) {
            if (errno != ETIMEDOUT)
                continue;
            return withdraw(commit, entry) ? finish(entry) : COMMIT_LATE;
        }
    }
    if (first || atomic_load(&entry->call) == COMMIT_LEAD)
        lead(commit, entry);
    return finish(entry);
}

enum commit_result commit_wait(struct commit_entry *entry)
{
    while (sem_wait(&entry->woken) < 0 || atomic_load(&entry->call) != COMMIT_DONE)
        continue;
    return finish(entry);
}

bool commit_rotated(struct commit *commit)
{
    return atomic_exchange(&commit->rotated, false);
}
