/* SPDX-License-Identifier: ISC */
/* The store as its users see it: verdicts, several processes at once, and who repairs. */
#include "autoconf.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event.h"
#include "io.h"
#include "record.h"
#include "segment.h"
#include "store.h"

#include "tap.h"

enum { PROCESSES = 4, THREADS = 8, IDS = 400 };

static char directory[] = "/tmp/hookspool store XXXXXX";
static char spool[128];

static struct store *open_store(uint64_t segment_size, uint64_t min_free)
{
    const struct store_limits limits = {.segment_size = segment_size, .min_free = min_free};

    return store_open(spool, &limits);
}

static enum store_verdict put_until(struct store *store, const char *id, int64_t deadline)
{
    struct event event = {.id = id, .source = "/webhooks/test", .time = 1764000000,
                          .body = "{\"type\":\"x\"}", .body_len = 12};
    struct store_ticket ticket;
    size_t len;

    if (event_examine(&event, "test") < 0)
        abort();
    char *line = record_encode(&event, &len);
    const enum store_verdict verdict = store_put(store, id, line, len, deadline, &ticket);
    if (verdict == STORE_LATE)
        store_finish(store, id, &ticket);
    store_settle(store);
    free(line);
    return verdict;
}

static enum store_verdict put(struct store *store, const char *id)
{
    return put_until(store, id, io_now() + (int64_t)20 * 1000000000);
}

struct tally {
    unsigned char times[IDS];
    int lines, bad;
};

static int tally_line(void *context, const struct segment_line *line)
{
    struct tally *tally = context;
    char id[64] = "";
    unsigned number;

    if (!line->damaged && line->view.id_len < sizeof(id))
        memcpy(id, line->view.id, line->view.id_len);
    if (sscanf(id, "id_%u", &number) == 1 && number < IDS)
        tally->times[number]++;
    else
        tally->bad++;
    tally->lines++;
    return 0;
}

static struct tally read_log(void)
{
    struct tally tally = {0};
    char path[160];

    snprintf(path, sizeof(path), "%s/log", spool);
    const int dir = open(path, O_RDONLY | O_DIRECTORY);
    if (dir < 0 || segment_scan(dir, path, 0, UINT64_MAX, tally_line, &tally) != 0)
        tally.bad++;
    close(dir);
    return tally;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void remove_spool(void)
{
    (void)nftw(spool, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void test_verdicts(void)
{
    struct store *store = open_store(1 << 20, 0);
    struct store *other = open_store(1 << 20, 0);
    struct lockdir_claim claim;

    ok(store != NULL && other != NULL, "a spool can be open twice");
    is_int(put(store, "id_1"), STORE_STORED, "new: stored");
    is_int(put(other, "id_1"), STORE_DUPLICATE, "known: duplicate, whoever asks");

    struct lockdir *locks = lockdir_open(store_directory(store), spool);
    is_int(lockdir_claim(locks, "id_2", io_now(), &claim), 0, "somebody claims an id");
    is_int(put_until(store, "id_2", io_now() + 20000000), STORE_BUSY,
           "in flight at the deadline: busy");
    is_int(put(store, "id_3"), STORE_STORED, "another id does not wait");
    lockdir_release(locks, &claim);
    is_int(put(store, "id_2"), STORE_STORED, "the claim is gone: stored");
    lockdir_close(locks);

    const struct store_limits no_room = {.segment_size = 1 << 20, .min_free = UINT64_MAX / 2};
    store_limit(store, &no_room);
    is_int(put(store, "id_4"), STORE_FULL, "less than min_free: full");
    is_int(put(store, "id_1"), STORE_DUPLICATE, "a duplicate needs no room");
    is_int(put(other, "id_4"), STORE_STORED, "and nothing was left of the refused one");
    store_close(store);
    store_close(other);
    const struct tally tally = read_log();
    ok(tally.lines == 4 && tally.bad == 0, "four lines in the log");
}

static void test_refused_directory(void)
{
    chmod(spool, 0757);
    errno = 0;
    ok(open_store(1 << 20, 0) == NULL && errno == EPERM,
       "a spool that others can write is refused");
    chmod(spool, 0750);
}

struct worker {
    struct store *store;
    unsigned seed;
    int failed;
};

/* Every worker puts every id, each in an order of its own. */
static void *put_all(void *argument)
{
    struct worker *worker = argument;
    char id[32];

    for (unsigned i = 0; i < IDS; i++) {
        snprintf(id, sizeof(id), "id_%u", (i * 7 + worker->seed * 31) % IDS);
        const enum store_verdict verdict = put(worker->store, id);
        if (verdict != STORE_STORED && verdict != STORE_DUPLICATE)
            worker->failed++;
    }
    return NULL;
}

static int run_process(unsigned number)
{
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    int failed = 0;
    struct store *store = open_store(16 * 1024, 0);

    if (store == NULL)
        return 1;
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.store = store, .seed = number * THREADS + i};
        pthread_create(&threads[i], NULL, put_all, &workers[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        failed += workers[i].failed;
    }
    store_close(store);
    return failed > 0;
}

static void test_processes(void)
{
    int failed = 0, once = 0;

    remove_spool();
    fflush(stdout);
    for (unsigned i = 0; i < PROCESSES; i++) {
        if (fork() == 0)
            _exit(run_process(i));
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        wait(&status);
        failed += status != 0;
    }
    const struct tally tally = read_log();
    for (int i = 0; i < IDS; i++)
        once += tally.times[i] == 1;
    is_int(failed, 0, "%d processes of %d threads answer every put", PROCESSES, THREADS);
    is_int(once, IDS, "every id stands in the log once");
    is_int(tally.lines, IDS, "and nothing else does");

    struct lockdir *locks = lockdir_open(open(spool, O_RDONLY | O_DIRECTORY), spool);
    ok(lockdir_settled(locks) > 0, "closed segments have been settled");
    lockdir_close(locks);
}

static void *open_later(void *argument)
{
    (void)argument;
    return open_store(16 * 1024, 0);
}

/* Until the file is there; false when it is not after 10 s. */
static bool appears(const char *path)
{
    const int64_t deadline = io_now() + (int64_t)10 * 1000000000;

    while (access(path, F_OK) < 0 && io_now() < deadline)
        sched_yield();
    return access(path, F_OK) == 0;
}

/*
 * Somebody has a spool open whose repair was never completed, and another
 * comes: he must wait until he is alone and repair it, not go on without.
 */
static void test_unfinished_repair(void)
{
    char path[200];
    pthread_t thread;
    void *store;
    const struct tally before = read_log();

    const int dir = open(spool, O_RDONLY | O_DIRECTORY);
    ok(flock(dir, LOCK_SH | LOCK_NB) == 0, "somebody has the spool open");
    snprintf(path, sizeof(path), "%s/log/state", spool);
    (void)unlink(path);
    pthread_create(&thread, NULL, open_later, NULL);
    ok(appears(path), "another looks at its state, which says nothing");
    flock(dir, LOCK_UN);
    pthread_join(thread, &store);
    close(dir);

    ok(store != NULL, "he comes in when the first has gone");
    is_int(put(store, "id_0"), STORE_DUPLICATE, "what was there is known");
    is_int(put(store, "late"), STORE_STORED, "what is new is stored");
    store_close(store);
    const struct tally after = read_log();
    is_int(after.lines, before.lines + 1, "behind what was there");
}

/* The log is the truth: a lock directory that is lost is made from it, though all was clean. */
static void test_lost_locks(void)
{
    char path[160];
    const struct tally before = read_log();

    snprintf(path, sizeof(path), "%s/locks", spool);
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    struct store *store = open_store(16 * 1024, 0);
    int duplicates = 0;
    for (int i = 0; i < IDS; i++) {
        snprintf(path, sizeof(path), "id_%d", i);
        duplicates += put(store, path) == STORE_DUPLICATE;
    }
    is_int(duplicates, IDS, "the lock directory was lost: what the log holds is known");
    store_close(store);
    is_int(read_log().lines, before.lines, "and is not stored again");
}

/* A position within a line, as no program of ours writes it, must not make damage of that line. */
static void test_settled_within_a_line(void)
{
    char path[160];
    const struct tally before = read_log();

    snprintf(path, sizeof(path), "%s/locks/settled", spool);
    FILE *file = fopen(path, "w");
    fprintf(file, "30\n");
    fclose(file);
    snprintf(path, sizeof(path), "%s/log/state", spool);
    (void)unlink(path);
    store_close(open_store(16 * 1024, 0));
    const struct tally after = read_log();
    ok(after.lines == before.lines && after.bad == before.bad,
       "settled points into a line: a repair looks at all of it and harms none");
}

int main(void)
{
    if (mkdtemp(directory) == NULL)
        return 1;
    snprintf(spool, sizeof(spool), "%s/spool", directory);

    test_verdicts();
    test_refused_directory();
    test_processes();
    test_unfinished_repair();
    test_lost_locks();
    test_settled_within_a_line();

    remove_spool();
    (void)rmdir(directory);
    return done_testing();
}
