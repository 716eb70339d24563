/* SPDX-License-Identifier: ISC */
/*
 * The promise, at every step: a process is ended before and after each system
 * call of the protocol in turn, or the call is made to fail; then the sender's
 * retry must be answered, and the event must stand in the log exactly once.
 */
#include "autoconf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event.h"
#include "io.h"
#include "record.h"
#include "segment.h"
#include "store.h"

#include "tap.h"

#define BAIL_OUT(why) (printf("Bail out! %s\n", why), exit(1))

enum { CRASHED = 99, STEPS_MAX = 1000 };

static char directory[] = "/tmp/hookspool crash XXXXXX";
static char spool[128];

/* What the seam does at the step counted down to. */
static struct {
    int countdown; /* calls until then; negative: never */
    bool after;    /* on the far side of the call */
    int error;     /* fail with it; 0: end the process */
    bool hit;
    enum io_op op; /* what was hit */
} plan_at;

static int seam(const struct io_call *call)
{
    if (plan_at.countdown < 0 || call->done != plan_at.after || plan_at.countdown-- > 0)
        return 0;
    plan_at.hit = true;
    plan_at.op = call->op;
    if (plan_at.error == 0)
        _exit(CRASHED);
    return plan_at.error;
}

static void aim(int step, bool after, int error)
{
    plan_at.countdown = step;
    plan_at.after = after;
    plan_at.error = error;
    plan_at.hit = false;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int remove_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)ftw;
    return type == FTW_F ? remove(path) : 0;
}

static void remove_spool(void)
{
    (void)nftw(spool, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Keeps the directories: making 256 of them anew each time would be most of this test. */
static void empty_spool(void)
{
    (void)nftw(spool, remove_file, 16, FTW_DEPTH | FTW_PHYS);
}

static char *make_line(const char *id, size_t body_len, size_t *len)
{
    char *body = malloc(body_len + 3);
    struct event event = {.id = id, .source = "/webhooks/test", .time = 1764000000, .body = body,
                          .body_len = body_len + 2};

    body[0] = '"';
    memset(body + 1, 'x', body_len);
    body[body_len + 1] = '"';
    if (event_examine(&event, "test") < 0)
        abort();
    char *line = record_encode(&event, len);
    free(body);
    return line;
}

static enum store_verdict put(struct store *store, const char *id, size_t body_len)
{
    struct store_ticket ticket;
    size_t len;
    char *line = make_line(id, body_len, &len);
    const enum store_verdict verdict =
        store_put(store, id, line, len, io_now() + (int64_t)5 * 1000000000, &ticket);

    if (verdict == STORE_LATE)
        store_finish(store, id, &ticket);
    store_settle(store);
    free(line);
    return verdict;
}

static struct store *open_store(void)
{
    /* Room for two lines: the third opens a second segment. */
    const struct store_limits limits = {.segment_size = 700, .min_free = 0};

    return store_open(spool, &limits);
}

struct tally {
    const char *id;
    int times, damaged;
};

static int tally_line(void *context, const struct segment_line *line)
{
    struct tally *tally = context;

    if (line->damaged)
        tally->damaged++;
    else if (line->view.id_len == strlen(tally->id)
             && memcmp(line->view.id, tally->id, line->view.id_len) == 0)
        tally->times++;
    return 0;
}

/* How often the id stands in the log; -1: the log is not in order. */
static int times_in_log(const char *id)
{
    struct tally tally = {.id = id};
    char path[160];

    snprintf(path, sizeof(path), "%s/log", spool);
    const int dir = open(path, O_RDONLY | O_DIRECTORY);
    if (dir < 0)
        return -1;
    const int result = segment_scan(dir, path, 0, UINT64_MAX, tally_line, &tally);
    close(dir);
    return result < 0 || tally.damaged > 0 ? -1 : tally.times;
}

static bool has_entry(const char *id)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/locks/%02x/%s", spool,
             (unsigned)(record_id_hash(id, strlen(id)) & 0xff), id);
    return access(path, F_OK) == 0;
}

/* In a process of its own: opens the spool, puts the id, and dies where the plan says. */
static int put_in_child(const char *id, int step, bool after, bool plan_open)
{
    int status;

    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        io_seam = seam;
        aim(plan_open ? step : -1, after, 0);
        struct store *store = open_store();
        if (store == NULL)
            _exit(1);
        if (!plan_open)
            aim(step, after, 0);
        const enum store_verdict verdict = put(store, id, 40);
        store_close(store);
        _exit(verdict == STORE_STORED || verdict == STORE_DUPLICATE ? 0 : 2);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A spool in which `lines` events stand already, closed. */
static void fresh_spool(int lines)
{
    char id[32];

    empty_spool();
    struct store *store = open_store();
    for (int i = 0; i < lines; i++) {
        snprintf(id, sizeof(id), "old_%d", i);
        if (put(store, id, 40) != STORE_STORED)
            BAIL_OUT("cannot prepare a spool");
    }
    store_close(store);
}

/* The event is answered, and stands once; what was there before stands once, too. */
static bool kept(struct store *store, const char *id, int lines, const char *what, int step,
                 bool after)
{
    const enum store_verdict verdict = put(store, id, 40);
    const enum store_verdict again = put(store, id, 40);
    const int times = times_in_log(id);
    bool good = (verdict == STORE_STORED || verdict == STORE_DUPLICATE)
                && again == STORE_DUPLICATE && times == 1 && has_entry(id);
    char old[32];

    for (int i = 0; i < lines && good; i++) {
        snprintf(old, sizeof(old), "old_%d", i);
        good = times_in_log(old) == 1 && has_entry(old) && put(store, old, 40) == STORE_DUPLICATE;
    }
    if (!good)
        diag("%s, step %d %s: retry %d, again %d, in the log %d times", what, step,
             after ? "after" : "before", verdict, again, times);
    return good;
}

/* Every step, but not each of the 256 directories that are made or synced one like the other. */
static int next_step(int step)
{
    return step < 40 ? step + 1 : step + 53;
}

/* Everybody is dead when the retry comes: the spool is repaired when it is opened. */
static void test_crash_then_repair(int lines, bool plan_open, const char *what)
{
    int steps = 0;
    bool good = true;

    for (int after = 0; after < 2; after++) {
        int status = CRASHED;
        for (int step = 0; status == CRASHED && step < STEPS_MAX; step = next_step(step)) {
            if (plan_open && lines == 0)
                remove_spool();
            else
                fresh_spool(lines);
            status = put_in_child("new", step, after, plan_open);
            if (status != CRASHED && status != 0)
                diag("child ended with %d", status);
            struct store *store = open_store();
            good = good && store != NULL && kept(store, "new", lines, what, step, after);
            store_close(store);
            steps++;
        }
        good = good && status == 0;
    }
    ok(good && steps > 6, "%s: killed at %d points, repaired on open", what, steps);
}

/* Another process has the spool open all the time: nothing is repaired, the retry finds its way. */
static void test_crash_beside_another(int lines, const char *what)
{
    int steps = 0;
    bool good = true;

    for (int after = 0; after < 2; after++) {
        int status = CRASHED;
        for (int step = 0; status == CRASHED && step < STEPS_MAX; step = next_step(step)) {
            fresh_spool(lines);
            struct store *store = open_store();
            status = put_in_child("new", step, after, false);
            good = good && kept(store, "new", lines, what, step, after);
            store_close(store);
            steps++;
        }
        good = good && status == 0;
    }
    ok(good && steps > 6, "%s: killed at %d points beside another process", what, steps);
}

/* The retry dies as well, at every step of its own. */
static void test_two_crashes(void)
{
    int runs = 0;
    bool good = true;

    for (int first = 0; first < 12; first++) {
        int status = CRASHED;
        for (int second = 0; status == CRASHED && second < STEPS_MAX; second++) {
            fresh_spool(1);
            struct store *store = open_store(); /* so that the second meets what the first left */
            (void)put_in_child("new", first, true, false);
            status = put_in_child("new", second, true, false);
            good = good && kept(store, "new", 1, "two crashes", second, true);
            store_close(store);
            runs++;
        }
    }
    ok(good && runs > 40, "two crashes one after the other: %d pairs", runs);
}

/* Each call fails in turn: what was not answered 200 can be sent again, what was stands once. */
static void test_failures(int lines, int error)
{
    int steps = 0, refused = 0;
    bool good = true;

    for (int step = 0; step < STEPS_MAX; step = next_step(step)) {
        fresh_spool(lines);
        struct store *store = open_store();
        aim(step, false, error);
        io_seam = seam;
        const enum store_verdict verdict = put(store, "new", 40);
        io_seam = NULL;
        const bool hit = plan_at.hit;
        if (verdict == STORE_STORED)
            good = good && times_in_log("new") == 1;
        else
            refused++;
        good = good && verdict != STORE_DUPLICATE && verdict != STORE_BUSY
               && kept(store, "new", lines, strerror(error), step, false);
        store_close(store);
        steps++;
        if (!hit)
            break;
    }
    ok(good && steps > 4 && refused > 2, "%s at each of %d steps, %d refused, and service resumes",
       strerror(error), steps - 1, refused);
}

/* The order that everything rests on, as the disk is told of it. */
static char trace[4096];

static int trace_call(const struct io_call *call)
{
    static const char *const names[] = {"open", "mkdir", "write", "fdatasync", "fsync",
                                        "truncate", "link", "rename", "unlink"};

    if (call->done && strlen(trace) < sizeof(trace) - 16 && call->op != IO_OPEN) {
        strcat(trace, names[call->op]);
        strcat(trace, " ");
    }
    return 0;
}

static void test_order(void)
{
    fresh_spool(0);
    struct store *store = open_store();
    io_seam = trace_call;
    trace[0] = '\0';
    is_int(put(store, "first", 40), STORE_STORED, "a new event is stored");
    is_str(trace, "link write fdatasync rename ", "pending, line, sync, entry, in this order");
    trace[0] = '\0';
    is_int(put(store, "first", 40), STORE_DUPLICATE, "the second time it is a duplicate");
    is_str(trace, "", "a duplicate writes nothing");
    (void)put(store, "second", 40);
    trace[0] = '\0';
    is_int(put(store, "third", 40), STORE_STORED, "an event that does not fit is stored");
    ok(strncmp(trace, "link fdatasync rename fsync write fdatasync rename ", 51) == 0,
       "the full segment is synced, the next one named and its name synced, before the line");
    io_seam = NULL;
    store_close(store);
}

/* The complaints that are provoked here go nowhere; diag() is still heard. */
static void quiet(void)
{
    const int null = open("/dev/null", O_WRONLY);

    stderr = fdopen(dup(STDERR_FILENO), "w");
    setvbuf(stderr, NULL, _IOLBF, 0);
    dup2(null, STDERR_FILENO);
    close(null);
}

int main(void)
{
    if (mkdtemp(directory) == NULL)
        BAIL_OUT("cannot make a directory");
    snprintf(spool, sizeof(spool), "%s/spool", directory);
    quiet();

    test_order();
    test_crash_then_repair(0, true, "the very first event");
    test_crash_then_repair(1, false, "an event");
    test_crash_then_repair(2, false, "an event that closes a segment");
    test_crash_then_repair(2, true, "opening a spool and an event");
    test_crash_beside_another(1, "an event");
    test_crash_beside_another(2, "an event that closes a segment");
    test_two_crashes();
    test_failures(1, EIO);
    test_failures(2, EIO);
    test_failures(1, ENOSPC);
    test_failures(2, ENOSPC);

    remove_spool();
    (void)rmdir(directory);
    return done_testing();
}
