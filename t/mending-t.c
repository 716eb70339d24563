/* SPDX-License-Identifier: ISC */
/*
 * fsck at each of its steps: a repair that is ended or fails can be done again,
 * to the same end; looking changes nothing, and finds no fault in a spool that
 * others use, forget from and purge meanwhile.
 */
#include "autoconf.h"

#include "fsck.h"

#include <sysexits.h>

#include "aside.h"
#include "forget.h"
#include "idtable.h"
#include "purge.h"
#include "tap.h"
#include "temp.h"

#include "puts.h"

enum { LINE_SEGMENT = 600, PROCESSES = 3, ROUNDS = 60, IDS = 4 };

static struct config_spool which = {.dedupe_window = 30 * 86400, .keep = 30 * 86400,
                                    .segment_size = LINE_SEGMENT};
static struct temp ground;

static struct config config_of(const struct temp *temp)
{
    which.name = (char *)temp->name;
    return (struct config){.spool_dir = temp_top.path, .spools = &which, .spool_count = 1};
}

/* What it prints is not for the harness. */
static int run_fsck(const struct temp *temp, bool repair, struct audit *audit)
{
    const struct config config = config_of(temp);
    static int out = -1, null = -1;

    if (null < 0) {
        null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
    }
    fflush(stdout);
    dup2(null, STDOUT_FILENO);
    *audit = (struct audit){.flaws = {.spool = temp->name, .json = true}};
    audit->flaws.progress = &audit->progress;
    const int status = fsck_spool(audit, &config, &which, repair);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    return status;
}

static enum forget_verdict forget(struct store *store, const char *id)
{
    const char *path;
    const int dir = lockdir_directory(store_locks(store), &path);
    struct forgotten *forgotten = forgotten_open(dir, path, true);
    const enum forget_verdict verdict =
        forget_id(store, forgotten, id, temp_deadline(), 1764000002);

    forgotten_close(forgotten);
    return verdict;
}

/* ---- the table of ids */

static void tables(void)
{
    enum { COUNT_OF_IDS = 1000, TWICE = 10 };
    static const size_t sizes[] = {3, 10, 64, 999, 1010, 5000};

    for (size_t s = 0; s < COUNT(sizes); s++) {
        struct idtable table;
        int seen = 0, twins = 0, lost = 0, rounds = 0;

        idtable_begin(&table, sizes[s]);
        do {
            for (int i = 0; i < COUNT_OF_IDS + TWICE; i++) {
                const int id = i % COUNT_OF_IDS;
                lost += idtable_add(&table, record_id_hash((const char *)&id, sizeof(id)),
                                    (uint64_t)i) < 0;
            }
            lost += table.count > sizes[s];
            idtable_sort(&table);
            seen += (int)table.count;
            for (size_t i = 0; i < table.count; i++) {
                const struct idtable_item *first = idtable_find(&table, table.items[i].hash);
                lost += first == NULL || first->hash != table.items[i].hash
                     || first->position > table.items[i].position;
                twins += i > 0 && table.items[i - 1].hash == table.items[i].hash;
            }
            lost += idtable_find(&table, 12345) != NULL;
            rounds++;
        } while (idtable_next(&table));
        idtable_end(&table);
        is_int(seen, COUNT_OF_IDS + TWICE, "room for %zu ids: each is seen once, in %d rounds",
               sizes[s], rounds);
        is_int(twins, TWICE, "room for %zu ids: those that stand there twice stand together",
               sizes[s]);
        is_int(lost, 0, "room for %zu ids: and are found", sizes[s]);
    }
}

/* ---- a spool in which much is wrong */

static const char *const ids[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
static uint64_t damaged_at, gap_at;

static void overwrite(const char *name, off_t offset, const char *bytes)
{
    const int fd = openat(ground.dir, name, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || pwrite(fd, bytes, strlen(bytes), offset) != (ssize_t)strlen(bytes))
        temp_die(name);
    close(fd);
}

/* "a" is damaged, "d" has lost its end, "b" its entry, "c" its directory, "e" was forgotten. */
static void make_sick(void)
{
    struct segment_list list;
    char name[64], shard[16];

    puts_empty(&ground);
    (void)snprintf(shard, sizeof(shard), "%.8s", puts_path("c", false));
    (void)mkdirat(ground.dir, shard, 0750); /* gone from the time before */
    struct store *store = puts_open(&ground, LINE_SEGMENT);
    for (size_t i = 0; i < COUNT(ids); i++) {
        if (puts_put(store, ids[i]) != STORE_STORED)
            temp_die(ids[i]);
    }
    (void)forget(store, "e");
    store_close(store);

    const int dir = openat(ground.dir, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (segment_list_read(&list, dir, "log") < 0 || list.count < 4)
        temp_die("segments");
    close(dir);
    overwrite("log/00000000000000000000.ndjson", 100, "!!!");
    damaged_at = 0;
    gap_at = list.starts[2] - 30;
    (void)snprintf(name, sizeof(name), "log/%020ju.ndjson", (uintmax_t)list.starts[1]);
    const int fd = openat(ground.dir, name, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)(gap_at - list.starts[1])) < 0)
        temp_die(name);
    close(fd);
    segment_list_release(&list);
    temp_remove(ground.dir, puts_path("b", false));
    temp_remove(ground.dir, shard);
    temp_put(ground.dir, "locks/settled", "99999\n", 6);
    temp_put(ground.dir, "locks/expired", "never\n", 6);
}

/* Is it as sound as it can be made? */
static int faults(void)
{
    char kept[64];
    struct audit audit;
    int wrong = 0;

    wrong += run_fsck(&ground, false, &audit) != EX_OK;
    (void)snprintf(kept, sizeof(kept), "log/%020ju.damaged", (uintmax_t)damaged_at);
    wrong += temp_size(ground.dir, kept) <= 0;
    (void)snprintf(kept, sizeof(kept), "log/%020ju.damaged", (uintmax_t)gap_at);
    wrong += temp_size(ground.dir, kept) != 0;
    struct store *store = puts_open(&ground, LINE_SEGMENT);
    for (size_t i = 0; i < COUNT(ids); i++) {
        const enum store_verdict verdict = puts_put(store, ids[i]);
        wrong += verdict != (ids[i][0] == 'e' ? STORE_STORED : STORE_DUPLICATE);
    }
    wrong += puts_times(&ground, "b") != 1 || puts_times(&ground, "c") != 1;
    wrong += puts_times(&ground, "a") != 0 || puts_times(&ground, "e") != 2;
    store_close(store);
    return wrong;
}

static void repairs(void)
{
    struct audit audit;

    make_sick();
    is_int(run_fsck(&ground, false, &audit), EX_DATAERR, "a sick spool is told from a sound one");
    is_int((int)audit.flaws.damage, 7, "seven things are wrong with it");
    is_int((int)audit.flaws.repaired, 0, "nothing is repaired by looking");
    is_int(run_fsck(&ground, true, &audit), EX_DATAERR, "it is repaired");
    ok(audit.flaws.damage == 7 && audit.flaws.repaired == 7, "all seven (%d of %d)",
       (int)audit.flaws.repaired, (int)audit.flaws.damage);
    is_int(faults(), 0, "then it is sound");
}

/* Looking takes no system call that changes anything. */
static int changes;

static int watching_seam(const struct io_call *call)
{
    changes += !call->done && call->op != IO_OPEN && call->op != IO_FDATASYNC;
    return 0;
}

static void looking(void)
{
    struct audit audit;

    make_sick();
    io_seam = watching_seam;
    is_int(run_fsck(&ground, false, &audit), EX_DATAERR, "looking at a closed spool");
    is_int(changes, 0, "changes nothing");
    temp_remove(ground.dir, "log/state");
    is_int(run_fsck(&ground, false, &audit), EX_DATAERR, "and after a boot");
    is_int(changes, 0, "neither");
    io_seam = NULL;
    ok(!puts_has(&ground, "log/state"), "nor does it begin a state");
}

static int repair_and_end(const struct temp *temp)
{
    struct audit audit;

    return run_fsck(temp, true, &audit);
}

static void crashes(void)
{
    int steps = 0, wrong = 0;

    for (int after = 0; after < 2; after++) {
        int status = PUTS_CRASHED;
        for (int step = 0; status == PUTS_CRASHED && step < PUTS_STEPS; step = puts_next(step)) {
            struct audit audit;
            make_sick();
            status = puts_run(repair_and_end, &ground, step, after);
            const int again = run_fsck(&ground, true, &audit);
            const int left = faults();
            if ((again != EX_DATAERR && again != EX_OK) || left > 0)
                diag("step %d, after %d: %d, %d faults", step, after, again, left);
            wrong += (again != EX_DATAERR && again != EX_OK) || left > 0;
            steps++;
        }
        wrong += status != EX_DATAERR;
    }
    ok(wrong == 0 && steps > 80, "a repair is killed at %d points: the next one completes it",
       steps);
}

static void failures(int error)
{
    int steps = 0, wrong = 0, told = 0;
    bool hit = true;

    for (int number = 1; hit; number = puts_next(number)) {
        struct audit audit;
        make_sick();
        const int open_before = temp_descriptors();
        fault_clear();
        for (int op = 0; op < FAULT_OPS; op++)
            atomic_store(&fault.error[op], error);
        atomic_store(&fault.from, number);
        atomic_store(&fault.to, number);
        const int status = run_fsck(&ground, true, &audit);
        hit = atomic_load(&fault.total) >= number;
        io_seam = NULL;
        wrong += temp_descriptors() != open_before;
        wrong += !hit && status != EX_DATAERR;
        told += status != EX_DATAERR;
        const int again = run_fsck(&ground, true, &audit);
        const int left = faults();
        if ((again != EX_DATAERR && again != EX_OK) || left > 0)
            diag("call %d: %d, then %d, %d faults", number, status, again, left);
        wrong += (again != EX_DATAERR && again != EX_OK) || left > 0;
        steps++;
    }
    ok(wrong == 0 && told > 40, "each of its calls fails (%d of %d end it): the next completes it",
       told, steps);
}

/* ---- beside others */

static _Noreturn void use(unsigned seed)
{
    struct store *store = puts_open(&ground, 4096);
    struct purge purge;

    for (int i = 0; i < ROUNDS; i++) {
        const char id[] = {(char)('A' + (seed >> 16) % IDS), '\0'};
        seed = seed * 1103515245 + 12345;
        if (i % 20 == 19) {
            const struct config config = config_of(&ground);
            purge = (struct purge){.quiet = true};
            (void)purge_spool(&purge, &config, &which);
        } else if (seed >> 16 & 1) {
            (void)puts_put(store, id);
        } else {
            (void)forget(store, id);
        }
    }
    store_close(store);
    _exit(0);
}

static void company(bool repair)
{
    struct audit audit;
    int looks = 0, wrong = 0, alive = PROCESSES;

    puts_empty(&ground);
    store_close(puts_open(&ground, 4096));
    fflush(stdout);
    for (unsigned i = 0; i < PROCESSES; i++) {
        if (fork() == 0)
            use(i + 1);
    }
    while (alive > 0) {
        const int status = run_fsck(&ground, repair, &audit);
        /* A purge may be at it, or a settling not let go. */
        wrong += status != EX_OK && !(repair && status == EX_TEMPFAIL);
        if (audit.flaws.damage > 0)
            diag("%d faults in a sound spool", (int)audit.flaws.damage);
        looks++;
        while (waitpid(-1, NULL, WNOHANG) > 0)
            alive--;
    }
    wrong += run_fsck(&ground, repair, &audit) != EX_OK;
    ok(wrong == 0 && looks > 0, "%s beside those who store, forget and purge: %d times no fault",
       repair ? "repairing" : "looking", looks);
}

int main(void)
{
    temp_start();
    temp_make(&ground);
    tables();
    repairs();
    looking();
    crashes();
    failures(EIO);
    company(false);
    company(true);
    temp_drop(&ground);
    return done_testing();
}
