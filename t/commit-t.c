/* SPDX-License-Identifier: ISC */
/*
 * Group commit: many lines share a sync, a batch shares its fate, and what
 * happens at a deadline. The disk is made to wait by a gate in the seam, so
 * that it is known who leads, who is queued and who was taken.
 */
#include "autoconf.h"

#include "commit.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>

#include "repair.h"
#include "segment.h"
#include "tap.h"
#include "temp.h"

/*
 * Between the end of a wait and what the waiter does then, the world goes on.
 * A thread that has this set lets it: it is called when the wait has timed out.
 */
static _Thread_local void (*at_timeout)(void);

int sem_clockwait(sem_t *restrict semaphore, clockid_t clock,
                  const struct timespec *restrict deadline)
{
    union {
        void *object;
        int (*function)(sem_t *, clockid_t, const struct timespec *);
    } real = {.object = dlsym(RTLD_NEXT, "sem_clockwait")};
    const int result = real.function(semaphore, clock, deadline);
    const int error = errno;

    if (result < 0 && error == ETIMEDOUT && at_timeout != NULL)
        at_timeout();
    errno = error;
    return result;
}

/* The next `closed` syncs wait for open_gate(). */
static struct {
    _Atomic int closed;
    sem_t arrived, open;
} gate;

static int gate_seam(const struct io_call *call)
{
    if (!call->done && call->op == IO_FDATASYNC && atomic_load(&gate.closed) > 0) {
        atomic_fetch_sub(&gate.closed, 1);
        sem_post(&gate.arrived);
        while (sem_wait(&gate.open) < 0)
            continue;
    }
    return fault_seam(call);
}

static void close_gate(int syncs)
{
    fault_clear();
    atomic_store(&gate.closed, syncs);
    io_seam = gate_seam;
}

static void await_leader(void)
{
    while (sem_wait(&gate.arrived) < 0)
        continue;
}

static void open_gate(void)
{
    sem_post(&gate.open);
}

/* A log and its commit. */
struct scene {
    struct temp temp;
    struct eventlog *log;
    struct commit *commit;
};

static void make_scene(struct scene *scene)
{
    uint64_t end;

    io_seam = NULL;
    temp_make(&scene->temp);
    scene->log = eventlog_open(scene->temp.dir, scene->temp.path);
    if (scene->log == NULL || repair_log(scene->log, 0, &end) < 0)
        temp_die("eventlog_open");
    scene->commit = commit_new(scene->log);
    if (scene->commit == NULL)
        temp_die("commit_new");
}

static void drop_scene(struct scene *scene)
{
    io_seam = NULL;
    commit_free(scene->commit);
    eventlog_close(scene->log);
    temp_drop(&scene->temp);
}

/* One line, committed by a thread of its own. */
struct request {
    struct commit *commit;
    char id[16];
    char *line;
    size_t len;
    int64_t deadline;
    struct commit_entry entry;
    enum commit_result result;
    int error;
    pthread_t thread;
    _Atomic pid_t tid; /* set before it queues */
};

static void prepare(struct request *request, struct commit *commit, const char *id)
{
    memset(request, 0, sizeof(*request));
    request->commit = commit;
    (void)snprintf(request->id, sizeof(request->id), "%s", id);
    request->line = temp_line(id, "{}", &request->len);
    request->deadline = temp_deadline();
}

static void commit_now(struct request *request)
{
    errno = 0;
    request->result = commit_line(request->commit, &request->entry, request->line, request->len,
                                  request->deadline);
    request->error = errno;
}

static void *commit_in_thread(void *context)
{
    struct request *request = context;

    request->tid = gettid();
    commit_now(request);
    return NULL;
}

static void start(struct request *request)
{
    if (pthread_create(&request->thread, NULL, commit_in_thread, request) != 0)
        temp_die("pthread_create");
}

static void join(struct request *request)
{
    pthread_join(request->thread, NULL);
}

/*
 * Does the kernel say that the thread sleeps? With the gate closed it can only
 * be in the queue, or have left it already, at its deadline.
 */
static bool asleep(pid_t tid)
{
    char path[64], text[512] = "";

    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    const ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    const char *paren = got > 0 ? strrchr(text, ')') : NULL;
    return got <= 0 || (paren != NULL && paren[1] == ' ' && paren[2] == 'S');
}

static void await_queued(struct request *request)
{
    const int64_t deadline = temp_deadline();
    int seen = 0;

    while (seen < 3) { /* not just for a lock */
        const pid_t tid = request->tid;
        seen = tid != 0 && asleep(tid) ? seen + 1 : 0;
        if (io_now() > deadline)
            temp_die("a thread that does not queue");
        temp_pause();
    }
}

/* One after the other, so that their order is known. */
static void queue(struct request *request)
{
    start(request);
    await_queued(request);
}

/* Is the log what the requests were told? */
struct tally {
    const char *id;
    int times, damaged;
};

static int count_id(void *context, const struct segment_line *line)
{
    struct tally *tally = context;

    tally->damaged += line->damaged;
    tally->times += !line->damaged && line->view.id_len == strlen(tally->id)
        && memcmp(line->view.id, tally->id, line->view.id_len) == 0;
    return 0;
}

static int times_in_log(const struct scene *scene, const char *id)
{
    struct tally tally = {.id = id};
    const char *path;
    const int dir = eventlog_directory(scene->log, &path);

    if (segment_scan(dir, path, 0, UINT64_MAX, count_id, &tally) != 0 || tally.damaged > 0)
        return -1;
    return tally.times;
}

static int untrue(const struct scene *scene, const struct request *requests, int count)
{
    int wrong = 0;

    for (int i = 0; i < count; i++) {
        const int times = times_in_log(scene, requests[i].id);
        const bool held = requests[i].result == COMMIT_DURABLE ? times == 1
                        : requests[i].result == COMMIT_ABSENT  ? times == 0
                                                               : times == 0 || times == 1;
        if (!held)
            diag("%s: result %d, and %d times in the log", requests[i].id, requests[i].result,
                 times);
        wrong += !held;
    }
    return wrong;
}

static void release(struct request *requests, int count)
{
    for (int i = 0; i < count; i++)
        free(requests[i].line);
}

static void alone(void)
{
    struct scene scene;
    struct request requests[3];

    make_scene(&scene);
    for (int i = 0; i < 3; i++) {
        const char id[] = {(char)('a' + i), '\0'};
        prepare(&requests[i], scene.commit, id);
    }
    fault_clear();
    commit_now(&requests[0]);
    is_int(requests[0].result, COMMIT_DURABLE, "a line alone is durable");
    ok(fault_calls(IO_WRITE) == 1 && fault_calls(IO_FDATASYNC) == 1, "by a write and a sync");
    ok(!commit_rotated(scene.commit), "no segment was closed");
    eventlog_limit(scene.log, 1);
    requests[1].deadline = 0;
    commit_now(&requests[1]);
    is_int(requests[1].result, COMMIT_DURABLE, "who leads at once is in time, however late");
    ok(commit_rotated(scene.commit), "a segment was closed");
    ok(!commit_rotated(scene.commit), "which is told once");
    fault_set(IO_WRITE, 0, 1, ENOSPC);
    commit_now(&requests[2]);
    ok(requests[2].result == COMMIT_ABSENT && requests[2].error == ENOSPC, "a full disk");
    is_int(untrue(&scene, requests, 3), 0, "the log is as told");
    release(requests, 3);
    drop_scene(&scene);
    commit_free(NULL);
}

enum { FOLLOWERS = 20 };

/* A leader at the gate and some behind him: requests[0], and the others in order. */
static void make_queue(struct scene *scene, struct request *requests, int count)
{
    make_scene(scene);
    close_gate(1);
    for (int i = 0; i < count; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "msg_%d", i);
        prepare(&requests[i], scene->commit, id);
    }
    start(&requests[0]);
    await_leader();
    for (int i = 1; i < count; i++)
        queue(&requests[i]);
}

static void finish_all(struct request *requests, int count)
{
    for (int i = 0; i < count; i++)
        join(&requests[i]);
}

static int with_result(const struct request *requests, int count, enum commit_result result,
                       int error)
{
    int found = 0;

    for (int i = 0; i < count; i++)
        found += requests[i].result == result && (error == 0 || requests[i].error == error);
    return found;
}

static void batch(void)
{
    struct scene scene;
    struct request requests[1 + FOLLOWERS];

    make_queue(&scene, requests, 1 + FOLLOWERS);
    is_int(fault_calls(IO_WRITE), 1, "while one syncs, nothing else is written");
    open_gate();
    finish_all(requests, 1 + FOLLOWERS);
    is_int(with_result(requests, 1 + FOLLOWERS, COMMIT_DURABLE, 0), 1 + FOLLOWERS,
           "he and those who came meanwhile are durable");
    is_int(fault_calls(IO_WRITE), 2, "they share a write");
    is_int(fault_calls(IO_FDATASYNC), 2, "and a sync");
    is_int(untrue(&scene, requests, 1 + FOLLOWERS), 0, "the log is as told");
    release(requests, 1 + FOLLOWERS);
    drop_scene(&scene);
}

static void failures(void)
{
    static const struct {
        const char *what;
        enum io_op op;
        int error;
        enum commit_result result;
        int told;
    } table[] = {
        {"a full disk", IO_WRITE, ENOSPC, COMMIT_ABSENT, ENOSPC},
        {"a failed sync", IO_FDATASYNC, EIO, COMMIT_UNSURE, EIO},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        struct scene scene;
        struct request requests[1 + FOLLOWERS], later;

        make_queue(&scene, requests, 1 + FOLLOWERS);
        fault_set(table[i].op, 0, 1, table[i].error);
        if (table[i].op == IO_FDATASYNC)
            fault_set(table[i].op, 1, 1, table[i].error); /* the leader's own comes first */
        open_gate();
        finish_all(requests, 1 + FOLLOWERS);
        is_int(requests[0].result, COMMIT_DURABLE, "%s: who was before is durable",
               table[i].what);
        is_int(with_result(requests + 1, FOLLOWERS, table[i].result, table[i].told), FOLLOWERS,
               "%s: the batch is told, each of it", table[i].what);
        prepare(&later, scene.commit, "later");
        commit_now(&later);
        is_int(later.result, COMMIT_DURABLE, "%s: who comes later is durable", table[i].what);
        is_int(untrue(&scene, requests, 1 + FOLLOWERS), 0, "%s: the log is as told",
               table[i].what);
        release(requests, 1 + FOLLOWERS);
        release(&later, 1);
        drop_scene(&scene);
    }
}

/* Of three in the queue one gives up: the first, the second or the last; or all do. */
static void withdrawals(void)
{
    static const struct {
        const char *what;
        bool gives_up[3];
    } table[] = {
        {"the first", {true, false, false}},  {"the second", {false, true, false}},
        {"the last", {false, false, true}},   {"the first two", {true, true, false}},
        {"the last two", {false, true, true}}, {"all", {true, true, true}},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        struct scene scene;
        struct request requests[4], later;
        int wrong = 0;

        make_scene(&scene);
        close_gate(1);
        prepare(&requests[0], scene.commit, "leader");
        start(&requests[0]);
        await_leader();
        for (int who = 1; who < 4; who++) {
            const char id[] = {(char)('0' + who), '\0'};
            prepare(&requests[who], scene.commit, id);
            if (table[i].gives_up[who - 1])
                requests[who].deadline = io_now() + 20 * 1000 * 1000;
            start(&requests[who]);
        }
        for (int who = 1; who < 4; who++) { /* the gate is still closed */
            if (!table[i].gives_up[who - 1])
                continue;
            join(&requests[who]);
            wrong += requests[who].result != COMMIT_ABSENT || requests[who].error != ETIMEDOUT
                || io_now() < requests[who].deadline;
        }
        is_int(wrong, 0, "%s give up at the deadline, and are told so", table[i].what);
        for (int who = 1; who < 4; who++) {
            if (!table[i].gives_up[who - 1])
                await_queued(&requests[who]);
        }
        open_gate();
        join(&requests[0]);
        wrong = requests[0].result != COMMIT_DURABLE;
        for (int who = 1; who < 4; who++) {
            if (table[i].gives_up[who - 1])
                continue;
            join(&requests[who]);
            wrong += requests[who].result != COMMIT_DURABLE;
        }
        is_int(wrong, 0, "%s give up: the others are durable", table[i].what);
        prepare(&later, scene.commit, "later");
        commit_now(&later);
        is_int(later.result, COMMIT_DURABLE, "%s give up: and who comes later", table[i].what);
        is_int(untrue(&scene, requests, 4), 0, "%s give up: the log is as told", table[i].what);
        release(requests, 4);
        release(&later, 1);
        drop_scene(&scene);
    }
}

/*
 * Three in the queue; the first leads and waits at the gate with the others'
 * lines in his hands until the second's deadline has passed. Was it that? When
 * the machine is slow the second gives up before, and more patience is needed.
 */
static bool taken_and_late(struct scene *scene, struct request requests[4], int64_t patience)
{
    make_scene(scene);
    close_gate(2);
    prepare(&requests[0], scene->commit, "0");
    start(&requests[0]);
    await_leader();
    for (int who = 1; who < 4; who++) {
        const char id[] = {(char)('0' + who), '\0'};
        prepare(&requests[who], scene->commit, id);
        if (who == 2)
            requests[who].deadline = io_now() + patience;
        queue(&requests[who]);
    }
    open_gate();
    await_leader(); /* at the second sync: all three are taken, unless one had given up */
    join(&requests[2]);
    return requests[2].result == COMMIT_LATE;
}

static void late(enum commit_result fate)
{
    struct scene scene;
    struct request requests[4], later;
    const char *what = fate == COMMIT_DURABLE ? "durable" : "failed";
    int64_t patience = 30 * 1000 * 1000;

    while (!taken_and_late(&scene, requests, patience) && patience < INT64_C(60000000000)) {
        open_gate();
        join(&requests[0]);
        join(&requests[1]);
        join(&requests[3]);
        release(requests, 4);
        drop_scene(&scene);
        patience *= 4;
    }
    is_int(requests[2].result, COMMIT_LATE, "%s: a line that was taken is late", what);
    if (fate == COMMIT_UNSURE)
        fault_set(IO_FDATASYNC, 0, 1, EIO);
    open_gate();
    errno = 0;
    requests[2].result = commit_wait(&requests[2].entry);
    is_int(requests[2].result, fate, "%s: its fate is known in the end", what);
    if (fate == COMMIT_UNSURE)
        is_int(errno, EIO, "%s: errno, too", what);
    join(&requests[0]);
    join(&requests[1]);
    join(&requests[3]);
    ok(requests[1].result == fate && requests[3].result == fate,
       "%s: it is that of the others in the batch", what);
    prepare(&later, scene.commit, "later");
    commit_now(&later);
    is_int(later.result, COMMIT_DURABLE, "%s: and the queue goes on", what);
    is_int(untrue(&scene, requests, 4), 0, "%s: the log is as told", what);
    release(requests, 4);
    release(&later, 1);
    drop_scene(&scene);
}

static struct request *ending_leader;

static void let_leader_end(void)
{
    open_gate();
    join(ending_leader);
}

static void *give_up_late(void *context)
{
    at_timeout = let_leader_end;
    return commit_in_thread(context);
}

/* The lead comes to one who gives up just then: it must not be lost with him. */
static void lead_and_deadline(void)
{
    struct scene scene;
    struct request requests[3];

    make_scene(&scene);
    close_gate(1);
    for (int i = 0; i < 3; i++) {
        const char id[] = {(char)('a' + i), '\0'};
        prepare(&requests[i], scene.commit, id);
    }
    start(&requests[0]);
    await_leader();
    ending_leader = &requests[0];
    requests[1].deadline = io_now() + 200 * 1000 * 1000; /* more than queueing the third takes */
    if (pthread_create(&requests[1].thread, NULL, give_up_late, &requests[1]) != 0)
        temp_die("pthread_create");
    await_queued(&requests[1]);
    start(&requests[2]);
    join(&requests[1]);
    join(&requests[2]);
    is_int(requests[0].result, COMMIT_DURABLE, "a leader is through");
    ok(requests[1].result == COMMIT_ABSENT && requests[1].error == ETIMEDOUT,
       "the next one gives up when the lead has just come to him");
    is_int(requests[2].result, COMMIT_DURABLE, "it goes on to the third");
    is_int(untrue(&scene, requests, 3), 0, "the log is as told");
    release(requests, 3);
    drop_scene(&scene);
}

/* A batch ends with the line that makes it 4 MiB, or with 512 of them. */
static void limits(void)
{
    enum { LARGE = 7, MANY = 1 + 512 + 3 };
    static struct request requests[MANY];
    struct scene scene;
    char *body = malloc(1024 * 1024 + 3);

    memset(body, ' ', 1024 * 1024 + 2);
    body[0] = body[1024 * 1024 + 1] = '"';
    body[1024 * 1024 + 2] = '\0';
    make_scene(&scene);
    close_gate(1);
    for (int i = 0; i < LARGE; i++) {
        const char id[] = {(char)('a' + i), '\0'};
        prepare(&requests[i], scene.commit, id);
        free(requests[i].line);
        requests[i].line = temp_line(id, body, &requests[i].len);
        start(&requests[i]);
        if (i == 0)
            await_leader();
        else
            await_queued(&requests[i]);
    }
    open_gate();
    finish_all(requests, LARGE);
    is_int(with_result(requests, LARGE, COMMIT_DURABLE, 0), LARGE, "lines of 1 MiB are durable");
    is_int(fault_calls(IO_FDATASYNC), 3, "the first, then four, then two");
    is_int(untrue(&scene, requests, LARGE), 0, "the log is as told");
    release(requests, LARGE);
    drop_scene(&scene);
    free(body);

    make_queue(&scene, requests, MANY);
    open_gate();
    finish_all(requests, MANY);
    is_int(with_result(requests, MANY, COMMIT_DURABLE, 0), MANY, "%d lines are durable", MANY);
    is_int(fault_calls(IO_FDATASYNC), 3, "the first, then 512, then the rest");
    is_int(untrue(&scene, requests, MANY), 0, "the log is as told");
    release(requests, MANY);
    drop_scene(&scene);
}

/* Many threads, many lines each; some deadlines are too short, some syncs fail, segments fill. */
enum { THREADS = 12, ROUNDS = 60 };

struct worker {
    struct request *requests;
    bool hurried;
};

static void *work(void *context)
{
    const struct worker *worker = context;

    for (int i = 0; i < ROUNDS; i++) {
        struct request *request = &worker->requests[i];
        request->deadline = worker->hurried && i % 3 > 0 ? io_now() + i * 10 * 1000
                                                         : temp_deadline();
        commit_now(request);
        if (request->result == COMMIT_LATE)
            request->result = commit_wait(&request->entry);
    }
    return NULL;
}

static int failing_syncs(const struct io_call *call)
{
    static _Atomic int count;
    const int other = fault_seam(call);

    if (!call->done && call->op == IO_FDATASYNC && atomic_fetch_add(&count, 1) % 13 == 12)
        return EIO;
    return other;
}

static void storm(bool well)
{
    static struct request requests[THREADS * ROUNDS];
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    struct scene scene;

    make_scene(&scene);
    fault_clear();
    if (!well) {
        eventlog_limit(scene.log, 20000);
        io_seam = failing_syncs;
    }
    for (int i = 0; i < THREADS * ROUNDS; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "%d-%d", i / ROUNDS, i % ROUNDS);
        prepare(&requests[i], scene.commit, id);
    }
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){requests + i * ROUNDS, !well};
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
            temp_die("pthread_create");
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    const int lines = THREADS * ROUNDS;
    const int durable = with_result(requests, lines, COMMIT_DURABLE, 0);
    if (well) {
        is_int(durable, lines, "%d lines of %d threads are durable", lines, THREADS);
        ok(fault_calls(IO_FDATASYNC) < lines, "by %d syncs", fault_calls(IO_FDATASYNC));
    } else {
        const int absent = with_result(requests, lines, COMMIT_ABSENT, 0);
        const int unsure = with_result(requests, lines, COMMIT_UNSURE, 0);
        is_int(durable + absent + unsure, lines, "%d durable, %d absent, %d unsure", durable,
               absent, unsure);
        ok(durable > 0 && unsure > 0, "some of each");
    }
    is_int(untrue(&scene, requests, lines), 0, "the log is as told");
    release(requests, lines);
    drop_scene(&scene);
}

int main(void)
{
    temp_start();
    sem_init(&gate.arrived, 0, 0);
    sem_init(&gate.open, 0, 0);
    alone();
    batch();
    failures();
    withdrawals();
    late(COMMIT_DURABLE);
    late(COMMIT_UNSURE);
    lead_and_deadline();
    limits();
    storm(true);
    storm(false);
    return done_testing();
}
