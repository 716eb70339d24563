/* SPDX-License-Identifier: ISC */
/*
 * Ids that are forgotten: the next copy is stored, whatever crashes, and
 * nothing brings the entry back: not settling, not a repair, not step 4.
 */
#include "autoconf.h"

#include "forget.h"

#include "eventlog.h"
#include "tap.h"
#include "temp.h"

#include "puts.h"

enum { TWO_LINES = 600, PROCESSES = 4, ROUNDS = 60, IDS = 3 };

static struct forgotten *open_forgotten(struct store *store)
{
    const char *path;
    const int dir = lockdir_directory(store_locks(store), &path);

    return forgotten_open(dir, path, true);
}

static enum forget_verdict forget_until(struct store *store, const char *id, int64_t deadline)
{
    struct forgotten *forgotten = open_forgotten(store);

    if (forgotten == NULL)
        return FORGET_FAILED;
    const enum forget_verdict verdict = forget_id(store, forgotten, id, deadline, 1764000002);
    forgotten_close(forgotten);
    return verdict;
}

static enum forget_verdict forget(struct store *store, const char *id)
{
    return forget_until(store, id, temp_deadline());
}

static void verdicts(void)
{
    struct temp temp;
    struct lockdir_claim claim;

    temp_make(&temp);
    struct store *store = puts_open(&temp, 1 << 20);
    is_int(forget(store, "a"), FORGET_UNKNOWN, "an id that was never stored is unknown");
    is_int(puts_put(store, "a"), STORE_STORED, "it is stored");
    is_int(forget(store, "a"), FORGET_DONE, "and forgotten");
    is_int(forget(store, "a"), FORGET_UNKNOWN, "once");
    is_int(puts_put(store, "a"), STORE_STORED, "so that it is stored again");
    is_int(puts_put(store, "a"), STORE_DUPLICATE, "and once only");
    is_int(puts_times(&temp, "a"), 2, "it stands in the log twice");
    is_int(temp_said(""), 0, "all of that is silent");

    is_int(lockdir_claim(store_locks(store), "a", temp_deadline(), &claim), 0, "it is claimed");
    is_int(forget_until(store, "a", io_now() + 1000000), FORGET_BUSY,
           "what is being stored is not forgotten");
    lockdir_release(store_locks(store), &claim);
    is_int(puts_put(store, "a"), STORE_DUPLICATE, "nor afterwards");
    store_close(store);
    temp_drop(&temp);
}

/* A writer that died: before his line is in the log, or with it. */
static void dead_writers(void)
{
    struct temp temp;
    size_t len;
    char *line = temp_line("late", "1", &len);
    struct iovec part = {.iov_base = line, .iov_len = len};
    struct eventlog_extent extent;

    temp_make(&temp);
    struct store *store = puts_open(&temp, 1 << 20);
    (void)lockdir_pend(store_locks(store), "early");
    is_int(forget(store, "early"), FORGET_UNKNOWN, "his line is not in the log: unknown");
    ok(!puts_has(&temp, puts_path("early", true)), "and his pending name is gone");
    is_int(puts_put(store, "early"), STORE_STORED, "it is stored");

    (void)lockdir_pend(store_locks(store), "late");
    (void)eventlog_append(store_log(store), &part, 1, len, &extent);
    is_int(forget(store, "late"), FORGET_DONE, "his line is in the log: it is forgotten");
    ok(!puts_has(&temp, puts_path("late", true)), "and his pending name is gone");
    is_int(puts_put(store, "late"), STORE_STORED, "the next copy is stored");
    is_int(puts_times(&temp, "late"), 2, "as the second");
    segfile_release(extent.segment);
    store_close(store);
    free(line);
    temp_drop(&temp);
}

/* What would make an entry of the old line: each of them, after the id was forgotten. */
static void stays_forgotten(void)
{
    static const char *const how[] = {"settling", "a crash and a repair",
                                      "a repair of all of the log", "a lost lock directory"};

    for (int i = 0; i < 4; i++) {
        struct temp temp;

        temp_make(&temp);
        struct store *store = puts_open(&temp, TWO_LINES);
        (void)puts_put(store, "a");
        (void)forget(store, "a");
        if (i == 0) {
            (void)puts_put(store, "b");
            (void)puts_put(store, "c");
            ok(lockdir_settled(store_locks(store)) > 0, "the segment is settled");
        } else {
            store_close(store);
            temp_remove(temp.dir, "log/state"); /* as after a boot */
            if (i == 2)
                temp_remove(temp.dir, "locks/settled");
            if (i == 3) { /* all but the note */
                size_t len = 0;
                char *note = temp_get(temp.dir, "locks/forgotten", &len);
                temp_remove(temp.dir, "locks");
                if (note == NULL || mkdirat(temp.dir, "locks", 0750) < 0)
                    temp_die("locks");
                temp_put(temp.dir, "locks/forgotten", note, len);
                free(note);
            }
            store = puts_open(&temp, TWO_LINES);
        }
        is_int(puts_put(store, "a"), STORE_STORED, "%s does not bring it back", how[i]);
        is_int(puts_put(store, "a"), STORE_DUPLICATE, "%s: the copy is known", how[i]);
        store_close(store);

        temp_remove(temp.dir, "log/state");
        temp_remove(temp.dir, "locks/settled");
        temp_remove(temp.dir, puts_path("a", false));
        store = puts_open(&temp, TWO_LINES);
        is_int(puts_put(store, "a"), STORE_DUPLICATE, "%s: and its entry is made again", how[i]);
        is_int(puts_times(&temp, "a"), 2, "%s: it stands there twice", how[i]);
        store_close(store);
        temp_drop(&temp);
    }
}

/* ---- crashes */

static int step_at;

static int forget_and_end(const struct temp *temp)
{
    puts_from_here(-1);
    struct store *store = puts_open(temp, TWO_LINES);
    puts_from_here(step_at);
    return forget(store, "a") == FORGET_DONE ? 0 : 1;
}

static int put_and_end(const struct temp *temp)
{
    puts_from_here(-1);
    struct store *store = puts_open(temp, TWO_LINES);
    puts_from_here(step_at);
    return puts_put(store, "a") == STORE_STORED ? 0 : 1;
}

/* The process that forgets is ended; beside another, or alone, so that a repair follows. */
static void crashes(bool beside)
{
    struct temp temp;
    int steps = 0, wrong = 0, again = 0;

    temp_make(&temp);
    for (int after = 0; after < 2; after++) {
        int status = PUTS_CRASHED;
        for (step_at = 0; status == PUTS_CRASHED; step_at++) {
            puts_empty(&temp);
            struct store *store = puts_open(&temp, TWO_LINES);
            (void)puts_put(store, "a");
            if (!beside)
                store_close(store);
            status = puts_run(forget_and_end, &temp, -1, after);
            if (!beside)
                store = puts_open(&temp, TWO_LINES);
            const enum store_verdict verdict = puts_put(store, "a");
            const int expected = verdict == STORE_STORED ? 2 : 1;
            wrong += verdict != STORE_STORED && (verdict != STORE_DUPLICATE || status == 0);
            wrong += puts_put(store, "a") != STORE_DUPLICATE;
            wrong += puts_times(&temp, "a") != expected;
            if (verdict == STORE_DUPLICATE) /* it was not said to be forgotten: once more */
                again += forget(store, "a") == FORGET_DONE && puts_put(store, "a") == STORE_STORED;
            else
                again++;
            store_close(store);
            steps++;
        }
        wrong += status != 0;
    }
    temp_drop(&temp);
    ok(wrong == 0 && steps > 10, "killed at %d points of forgetting, %s", steps,
       beside ? "beside another" : "alone");
    is_int(again, steps, "and it can be done again");
}

/* The resent copy's writer is ended at each step: the retry must not be told of the old line. */
static void crashes_of_the_copy(bool beside)
{
    struct temp temp;
    int steps = 0, wrong = 0;

    temp_make(&temp);
    for (int after = 0; after < 2; after++) {
        int status = PUTS_CRASHED;
        for (step_at = 0; status == PUTS_CRASHED; step_at++) {
            puts_empty(&temp);
            struct store *store = puts_open(&temp, TWO_LINES);
            (void)puts_put(store, "a");
            (void)forget(store, "a");
            if (!beside)
                store_close(store);
            status = puts_run(put_and_end, &temp, -1, after);
            if (!beside)
                store = puts_open(&temp, TWO_LINES);
            const enum store_verdict verdict = puts_put(store, "a");
            wrong += verdict != STORE_STORED && verdict != STORE_DUPLICATE;
            wrong += puts_put(store, "a") != STORE_DUPLICATE;
            if (puts_times(&temp, "a") != 2) {
                diag("step %d, after %d: %d times", step_at, after, puts_times(&temp, "a"));
                wrong++;
            }
            store_close(store);
            steps++;
        }
        wrong += status != 0;
    }
    temp_drop(&temp);
    ok(wrong == 0 && steps > 6, "the copy's writer is killed at %d points %s: it stands there once",
       steps, beside ? "beside another" : "alone");
}

static void failures(void)
{
    static const int errors[] = {EIO, ENOSPC};
    struct temp temp;
    int wrong = 0, refused = 0, steps = 0;

    temp_make(&temp);
    for (size_t i = 0; i < COUNT(errors); i++) {
        bool hit = true;
        for (int number = 1; hit; number++) {
            puts_empty(&temp);
            struct store *store = puts_open(&temp, TWO_LINES);
            (void)puts_put(store, "a");
            const int open_before = temp_descriptors();
            fault_burst(number, number);
            const enum forget_verdict verdict = forget(store, "a");
            hit = atomic_load(&fault.total) >= number;
            io_seam = NULL;
            wrong += temp_descriptors() != open_before;
            wrong += hit ? verdict == FORGET_UNKNOWN : verdict != FORGET_DONE;
            refused += verdict == FORGET_FAILED;
            const enum store_verdict put = puts_put(store, "a");
            wrong += put != STORE_STORED && (put != STORE_DUPLICATE || verdict == FORGET_DONE);
            wrong += puts_times(&temp, "a") != (put == STORE_STORED ? 2 : 1);
            store_close(store);
            steps++;
        }
    }
    temp_drop(&temp);
    ok(wrong == 0 && refused > 10, "each of its system calls fails (%d runs): it says so", steps);
}

/* ---- all at once */

static _Noreturn void contend(const struct temp *temp, unsigned seed, int out)
{
    int counts[2 * IDS] = {0};
    struct store *store = puts_open(temp, TWO_LINES);

    for (int i = 0; i < ROUNDS; i++) {
        const char id[] = {(char)('A' + ((unsigned)i + seed) % IDS), '\0'};
        seed = seed * 1103515245 + 12345;
        if (seed >> 16 & 1)
            counts[id[0] - 'A'] += puts_put(store, id) == STORE_STORED;
        else
            counts[IDS + id[0] - 'A'] += forget(store, id) == FORGET_DONE;
    }
    store_close(store);
    _exit(write(out, counts, sizeof(counts)) == sizeof(counts) ? 0 : 1);
}

static void contest(void)
{
    struct temp temp;
    int pair[2], counts[2 * IDS], stored[IDS] = {0}, forgotten[IDS] = {0};

    temp_make(&temp);
    if (pipe(pair) < 0)
        temp_die("pipe");
    fflush(stdout);
    for (unsigned i = 0; i < PROCESSES; i++) {
        if (fork() == 0)
            contend(&temp, i + 1, pair[1]);
    }
    for (int i = 0; i < PROCESSES; i++) {
        if (read(pair[0], counts, sizeof(counts)) != sizeof(counts))
            temp_die("read");
        for (int id = 0; id < IDS; id++) {
            stored[id] += counts[id];
            forgotten[id] += counts[IDS + id];
        }
    }
    while (wait(NULL) > 0)
        continue;
    for (int id = 0; id < IDS; id++) {
        const char name[] = {(char)('A' + id), '\0'};
        ok(stored[id] > 0 && forgotten[id] > 0, "%s: stored %d times, forgotten %d times", name,
           stored[id], forgotten[id]);
        is_int(puts_times(&temp, name), stored[id], "%s: each time it was stored it stands there",
               name);
        ok(stored[id] - forgotten[id] == 0 || stored[id] - forgotten[id] == 1,
           "%s: and was forgotten before it was stored again", name);
    }
    close(pair[0]);
    close(pair[1]);
    temp_drop(&temp);
}

/* ---- the journal */

static void journal(void)
{
    struct temp temp;
    size_t len = 0;

    temp_make(&temp);
    temp_put(temp.dir, "claims", "", 0);
    struct forgotten *one = forgotten_open(temp.dir, temp.path, true);
    struct forgotten *two = forgotten_open(temp.dir, temp.path, true);
    struct forgotten *reader = forgotten_open(temp.dir, temp.path, false);
    is_int(forgotten_add(one, "a", 100, 1764000000), 0, "a note is added");
    is_int(forgotten_add(two, "b", 200, 1764000000), 0, "and one by another");
    is_int(forgotten_add(one, "a", 300, 1764000000), 0, "and one more");
    is_int(forgotten_refresh(reader), 0, "somebody reads them");
    is_int(forgotten_before(reader, "a", 1), 300, "the greatest position counts");
    is_int(forgotten_before(reader, "b", 1), 200, "of each id");
    is_int(forgotten_before(reader, "c", 1), 0, "and none for others");
    is_int(forgotten_count(reader), 3, "of three lines");

    is_int(forgotten_trim(two, 200), 0, "what is of no use is dropped");
    is_int(forgotten_refresh(reader), 0, "the reader sees it");
    is_int(forgotten_count(reader), 1, "one is left");
    is_int(forgotten_before(reader, "b", 1), 0, "and not the other one");
    is_int(forgotten_add(one, "c", 400, 1764000000), 0, "the first adds to the new file");
    is_int(forgotten_refresh(reader), 0, "and the reader");
    ok(forgotten_before(reader, "a", 1) == 300 && forgotten_before(reader, "c", 1) == 400,
       "finds it there");
    forgotten_close(one);
    forgotten_close(reader);

    char *text = temp_get(temp.dir, "forgotten", &len);
    char torn[1024];
    memcpy(torn, text, len);
    memcpy(torn + len, text, 30);
    temp_put(temp.dir, "forgotten", torn, len + 30);
    is_int(forgotten_add(two, "d", 500, 1764000000), 0, "a torn line is cut by the next");
    torn[20] ^= 1;
    temp_put(temp.dir, "forgotten", torn, len);
    temp_hear();
    reader = forgotten_open(temp.dir, temp.path, false);
    ok(forgotten_damaged(reader) == 1 && forgotten_count(reader) == 1, "a damaged one is counted");
    is_int(temp_said("damaged line of "), 1, "and told of");
    is_int(forgotten_trim(two, 1000), 0, "what is dropped");
    forgotten_close(reader);
    reader = forgotten_open(temp.dir, temp.path, false);
    ok(forgotten_damaged(reader) == 1 && forgotten_count(reader) == 0, "is not the damaged one");
    forgotten_close(reader);
    forgotten_close(two);
    free(text);
    temp_drop(&temp);
}

int main(void)
{
    temp_start();
    verdicts();
    dead_writers();
    stays_forgotten();
    crashes(true);
    crashes(false);
    crashes_of_the_copy(true);
    crashes_of_the_copy(false);
    failures();
    contest();
    journal();
    return done_testing();
}
