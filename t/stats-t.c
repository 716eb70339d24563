/* SPDX-License-Identifier: ISC */
/* Counters that processes share, the minutes of a day, and files that are not ours. */
#include "autoconf.h"

#include "stats.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tap.h"
#include "temp.h"

#define NOON INT64_C(1795435200) /* 2026-11-23T12:00:00Z */

/* The file as anybody may read it. */
static const struct stats_page *map_page(const struct temp *temp)
{
    const int fd = openat(temp->dir, "stats", O_RDONLY | O_CLOEXEC);
    void *page = fd < 0 ? MAP_FAILED
                        : mmap(NULL, sizeof(struct stats_page), PROT_READ, MAP_SHARED, fd, 0);

    if (page == MAP_FAILED)
        temp_die("stats");
    close(fd);
    return page;
}

static struct stats *open_stats(const struct temp *temp)
{
    struct stats *stats = stats_open(temp->dir);

    if (stats == NULL)
        temp_die("stats_open");
    return stats;
}

static void shared(void)
{
    struct temp temp;

    temp_make(&temp);
    struct stats *one = open_stats(&temp);
    struct stats *two = open_stats(&temp);
    const struct stats_page *page = map_page(&temp);
    is_int(temp_names(temp.dir, ".", NULL), 1, "there is one file");
    is_int(temp_size(temp.dir, "stats"), sizeof(struct stats_page), "as long as its layout");

    int wrong = 0;
    for (int i = 0; i < STATS_OUTCOMES; i++)
        wrong += page->count[i] != 0 || page->last[i] != 0;
    is_int(wrong, 0, "nothing is counted at first");
    stats_count(one, STATS_STORED, NOON);
    stats_count(two, STATS_STORED, NOON + 1);
    stats_count(two, STATS_FORGED, NOON + 2);
    is_int(page->count[STATS_STORED], 2, "two processes count together");
    is_int(page->last[STATS_STORED], NOON + 1, "and note when");
    ok(page->count[STATS_FORGED] == 1 && page->last[STATS_FORGED] == NOON + 2, "each outcome");
    ok(page->count[STATS_DUPLICATE] == 0 && page->count[STATS_IGNORED] == 0
           && page->count[STATS_REFUSED] == 0 && page->count[STATS_UNAVAILABLE] == 0,
       "and no other");
    stats_close(one);
    stats_close(two);
    one = open_stats(&temp);
    stats_count(one, STATS_UNAVAILABLE, NOON + 3);
    ok(page->count[STATS_STORED] == 2 && page->count[STATS_UNAVAILABLE] == 1,
       "who comes later goes on from there");
    stats_close(one);
    munmap((void *)page, sizeof(*page));
    temp_drop(&temp);
}

static void minutes(void)
{
    enum { DAY = 24 * 60 * 60 };
    struct temp temp;
    const uint32_t minute = NOON / 60;

    temp_make(&temp);
    struct stats *stats = open_stats(&temp);
    const struct stats_page *page = map_page(&temp);
    const struct stats_minute *slot = &page->minutes[minute % STATS_MINUTES];
    const struct stats_minute *next = &page->minutes[(minute + 1) % STATS_MINUTES];

    stats_count(stats, STATS_STORED, NOON);
    stats_count(stats, STATS_STORED, NOON + 59);
    stats_count(stats, STATS_REFUSED, NOON + 59);
    stats_count(stats, STATS_STORED, NOON + 60);
    ok(slot->minute == minute && slot->count[STATS_STORED] == 2
           && slot->count[STATS_REFUSED] == 1,
       "a minute has its slot");
    ok(next->minute == minute + 1 && next->count[STATS_STORED] == 1
           && next->count[STATS_REFUSED] == 0,
       "the next one another");
    stats_count(stats, STATS_DUPLICATE, NOON + DAY);
    ok(slot->minute == minute + STATS_MINUTES && slot->count[STATS_DUPLICATE] == 1
           && slot->count[STATS_STORED] == 0 && slot->count[STATS_REFUSED] == 0,
       "a day later the slot is emptied and used again");
    ok(next->count[STATS_STORED] == 1, "the others are not");
    is_int(page->count[STATS_STORED], 3, "nor is the count of all times");

    for (int64_t at = 0; at < DAY; at += 60)
        stats_count(stats, STATS_IGNORED, NOON + 2 * DAY + at);
    int wrong = 0;
    for (int i = 0; i < STATS_MINUTES; i++)
        wrong += page->minutes[i].count[STATS_IGNORED] != 1
            || page->minutes[i].count[STATS_STORED] != 0
            || page->minutes[i].minute % STATS_MINUTES != (uint32_t)i;
    is_int(wrong, 0, "a day fills all slots, one each");
    stats_close(stats);
    munmap((void *)page, sizeof(*page));
    temp_drop(&temp);
}

static void secrets(void)
{
    struct temp temp;
    int64_t last = 1;

    temp_make(&temp);
    struct stats *one = open_stats(&temp);
    struct stats *two = open_stats(&temp);
    is_int(stats_matches(one, 77, &last), 0, "a secret that never matched");
    is_int(last, 0, "was never seen");
    stats_match(one, 77, NOON);
    stats_match(two, 77, NOON + 5);
    stats_match(two, UINT64_MAX, NOON + 6);
    is_int(stats_matches(one, 77, &last), 2, "matches of two processes are one number");
    is_int(last, NOON + 5, "with the last time");
    is_int(stats_matches(one, UINT64_MAX, &last), 1, "each secret has its own");
    is_int(last, NOON + 6, "and its own time");
    is_int(stats_matches(one, 78, &last), 0, "asking makes none");

    for (uint64_t i = 0; i < STATS_SECRETS - 2; i++)
        stats_match(one, 1000 + i, NOON);
    int wrong = 0;
    for (uint64_t i = 0; i < STATS_SECRETS - 2; i++)
        wrong += stats_matches(two, 1000 + i, &last) != 1;
    is_int(wrong, 0, "there is room for %d", STATS_SECRETS);
    stats_match(one, 5, NOON);
    is_int(stats_matches(one, 5, &last), 1, "one more takes the place of the longest unused");
    is_int(stats_matches(one, 77, &last), 2, "and hurts no other");
    is_int(stats_matches(one, 1001, &last), 1, "those that are there go on");
    stats_close(one);
    stats_close(two);
    temp_drop(&temp);
}

static void without(void)
{
    int64_t last = 1;

    stats_count(NULL, STATS_STORED, NOON);
    stats_match(NULL, 77, NOON);
    is_int(stats_matches(NULL, 77, &last), 0, "without statistics nothing is counted");
    is_int(last, 0, "nor seen");
    stats_close(NULL);
}

/* Files of this name that we did not make stay what they are. */
static void refused(void)
{
    enum { SIZE = sizeof(struct stats_page) };
    static char ours[SIZE], text[SIZE];
    struct temp temp;
    size_t len = 0;

    temp_make(&temp);
    stats_close(open_stats(&temp));
    char *made = temp_get(temp.dir, "stats", &len);
    memcpy(ours, made, SIZE);
    free(made);
    for (int i = 0; i < 4; i++) {
        static const char *const what[] = {"a byte short", "half of it", "another magic",
                                           "another version"};
        static const size_t sizes[] = {SIZE - 1, SIZE / 2, SIZE, SIZE};
        memcpy(text, ours, SIZE);
        text[i == 2 ? 0 : 7] = i >= 2 ? 'X' : text[7];
        temp_put(temp.dir, "stats", text, sizes[i]);
        const int open_before = temp_descriptors();
        errno = 0;
        ok(stats_open(temp.dir) == NULL, "refused: %s", what[i]);
        is_int(errno, EINVAL, "refused: %s: errno", what[i]);
        is_int(temp_descriptors(), open_before, "refused: %s: nothing is left open", what[i]);
        char *after = temp_get(temp.dir, "stats", &len);
        is_mem(after, len, text, sizes[i], "refused: %s: left as it is", what[i]);
        free(after);
    }

    temp_remove(temp.dir, "stats");
    temp_put(temp.dir, "other", ours, SIZE);
    if (symlinkat("other", temp.dir, "stats") < 0)
        temp_die("symlink");
    ok(stats_open(temp.dir) == NULL, "refused: a symbolic link");
    temp_remove(temp.dir, "stats");
    if (mkdirat(temp.dir, "stats", 0750) < 0)
        temp_die("mkdir");
    ok(stats_open(temp.dir) == NULL, "refused: a directory");
    if (unlinkat(temp.dir, "stats", AT_REMOVEDIR) < 0)
        temp_die("stats");

    /* Nothing, or zeros: whoever made it died over it. */
    temp_put(temp.dir, "stats", text, 0);
    struct stats *stats = stats_open(temp.dir);
    ok(stats != NULL, "an empty file is made whole");
    stats_close(stats);
    memset(text, 0, SIZE);
    temp_put(temp.dir, "stats", text, SIZE / 2);
    stats = stats_open(temp.dir);
    ok(stats != NULL, "and so is one that was begun");
    stats_close(stats);
    temp_drop(&temp);
}

/* Each system call of making the file fails; the next time all is well. */
static void failures(void)
{
    int lied = 0, leaked = 0, ill = 0, total = 1;
    int64_t last;

    for (int number = 1; number <= total + 1; number++) {
        struct temp temp;

        temp_make(&temp);
        const int open_before = temp_descriptors();
        fault_burst(number, number);
        errno = 0;
        struct stats *stats = stats_open(temp.dir);
        total = atomic_load(&fault.total);
        lied += number <= total && stats == NULL && errno != EIO;
        stats_close(stats);
        io_seam = NULL;
        leaked += temp_descriptors() != open_before;
        stats = stats_open(temp.dir);
        if (stats != NULL)
            stats_match(stats, 7, NOON);
        ill += stats == NULL || stats_matches(stats, 7, &last) != 1;
        stats_close(stats);
        temp_drop(&temp);
    }
    ok(total > 10, "the file is made by %d system calls: written, and not a hole", total);
    is_int(lied, 0, "each may fail, and errno says why");
    is_int(leaked, 0, "no descriptor is left open");
    is_int(ill, 0, "and it can be made later");
}

/* Processes that start together all get the same file, whole. */
static void together(void)
{
    enum { PROCESSES = 6, TRIES = 40 };
    int refused_count = 0, lost = 0;

    for (int try = 0; try < TRIES; try++) {
        struct temp temp;
        int go[2], status;
        int64_t last;

        temp_make(&temp);
        if (pipe(go) < 0)
            temp_die("pipe");
        for (int i = 0; i < PROCESSES; i++) {
            const pid_t pid = fork();
            if (pid == 0) {
                char byte;
                close(go[1]);
                (void)!read(go[0], &byte, 1); /* returns when the parent closes its end */
                struct stats *stats = stats_open(temp.dir);
                stats_match(stats, 7, NOON);
                _exit(stats == NULL);
            }
            if (pid < 0)
                temp_die("fork");
        }
        close(go[0]);
        close(go[1]);
        for (int i = 0; i < PROCESSES; i++) {
            if (wait(&status) < 0)
                temp_die("wait");
            refused_count += status != 0;
        }
        struct stats *stats = open_stats(&temp);
        lost += stats_matches(stats, 7, &last) != PROCESSES;
        stats_close(stats);
        temp_drop(&temp);
    }
    is_int(refused_count, 0, "of %d times %d processes that start together all have it", TRIES,
           PROCESSES);
    is_int(lost, 0, "and none counts for itself");
}

/* One who is making the file waits at its first write until another has come, or stands still. */
static struct {
    sem_t arrived, open;
    atomic_flag closed;
    int dir;
    _Atomic pid_t tid;
    _Atomic bool done;
} gate;

static int gate_seam(const struct io_call *call)
{
    if (!call->done && call->op == IO_WRITE && !atomic_flag_test_and_set(&gate.closed)) {
        sem_post(&gate.arrived);
        while (sem_wait(&gate.open) < 0)
            continue;
    }
    return 0;
}

static void *make_and_match(void *context)
{
    if (context != NULL)
        gate.tid = gettid();
    struct stats *stats = stats_open(gate.dir);
    stats_match(stats, 7, NOON);
    stats_close(stats);
    if (context != NULL)
        gate.done = true;
    return NULL;
}

static bool asleep(pid_t tid)
{
    char path[64], text[512] = "";

    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    const char *paren = got > 0 ? strrchr(text, ')') : NULL;
    return paren != NULL && paren[1] == ' ' && paren[2] == 'S';
}

static void in_turn(void)
{
    struct temp temp;
    pthread_t first, second;
    const int64_t deadline = temp_deadline();
    int64_t last;

    temp_make(&temp);
    gate.dir = temp.dir;
    sem_init(&gate.arrived, 0, 0);
    sem_init(&gate.open, 0, 0);
    io_seam = gate_seam;
    if (pthread_create(&first, NULL, make_and_match, NULL) != 0)
        temp_die("pthread_create");
    while (sem_wait(&gate.arrived) < 0)
        continue;
    if (pthread_create(&second, NULL, make_and_match, &gate) != 0)
        temp_die("pthread_create");
    for (int seen = 0; seen < 3 && !gate.done && io_now() < deadline; temp_pause())
        seen = gate.tid != 0 && asleep(gate.tid) ? seen + 1 : 0;
    ok(!gate.done, "who comes while another makes the file waits for him");
    sem_post(&gate.open);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    io_seam = NULL;
    struct stats *stats = open_stats(&temp);
    is_int(stats_matches(stats, 7, &last), 2, "and his first count is not lost");
    stats_close(stats);
    temp_drop(&temp);
}

enum { THREADS = 4, ROUNDS = 5000 };

static void *count_on(void *context)
{
    for (int i = 0; i < ROUNDS; i++) {
        stats_count(context, STATS_STORED, NOON);
        stats_match(context, (uint64_t)(i % 50 + 1), NOON);
    }
    return NULL;
}

static void threads(void)
{
    struct temp temp;
    struct stats *stats[2];
    pthread_t ids[THREADS];
    int64_t last;
    uint64_t matches = 0;

    temp_make(&temp);
    stats[0] = open_stats(&temp);
    stats[1] = open_stats(&temp);
    const struct stats_page *page = map_page(&temp);
    stats_count(stats[0], STATS_REFUSED, NOON); /* the minute has begun */
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&ids[i], NULL, count_on, stats[i % 2]) != 0)
            temp_die("pthread_create");
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(ids[i], NULL);
    is_int(page->count[STATS_STORED], THREADS * ROUNDS, "threads of two processes lose no count");
    is_int(page->minutes[NOON / 60 % STATS_MINUTES].count[STATS_STORED], THREADS * ROUNDS,
           "nor one of the minute");
    for (uint64_t i = 1; i <= 50; i++)
        matches += stats_matches(stats[0], i, &last);
    is_int(matches, THREADS * ROUNDS, "nor a match");
    is_int(page->secrets[50].fingerprint, 0, "and no secret has two slots");
    stats_close(stats[0]);
    stats_close(stats[1]);
    munmap((void *)page, sizeof(*page));
    temp_drop(&temp);
}

int main(void)
{
    temp_start();
    shared();
    minutes();
    secrets();
    without();
    refused();
    failures();
    together();
    in_turn();
    threads();
    return done_testing();
}
