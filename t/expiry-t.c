/* SPDX-License-Identifier: ISC */
/*
 * Ids that have had their time: which go and which stay, what dead writers left,
 * clocks that jump, and a purge that is ended or fails at each of its steps.
 */
#include "autoconf.h"

#include "expiry.h"

#include <sys/timex.h>
#include <sysexits.h>

#include "dayfile.h"
#include "forget.h"
#include "purge.h"
#include "tap.h"
#include "temp.h"

#include "puts.h"

enum { DAY = 24 * 60 * 60, PROCESSES = 4, IDS = 40, ROUNDS = 150 };

#define START INT64_C(1795426380) /* 2026-11-23T09:33:00Z */

/* The clock of the library, and whether somebody keeps it. */
static int64_t now = START;
static bool kept;

time_t time(time_t *result)
{
    if (result != NULL)
        *result = (time_t)now;
    return (time_t)now;
}

int adjtimex(struct timex *timex)
{
    timex->status = kept ? STA_PLL : STA_UNSYNC;
    return kept ? TIME_OK : TIME_ERROR;
}

static struct config_spool which = {.dedupe_window = 30 * DAY, .keep = 30 * DAY,
                                    .segment_size = 1 << 20};

/* The configuration of a spool without consumers. */
static struct config config_of(const struct temp *temp)
{
    which.name = (char *)temp->name;
    return (struct config){.spool_dir = temp_top.path, .spools = &which, .spool_count = 1};
}

static int run_purge(const struct temp *temp, struct purge *purge, bool dry)
{
    const struct config config = config_of(temp);

    *purge = (struct purge){.dry = dry, .quiet = true};
    return purge_spool(purge, &config, &which);
}

static bool stands(const struct temp *temp, const char *id)
{
    return puts_has(temp, puts_path(id, false));
}

/* Stores an event on this day from the start. */
static void put_on(struct store *store, int day, const char *id)
{
    now = START + day * DAY;
    if (puts_put_at(store, id, now) != STORE_STORED)
        temp_die(id);
}

static void last_days(void)
{
    static const struct {
        int64_t now, window, day;
    } table[] = {
        {100 * DAY, 3 * DAY, 96}, {100 * DAY - 1, 3 * DAY, 95}, {100 * DAY + DAY - 1, 3 * DAY, 96},
        {3 * DAY, 3 * DAY, -1},   {2 * DAY, 3 * DAY, -1},       {4 * DAY, 3 * DAY, 0},
    };

    for (size_t i = 0; i < COUNT(table); i++)
        is_int(expiry_last(table[i].now, table[i].window), table[i].day,
               "the last day that is old, %zu", i);
}

static void day_names(void)
{
    static const struct {
        const char *name;
        int64_t day; /* -1: none */
    } table[] = {
        {"1970-01-01", 0},        {"1970-01-02", 1},      {"2026-11-23", START / DAY},
        {"2026-11-23.1", START / DAY}, {"2026-11-23.15", START / DAY}, {"2026-11-23.", -1},
        {"2026-11-23.0", -1},     {"2026-11-23.01", -1},  {"2026-11-23.1x", -1},
        {"2026-11-23x", -1},      {"2026-02-30", -1},     {"2026-1-1", -1},
        {"", -1},                 {".", -1},              {"2026-11-23.12345678901", -1},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        int64_t day = -1;
        const bool parsed = dayfile_parse(table[i].name, &day);
        ok(parsed == (table[i].day >= 0) && (!parsed || day == table[i].day), "the name '%s'",
           table[i].name);
    }
}

static void what_goes(void)
{
    struct temp temp;
    struct purge purge;
    int64_t day = 0;

    temp_make(&temp);
    struct store *store = puts_open(&temp, 1 << 20);
    put_on(store, 0, "first");
    put_on(store, 1, "second");
    put_on(store, 2, "third");
    put_on(store, 30, "late");
    is_int(run_purge(&temp, &purge, false), EX_OK, "a purge before anything is old");
    is_int(purge.ids, 0, "removes no id");
    put_on(store, 32, "later");

    is_int(run_purge(&temp, &purge, true), EX_OK, "a dry run");
    ok(purge.ids == 2 && purge.days == 2 && stands(&temp, "first"), "counts two and removes none");
    is_int(run_purge(&temp, &purge, false), EX_OK, "a purge");
    is_int(purge.ids, 2, "removes the ids of two days");
    ok(!stands(&temp, "first") && !stands(&temp, "second") && stands(&temp, "third")
           && stands(&temp, "late") && stands(&temp, "later"),
       "those whose days have passed, and no others");
    ok(!puts_has(&temp, "locks/days/2026-11-23") && !puts_has(&temp, "locks/days/2026-11-24")
           && puts_has(&temp, "locks/days/2026-11-25") && puts_has(&temp, "locks/days/2026-12-23"),
       "and the files of these days");
    char *locks = NULL;
    if (asprintf(&locks, "%s/locks", temp.path) < 0)
        temp_die("asprintf");
    const int dir = openat(temp.dir, "locks", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    is_int(expiry_marker(dir, locks, &day), 1, "it is written down up to when");
    is_int(day, START / DAY + 1, "that is the second day");
    is_int(expiry_mark(dir, locks, START / DAY), 0, "an earlier day");
    (void)expiry_marker(dir, locks, &day);
    is_int(day, START / DAY + 1, "does not take it back");
    close(dir);
    free(locks);

    is_int(puts_put_at(store, "third", now), STORE_DUPLICATE, "what is within the window is known");
    is_int(puts_put_at(store, "first", now), STORE_STORED, "what is not is stored again");
    is_int(puts_put_at(store, "first", now), STORE_DUPLICATE, "once");
    is_int(run_purge(&temp, &purge, false), EX_OK, "another purge");
    ok(purge.ids == 0 && stands(&temp, "first"), "does not take it for the old one");
    is_int(temp_said(""), 0, "all of that is silent");
    store_close(store);

    is_int(run_purge(&temp, &purge, false), EX_OK, "a purge alone");
    temp_remove(temp.dir, "log/state");
    is_int(run_purge(&temp, &purge, false), EX_OK, "a purge alone, after a boot");
    store = puts_open(&temp, 1 << 20);
    is_int(puts_put_at(store, "second", now), STORE_STORED, "what has gone does not come back");
    store_close(store);
    temp_drop(&temp);
}

/* What is stored under a name that a dead writer left is as old as the event, not as the name. */
static void left_behind(void)
{
    struct temp temp;
    struct purge purge;

    temp_make(&temp);
    struct store *store = puts_open(&temp, 1 << 20);
    put_on(store, 0, "first");
    (void)lockdir_pend(store_locks(store), "tried");
    put_on(store, 20, "tried");
    put_on(store, 40, "late");
    is_int(run_purge(&temp, &purge, false), EX_OK, "one was tried on the day that is old now");
    ok(purge.ids == 1 && stands(&temp, "tried"), "and stored later: it is not old");
    is_int(puts_put_at(store, "tried", now), STORE_DUPLICATE, "it is known");
    store_close(store);
    temp_drop(&temp);
}

static void clocks(void)
{
    struct temp temp;
    struct purge purge;

    temp_make(&temp);
    struct store *store = puts_open(&temp, 1 << 20);
    put_on(store, 0, "first");
    put_on(store, 1, "second");

    now = START + 3650 * DAY;
    is_int(run_purge(&temp, &purge, false), EX_OK, "a clock has jumped ahead by ten years");
    ok(purge.ids == 0 && purge.held && purge.now == START + DAY, "nothing goes, for all is new");
    now = START - 3650 * DAY;
    is_int(run_purge(&temp, &purge, false), EX_OK, "a clock has jumped back");
    ok(purge.ids == 0 && !purge.held && purge.now == now, "nothing goes");
    now = START + 3650 * DAY;
    kept = true;
    is_int(run_purge(&temp, &purge, true), EX_OK, "ten years have passed, as a time server says");
    ok(purge.ids == 2 && !purge.held, "and all is old");
    kept = false;
    store_close(store);

    /* A board without a clock repairs its spool in 1970: what it enters must not look old. */
    temp_remove(temp.dir, "locks");
    temp_remove(temp.dir, "log/state");
    now = 1000;
    store = puts_open(&temp, 1 << 20);
    put_on(store, 2, "third");
    is_int(run_purge(&temp, &purge, false), EX_OK, "ids were entered in 1970");
    ok(purge.ids == 0 && stands(&temp, "first") && stands(&temp, "second"),
       "and are as old as their events");
    put_on(store, 32, "late");
    is_int(run_purge(&temp, &purge, false), EX_OK, "until those are old");
    is_int(purge.ids, 2, "then they go");
    store_close(store);

    temp_drop(&temp);
    temp_make(&temp);
    now = START;
    store_close(puts_open(&temp, 1 << 20));
    is_int(run_purge(&temp, &purge, false), EX_OK, "nothing was ever stored");
    ok(purge.now == INT64_MIN && purge.held, "nothing vouches for the time");
    temp_drop(&temp);
}

/* A spool that was copied without its links: each entry is an inode of its own. */
static void copies(void)
{
    struct temp temp;
    struct purge purge;
    const struct timespec long_ago[2] = {{.tv_sec = START - 5 * DAY}, {.tv_sec = START - 5 * DAY}};

    temp_make(&temp);
    struct store *store = puts_open(&temp, 1 << 20);
    put_on(store, 0, "first");
    put_on(store, 31, "late");
    temp_remove(temp.dir, puts_path("first", false));
    temp_put(temp.dir, puts_path("first", false), "", 0);
    (void)utimensat(temp.dir, puts_path("first", false), long_ago, 0);
    temp_put(temp.dir, puts_path("strange.name", false), "", 0);
    (void)utimensat(temp.dir, puts_path("strange.name", false), long_ago, 0);
    is_int(run_purge(&temp, &purge, false), EX_OK, "an entry is a link to no day");
    ok(purge.ids == 1 && !stands(&temp, "first"), "it is as old as it is itself");
    ok(stands(&temp, "strange.name"), "what cannot be an id is left alone");
    store_close(store);
    temp_drop(&temp);
}

static void dead_writers(void)
{
    struct temp temp;
    struct purge purge;
    struct lockdir_claim claim;
    struct eventlog_extent extent;
    size_t len;
    char *line = temp_line("written", "1", &len);
    struct iovec part = {.iov_base = line, .iov_len = len};

    temp_make(&temp);
    now = START;
    struct store *store = puts_open(&temp, 1 << 20);
    struct lockdir *locks = store_locks(store);
    put_on(store, 0, "first");
    (void)lockdir_pend(locks, "nothing");
    (void)lockdir_pend(locks, "written");
    (void)eventlog_append(store_log(store), &part, 1, len, &extent);
    (void)lockdir_pend(locks, "alive");
    (void)lockdir_claim(locks, "alive", temp_deadline(), &claim);
    (void)lockdir_pend(locks, "first"); /* as nobody leaves it */

    is_int(run_purge(&temp, &purge, true), EX_OK, "a dry run");
    ok(purge.pending == 3 && purge.busy == 1, "sees three whose writers died and one that lives");
    is_int(run_purge(&temp, &purge, false), EX_OK, "a purge");
    ok(purge.pending == 1 && purge.recovered == 2 && purge.busy == 1,
       "removes a name without a line, and one beside an entry; enters the one with a line");
    ok(puts_has(&temp, puts_path("alive", true)), "and leaves that of the living alone");
    ok(!puts_has(&temp, puts_path("nothing", true)) && !puts_has(&temp, puts_path("written", true))
           && !puts_has(&temp, puts_path("first", true)) && stands(&temp, "first"),
       "the others are gone");
    lockdir_release(locks, &claim);
    is_int(puts_put_at(store, "written", now), STORE_DUPLICATE, "what was in the log is known");
    is_int(puts_put_at(store, "nothing", now), STORE_STORED, "what was not is stored");
    is_int(puts_put_at(store, "alive", now), STORE_STORED, "and so is the last");
    is_int(puts_times(&temp, "written"), 1, "nothing stands twice");
    segfile_release(extent.segment);
    store_close(store);
    free(line);
    temp_drop(&temp);
}

/* Just before an old entry is claimed, its id is forgotten and stored again by others. */
static const struct temp *swapping;
static int swap_after;

static int swapping_seam(const struct io_call *call)
{
    if (call->done || call->op != IO_OPEN || strcmp(call->name, "claims") != 0
        || swap_after-- != 0)
        return 0;
    const char *entry = puts_path("first", false);
    if (unlinkat(swapping->dir, entry, 0) < 0
        || linkat(swapping->dir, "locks/days/2026-12-25", swapping->dir, entry, 0) < 0)
        temp_die(entry);
    return 0;
}

static void swapped(void)
{
    struct temp temp;
    struct purge purge;

    temp_make(&temp);
    struct store *store = puts_open(&temp, 1 << 20);
    put_on(store, 0, "first");
    put_on(store, 32, "late");
    swapping = &temp;
    swap_after = 1; /* the first one is when the spool is opened */
    io_seam = swapping_seam;
    is_int(run_purge(&temp, &purge, false), EX_OK, "an old entry is seen");
    io_seam = NULL;
    ok(swap_after < 0, "before it is claimed it is replaced");
    ok(purge.ids == 0 && stands(&temp, "first"), "the new one stays");
    store_close(store);
    temp_drop(&temp);
}

/* Somebody settles, and does not come to an end: then no id goes, for one may be in the tail. */
static void unsettled(void)
{
    struct temp temp;
    struct purge purge;

    temp_make(&temp);
    struct store *store = puts_open(&temp, 1 << 20);
    put_on(store, 0, "first");
    put_on(store, 32, "late");
    fault_clear();
    fault_set(IO_RENAME, 0, 1, EIO); /* of settled.new */
    is_int(run_purge(&temp, &purge, false), EX_IOERR, "the log cannot be settled");
    io_seam = NULL;
    ok(purge.ids == 0 && stands(&temp, "first"), "no id goes");
    const int other = purge_right(openat(temp.dir, "locks", O_RDONLY | O_DIRECTORY), temp.path);
    is_int(run_purge(&temp, &purge, false), EX_OK, "another purge is at it");
    ok(purge.other && purge.ids == 0 && stands(&temp, "first"), "this one leaves it at that");
    close(other);
    is_int(run_purge(&temp, &purge, false), EX_OK, "then it is its turn");
    ok(!purge.other && purge.ids == 1, "and the id goes");
    store_close(store);
    temp_drop(&temp);
}

/* ---- crashes and failures */

static const char *const old[] = {"old_0", "old_1", "old_2"};
static const char *const fresh[] = {"fresh_0", "fresh_1", "fresh_2", "fresh_3"};

/* Old and fresh ids, a dead writer, something forgotten. The segments hold two lines. */
static struct store *make_used(const struct temp *temp)
{
    struct store *store = puts_open(temp, 600);
    const char *path;
    const int dir = lockdir_directory(store_locks(store), &path);
    struct forgotten *forgotten = forgotten_open(dir, path, true);

    for (size_t i = 0; i < COUNT(old); i++)
        put_on(store, (int)i % 2, old[i]);
    (void)forget_id(store, forgotten, old[2], temp_deadline(), now);
    forgotten_close(forgotten);
    for (size_t i = 0; i < COUNT(fresh); i++)
        put_on(store, 32 + (int)i % 2, fresh[i]);
    (void)lockdir_pend(store_locks(store), "dead");
    temp_put(temp->dir, "log/next", "", 0);
    temp_put(temp->dir, "locks/settled.new", "", 0);
    return store;
}

/* What must be true after anything; all_gone: a purge has come to its end. */
static int faults(const struct temp *temp, struct store *store, bool all_gone)
{
    int wrong = 0;

    for (size_t i = 0; i < COUNT(fresh); i++) {
        wrong += puts_put_at(store, fresh[i], now) != STORE_DUPLICATE;
        wrong += puts_times(temp, fresh[i]) != 1;
    }
    for (size_t i = 0; i + 1 < COUNT(old) && all_gone; i++)
        wrong += stands(temp, old[i]) || puts_times(temp, old[i]) != 0;
    wrong += all_gone && (puts_has(temp, "log/next") || puts_has(temp, "locks/settled.new"));
    wrong += all_gone && puts_has(temp, puts_path("dead", true));
    return wrong;
}

static int purge_and_end(const struct temp *temp)
{
    struct purge purge;

    return run_purge(temp, &purge, false);
}

static void crashes(bool beside)
{
    struct temp temp;
    int steps = 0, wrong = 0;

    temp_make(&temp);
    for (int after = 0; after < 2; after++) {
        int status = PUTS_CRASHED;
        for (int step = 0; status == PUTS_CRASHED && step < PUTS_STEPS; step = puts_next(step)) {
            struct purge purge;
            puts_empty(&temp);
            struct store *store = make_used(&temp);
            if (!beside)
                store_close(store);
            status = puts_run(purge_and_end, &temp, step, after);
            if (!beside)
                store = puts_open(&temp, 600);
            const int before = faults(&temp, store, false);
            const int result = run_purge(&temp, &purge, false);
            const int later = faults(&temp, store, true);
            if (before > 0 || result != EX_OK || later > 0)
                diag("step %d, after %d: %d faults; purge: %d, %d faults", step, after, before,
                     result, later);
            wrong += before > 0 || result != EX_OK || later > 0;
            wrong += puts_put_at(store, "dead", now) != STORE_STORED;
            wrong += puts_put_at(store, old[0], now) != STORE_STORED;
            store_close(store);
            steps++;
        }
        wrong += status != EX_OK;
    }
    temp_drop(&temp);
    ok(wrong == 0 && steps > 60, "a purge is killed at %d points %s: nothing is wrong", steps,
       beside ? "beside another" : "alone");
}

static void failures(int error)
{
    struct temp temp;
    int steps = 0, wrong = 0, told = 0;
    bool hit = true;

    temp_make(&temp);
    for (int number = 1; hit; number = puts_next(number)) {
        struct purge purge;
        puts_empty(&temp);
        struct store *store = make_used(&temp);
        const int open_before = temp_descriptors();
        fault_clear();
        atomic_store(&fault.from, number);
        atomic_store(&fault.to, number);
        const int status = run_purge(&temp, &purge, false);
        hit = atomic_load(&fault.total) >= number;
        io_seam = NULL;
        wrong += temp_descriptors() != open_before;
        wrong += !hit && status != EX_OK;
        told += status != EX_OK;
        wrong += faults(&temp, store, false) > 0;
        wrong += run_purge(&temp, &purge, false) != EX_OK || faults(&temp, store, true) > 0;
        store_close(store);
        steps++;
    }
    temp_drop(&temp);
    ok(wrong == 0 && told > 40, "%s at each of its calls (%d of %d end it): nothing is wrong",
       strerror(error), told, steps);
}

/* ---- everybody at once */

struct counts {
    int stored[IDS], forgotten[IDS];
    int expired;
};

static const char *contested(int number)
{
    static char id[16];

    (void)snprintf(id, sizeof(id), "id_%d", number);
    return id;
}

static _Noreturn void contend(const struct temp *temp, unsigned seed, int out)
{
    struct counts counts = {0};
    struct store *store = puts_open(temp, 4096);
    const char *path;
    const int dir = lockdir_directory(store_locks(store), &path);
    struct forgotten *forgotten = forgotten_open(dir, path, true);

    for (int i = 0; i < ROUNDS; i++) {
        const unsigned number = (seed >> 16) % IDS;
        seed = seed * 1103515245 + 12345;
        if (i % 10 == 0) {
            struct purge purge;
            (void)run_purge(temp, &purge, false);
            counts.expired += (int)purge.ids;
        } else if (number >= IDS / 2 || seed >> 16 & 1) { /* half of them are never forgotten */
            counts.stored[number] +=
                puts_put_at(store, contested((int)number), now) == STORE_STORED;
        } else {
            counts.forgotten[number] += forget_id(store, forgotten, contested((int)number),
                                                  temp_deadline(), now) == FORGET_DONE;
        }
    }
    forgotten_close(forgotten);
    store_close(store);
    _exit(write(out, &counts, sizeof(counts)) == sizeof(counts) ? 0 : 1);
}

/* Each id has an old entry, which goes once; what is stored meanwhile is fresh, and must stay. */
static void contest(void)
{
    struct temp temp;
    struct counts all = {0}, one;
    int pair[2], wrong = 0, removed = 0;

    temp_make(&temp);
    struct store *store = puts_open(&temp, 1 << 20);
    for (int i = 0; i < IDS; i++)
        put_on(store, 0, contested(i));
    put_on(store, 40, "late");
    if (pipe(pair) < 0)
        temp_die("pipe");
    fflush(stdout);
    for (unsigned i = 0; i < PROCESSES; i++) {
        if (fork() == 0)
            contend(&temp, i + 1, pair[1]);
    }
    for (int i = 0; i < PROCESSES; i++) {
        if (read(pair[0], &one, sizeof(one)) != sizeof(one))
            temp_die("read");
        for (int id = 0; id < IDS; id++) {
            all.stored[id] += one.stored[id];
            all.forgotten[id] += one.forgotten[id];
        }
        all.expired += one.expired;
    }
    while (wait(NULL) > 0)
        continue;
    struct purge purge;
    is_int(run_purge(&temp, &purge, false), EX_OK, "the last purge");
    all.expired += (int)purge.ids;
    for (int id = 0; id < IDS; id++) {
        /* 1 + stored entries were made, and each but the last one had to go for the next. */
        const int gone = 1 + all.stored[id] - stands(&temp, contested(id));
        removed += gone - all.forgotten[id];
        wrong += gone - all.forgotten[id] < 0 || gone - all.forgotten[id] > 1;
        wrong += puts_times(&temp, contested(id)) != 1 + all.stored[id];
    }
    ok(all.expired >= IDS / 2, "%d ids were purged, others were forgotten, and sent again",
       all.expired);
    is_int(wrong, 0, "only old ones, and each id stands there as often as it was stored");
    is_int(removed, all.expired, "as many as were counted");
    store_close(store);
    close(pair[0]);
    close(pair[1]);
    temp_drop(&temp);
}

int main(void)
{
    temp_start();
    last_days();
    day_names();
    what_goes();
    left_behind();
    clocks();
    copies();
    dead_writers();
    swapped();
    unsettled();
    crashes(true);
    crashes(false);
    failures(EIO);
    contest();
    return done_testing();
}
