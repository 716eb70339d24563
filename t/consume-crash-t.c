/* SPDX-License-Identifier: ISC */
/*
 * The consumer's half of the promise, at every step: a drain, a `retry --dead`,
 * a replay is ended before and after each system call that it makes in turn, or
 * the call is made to fail. Then a fresh drain runs to its end, and each event
 * must have been acknowledged, or stand in retry or among the dead, once; and
 * nothing is offered again that was acknowledged before the last run.
 *
 * The command that events are offered to is this program itself: it writes
 * down what it got, and fails when an id that it was given is among them.
 */
#include "autoconf.h"

#include "drain.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "desk.h"
#include "ledger.h"
#include "replay.h"
#include "verb_retry.h"

enum { CRASHED = 99, NO_MORE = 128, STEPS_MAX = 1000, RUNS = 64 };

static char self[PATH_MAX];

/* ---- the command */

/* "ok e0 e1 " or "failed e2 ", appended to a file in one write. */
static int command(const char *path, char *const *poison)
{
    char line[4096], text[1024] = "";
    bool bad = false;

    while (fgets(line, sizeof(line), stdin) != NULL) {
        const char *id = strstr(line, "\"id\":\"");
        const int len = id == NULL ? 0 : (int)strcspn(id + 6, "\"");
        char name[16];
        snprintf(name, sizeof(name), "%.*s", len, id == NULL ? "" : id + 6);
        sprintf(text + strlen(text), "%s ", name);
        for (char *const *one = poison; *one != NULL; one++)
            bad |= strcmp(*one, name) == 0;
    }
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const int len = snprintf(line, sizeof(line), "%s %s\n", bad ? "failed" : "ok", text);
    return fd < 0 || write(fd, line, (size_t)len) != len || bad;
}

/* What it wrote down. */
struct runs {
    int count;
    struct {
        bool good;
        char ids[256]; /* " e0 e1 " */
    } run[RUNS];
};

static void read_runs(struct runs *runs)
{
    size_t len;
    char *text = temp_get(desk.temp.dir, "runs", &len), *rest = text, *line;

    runs->count = 0;
    while (text != NULL && (line = strsep(&rest, "\n")) != NULL && *line != '\0'
           && runs->count < RUNS) {
        runs->run[runs->count].good = line[0] == 'o';
        snprintf(runs->run[runs->count++].ids, sizeof(runs->run[0].ids), "%s", strchr(line, ' '));
    }
    free(text);
}

static bool has(const char *ids, int event)
{
    char word[16];

    snprintf(word, sizeof(word), " e%d ", event);
    return strstr(ids, word) != NULL;
}

/* ---- where to end, or to fail */

enum way { BEFORE, AFTER, FAIL };

static struct {
    enum way way;
    int countdown; /* calls until then; negative: never */
    int step;
    bool hit;
} plan_at;

/* What each kind of call can fail with. */
static int error_of(enum io_op op, int number)
{
    static const int opening[] = {EMFILE, EROFS, ENOSPC}, naming[] = {EROFS, EIO};

    return op == IO_OPEN || op == IO_MKDIR ? opening[number % 3]
         : op == IO_WRITE                  ? ENOSPC
         : op == IO_FSYNC || op == IO_FDATASYNC ? EIO
                                                : naming[number % 2];
}

static int seam(const struct io_call *call)
{
    /* To open a file changes nothing that the next call would not find. */
    if (plan_at.way != FAIL && call->op == IO_OPEN)
        return 0;
    if (plan_at.countdown < 0 || call->done != (plan_at.way == AFTER))
        return 0;
    const int number = plan_at.countdown--;
    if (number > 0)
        return 0;
    plan_at.hit = true;
    if (plan_at.way != FAIL)
        _exit(CRASHED);
    return error_of(call->op, plan_at.step);
}

/* ---- what is tried */

struct scene {
    const char *what;
    void (*prepare)(void); /* the desk, before */
    int (*act)(void);      /* under the seam */
    size_t batch;
    unsigned jobs;
    int from, behind;      /* the events that are to be offered */
    const char *want;      /* desk_failed() in the end */
    const char *poison[3];
    const char *or;        /* the same, if that may be; NULL: it may not */
};

static const struct scene *scene;

static int drain(void)
{
    char path[PATH_MAX + 64];
    char *argv[8] = {self, (char *)"--command", path};

    snprintf(path, sizeof(path), "%s/runs", desk.temp.path);
    for (int i = 0; scene->poison[i] != NULL; i++)
        argv[3 + i] = (char *)scene->poison[i];
    const struct offer_options options = {.batch = scene->batch, .jobs = scene->jobs,
                                          .max = UINT64_MAX, .quiet = true, .command = argv};
    return drain_run(&options, &desk.config, &desk.consumer_config);
}

static int retry_dead(void)
{
    char *argv[] = {(char *)"retry", (char *)"--dead", (char *)"billing", NULL};
    char conf[PATH_MAX + 64];

    snprintf(conf, sizeof(conf), "%s/conf", desk.temp.path);
    (void)setenv("HOOKSPOOL_CONF", conf, 1);
    if (freopen("/dev/null", "w", stdout) == NULL)
        temp_die("/dev/null");
    return cli_run(&verb_retry, 3, argv, NULL);
}

static void put_failure(struct failure failure, unsigned attempts, int64_t first, int64_t next)
{
    failure.attempts = attempts;
    failure.first = failure.last = first;
    failure.next = next;

    size_t len;
    char *line = temp_line(failure.id, "{\"type\":\"test.made\"}", &len);
    failure.event = line;
    failure.event_len = len - 1;
    if (next == 0) {
        if (dead_add(desk.consumer.dir, desk.consumer.path, &failure, 1) < 0)
            temp_die("dead");
    } else {
        struct retry *retry = retry_open(desk.consumer.dir, desk.consumer.path, true);
        if (retry == NULL || retry_add(retry, &failure, 1) < 0)
            temp_die("retry");
        retry_close(retry);
    }
    free(line);
}

static void pass(int events)
{
    struct cursor cursor;

    if (cursor_open(&cursor, desk.consumer.dir, desk.consumer.path, "cursor") < 0
        || cursor_done(&cursor, 0, desk.position[events]) < 0)
        temp_die("cursor");
    cursor_close(&cursor);
}

/* The very first drain, of two segments. */
static void new_consumer(void)
{
    desk_make();
    desk_add(4, true);
    desk_add(3, true);
}

/* One that is due and will do, one that will die, one that was not due; and the log goes on. */
static void old_consumer(void)
{
    desk_make();
    desk_add(5, true);
    desk_add(5, true);
    desk_open();
    pass(3);
    put_failure(desk_failure(0), 1, 1000, 1030);
    put_failure(desk_failure(1), 2, 1000, 1060);
    put_failure(desk_failure(2), 1, (int64_t)time(NULL), (int64_t)time(NULL) + 3000);
    desk_close();
}

static void dead_letters(void)
{
    static const char text[] = "[hookspool]\nspool_dir = %s\n[endpoint calls]\nsecret_file = /s\n"
                               "[consumer billing]\nspool = calls\n";
    char conf[PATH_MAX + 256];

    desk_make();
    desk_add(4, true);
    desk_open();
    pass(4);
    for (int i = 0; i < 3; i++)
        put_failure(desk_failure(i), 10, 1000, 0);
    desk_close();
    snprintf(conf, sizeof(conf), text, desk.temp.path);
    temp_put(desk.temp.dir, "conf", conf, strlen(conf));
}

/* Of what is replayed one is dead, and one waits. */
static void replay(void)
{
    desk_make();
    desk_add(3, true);
    desk_add(5, true);
    desk_open();
    pass(8);
    put_failure(desk_failure(2), 10, 1000, 0);
    put_failure(desk_failure(4), 1, (int64_t)time(NULL), (int64_t)time(NULL) + 3000);
    put_failure(desk_failure(7), 10, 1000, 0);
    const struct filter filter = FILTER_ALL;
    if (replay_request(&desk.consumer, desk.position[1], desk.position[6], &filter) < 0)
        temp_die("replay");
    desk_close();
}

/* ---- what has come of it */

/* In a process of its own, whose children are waited for as well. */
static int in_child(int (*act)(void), enum way way, int step)
{
    int status, result = -1;

    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        plan_at.way = way;
        plan_at.countdown = plan_at.step = step;
        io_seam = seam;
        const int end = act();
        io_seam = NULL;
        _exit(end | (way == FAIL && !plan_at.hit ? NO_MORE : 0));
    }
    for (pid_t one; (one = waitpid(-1, &status, 0)) > 0 || errno == EINTR;) {
        if (one == pid)
            result = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    return result;
}

static int undisturbed(int (*act)(void))
{
    return in_child(act, BEFORE, -1);
}

static int failed_cases;

static bool complain(const char *where, const char *what)
{
    if (failed_cases++ < 10)
        diag("%s, %s: %s", scene->what, where, what);
    return false;
}

/* Was an event of this run offered again behind the first drain? */
static bool repeated(const struct runs *first, const struct runs *all, int run)
{
    for (int event = 0; event < desk.events; event++) {
        for (int i = first->count; i < all->count && has(first->run[run].ids, event); i++) {
            if (has(all->run[i].ids, event))
                return true;
        }
    }
    return false;
}

/* Of what was acknowledged only the last is offered again: the last run, or one a job. */
static bool no_needless_repeats(const struct runs *first, const struct runs *all, const char *where)
{
    unsigned again = 0;

    for (int i = 0; i < first->count; i++) {
        if (!first->run[i].good || !repeated(first, all, i))
            continue;
        if (++again > scene->jobs || (scene->jobs == 1 && i + 1 < first->count))
            return complain(where, "an acknowledged event was offered again");
    }
    return true;
}

/* Each event was acknowledged, or stands somewhere. */
static bool nothing_lost(const struct runs *all, const char *failed, const char *where)
{
    for (int event = scene->from; event < scene->behind; event++) {
        char word[16];
        bool found = false;
        snprintf(word, sizeof(word), "e%d*", event);
        for (int i = 0; i < all->count && !found; i++)
            found = all->run[i].good && has(all->run[i].ids, event);
        if (!found && strstr(failed, word) == NULL)
            return complain(where, "an event was neither acknowledged nor kept");
    }
    return true;
}

static bool tidy(const char *where)
{
    if (temp_said("amaged") + temp_said("proves itself") + temp_said("is no request") > 0)
        return complain(where, "something is damaged");
    if (temp_names(desk.consumer.dir, ".", NULL) > 5) /* cursor, drain, lock, retry, dead */
        return complain(where, "something is left over");
    return true;
}

/* After the scene came to an end of any kind: a fresh drain, and then all is well. */
static bool all_is_well(const char *where)
{
    struct runs first, all;
    char failed[2048];

    read_runs(&first);
    const int status = undisturbed(drain);
    if (status != EX_OK && status != EX_TEMPFAIL)
        return complain(where, "a fresh drain cannot go on");
    read_runs(&all);
    desk_open();
    snprintf(failed, sizeof(failed), "%s", desk_failed());
    bool good = no_needless_repeats(&first, &all, where) && nothing_lost(&all, failed, where)
             && tidy(where);
    if (good && strcmp(failed, scene->want) != 0 && scene->act == drain
        && (scene->or == NULL || strcmp(failed, scene->or) != 0))
        good = complain(where, failed);
    desk_close();
    return good;
}

/* The verb again, and a drain: now they are all offered. */
static bool all_revived(const char *where)
{
    if (scene->act != retry_dead)
        return true;
    if (undisturbed(retry_dead) != EX_OK)
        return complain(where, "a fresh retry --dead cannot go on");
    (void)undisturbed(drain);
    desk_open();
    const char *failed = desk_failed();
    const bool good = strcmp(failed, scene->want) == 0 || complain(where, failed);
    desk_close();
    return good;
}

static void crashes(enum way way)
{
    int steps = 0, status = CRASHED;
    bool good = true;

    for (; status == CRASHED && steps < STEPS_MAX; steps++) {
        char where[64];
        snprintf(where, sizeof(where), "ended %s call %d", way == AFTER ? "after" : "before",
                 steps);
        scene->prepare();
        status = in_child(scene->act, way, steps);
        good &= all_is_well(where) && all_revived(where);
        desk_drop();
    }
    good &= status == EX_OK || status == EX_TEMPFAIL;
    ok(good && steps > 5, "%s: ended %s each of %d calls", scene->what,
       way == AFTER ? "after" : "before", steps - 1);
}

static void errors(void)
{
    int steps = 0;
    bool good = true;

    for (int status = 0; (status & NO_MORE) == 0 && steps < STEPS_MAX; steps++) {
        char where[64];
        snprintf(where, sizeof(where), "an error at call %d", steps);
        scene->prepare();
        status = in_child(scene->act, FAIL, steps);
        const int end = status & ~NO_MORE;
        if (end != EX_OK && end != EX_TEMPFAIL && end != EX_IOERR && end != EX_UNAVAILABLE)
            good = complain(where, "it ends with another status");
        if (end != EX_OK && temp_said("cannot ") + temp_said("failed: ") == 0)
            good = complain(where, "it says nothing");
        good &= all_is_well(where) && all_revived(where);
        desk_drop();
    }
    ok(good && steps > 10, "%s: an error at each of %d calls", scene->what, steps - 1);
}

/* ---- the order that it rests on, as the disk is told of it */

static int trace_call(const struct io_call *call)
{
    static const char *const names[] = {"open", "mkdir", "write", "sync", "sync",
                                        "truncate", "link", "rename", "unlink"};
    char link[64], path[PATH_MAX] = "";

    if (!call->done || call->op == IO_OPEN)
        return 0;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", call->fd);
    const ssize_t len = readlink(link, path, sizeof(path) - 1);
    path[len > 0 ? len : 0] = '\0';
    const char *name = strrchr(path, '/');
    const int fd = openat(desk.temp.dir, "trace", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dprintf(fd, "%s %s\n", names[call->op], name == NULL ? "?" : name + 1);
    close(fd);
    return 0;
}

static int traced_drain(void)
{
    io_seam = trace_call;
    return drain();
}

/* The trace of one drain, from the first mention of a file on. */
static void traces(const char *from, const char *want, const char *what)
{
    size_t len;

    temp_remove(desk.temp.dir, "trace");
    (void)undisturbed(traced_drain);
    char *text = temp_get(desk.temp.dir, "trace", &len);
    const char *begin = text == NULL ? NULL : strstr(text, from);
    is_str(begin == NULL ? text : begin, want, "%s", what);
    free(text);
}

static void order(const struct scene *with)
{
    scene = with;
    desk_make();
    desk_add(1, true);
    traces("write retry", "write retry.ndjson\nsync retry.ndjson\nsync billing\n"
                          "write cursor\nsync cursor\nwrite drain\n",
           "a failure is on the disk, its file's name too, before the cursor moves over it");
    desk_open();
    put_failure(desk_failure(0), 2, 1000, 1060);
    desk_close();
    traces("write dead", "write dead.ndjson\nsync dead.ndjson\nsync billing\n"
                         "write retry.ndjson\nsync retry.ndjson\nsync billing\nwrite drain\n",
           "a dead letter is on the disk before it leaves retry");
    desk_drop();
}

/* ---- a cursor that is not known to be durable */

/* Fails every sync of the cursor but the one with which it is opened. */
static int fail_cursor(const struct io_call *call)
{
    static int syncs;
    struct stat st;

    if (call->op != IO_FDATASYNC || call->done || fstat(call->fd, &st) < 0
        || st.st_size != (off_t)2 * CURSOR_SLOT)
        return 0;
    return syncs++ > 0 ? EIO : 0;
}

static int drain_unsynced(void)
{
    io_seam = fail_cursor;
    return drain();
}

/* The kernel may drop the page, and read it back from before: then the dead are not passed. */
static void unsynced(void)
{
    scene->prepare();
    is_int(undisturbed(drain_unsynced), EX_IOERR, "a cursor cannot be synced");
    desk_open();
    ok(consumer_drain(&desk.consumer, false) == 1 && !desk.consumer.clean,
       "then the next drain looks closely");
    desk_drop();
}

int main(int argc, char **argv)
{
    static const struct scene scenes[] = {
        {"a new consumer", new_consumer, drain, 3, 1, 0, 7, "e2*1 |", {"e2"}, NULL},
        {"an old consumer", old_consumer, drain, 3, 1, 0, 10, "e2*1 e5*1 | e1*3", {"e1", "e5"},
         NULL},
        {"two jobs", old_consumer, drain, 2, 2, 0, 10, "e2*1 e5*1 | e1*3", {"e1", "e5"},
         NULL},
        {"a replay", replay, drain, 2, 1, 1, 6, "e3*1 | e7*10", {"e3"}, "e3*2 | e7*10"},
        {"retry --dead", dead_letters, retry_dead, 3, 1, 0, 3, "e1*1 |", {"e1"}, NULL},
    };

    static const struct scene ordered = {.batch = 1, .jobs = 1, .poison = {"e0"}};

    if (argc > 3 && strcmp(argv[1], "--command") == 0)
        return command(argv[2], argv + 3);
    if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0
        || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        temp_die("/proc/self/exe");
    if (access("/dev/shm", W_OK) == 0) /* nobody cuts the power: syncs need not be waited for */
        (void)setenv("TMPDIR", "/dev/shm", 1);
    temp_start();
    order(&ordered);
    for (size_t i = 0; i < COUNT(scenes); i++) {
        scene = &scenes[i];
        crashes(BEFORE);
        if (scene->prepare == old_consumer && scene->jobs == 1)
            crashes(AFTER); /* which is much the same */
        errors();
    }
    scene = &scenes[0];
    unsynced();
    return done_testing();
}
