/* SPDX-License-Identifier: ISC */
/* Claims between processes and threads, the names of an id, days and their links, and settled. */
#include "autoconf.h"

#include "lockdir.h"

#include <pthread.h>
#include <sys/wait.h>

#include "tap.h"
#include "temp.h"

/* The clock of the library: a day can end while the test runs. */
static _Atomic int64_t now = 1795426380; /* 2026-11-23T09:33:00Z */

time_t time(time_t *result)
{
    const time_t value = (time_t)now;

    if (result != NULL)
        *result = value;
    return value;
}

#define TODAY "locks/days/2026-11-23"

/* Two openers, which stand for two processes. */
struct pair {
    struct temp temp;
    struct lockdir *a, *b;
};

static struct lockdir *open_locks(const struct temp *temp)
{
    struct lockdir *locks = lockdir_open(temp->dir, temp->path);

    if (locks == NULL)
        temp_die("lockdir_open");
    return locks;
}

static void make_pair(struct pair *pair)
{
    io_seam = NULL;
    now = 1795426380;
    temp_make(&pair->temp);
    pair->a = open_locks(&pair->temp);
    pair->b = open_locks(&pair->temp);
}

static void drop_pair(struct pair *pair)
{
    io_seam = NULL;
    lockdir_close(pair->a);
    lockdir_close(pair->b);
    temp_drop(&pair->temp);
}

/* The path of an id's entry, or of its pending name, below the spool. */
static const char *path_of(const char *id, bool pending)
{
    static char path[320];

    (void)snprintf(path, sizeof(path), "locks/%02x/%s%s",
                   (unsigned)(record_id_hash(id, strlen(id)) & 0xff), pending ? "." : "", id);
    return path;
}

static ino_t inode(const struct pair *pair, const char *path) /* 0: there is none */
{
    struct stat st;

    return fstatat(pair->temp.dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : st.st_ino;
}

static void opened(void)
{
    struct pair pair;
    char name[32];
    int shards = 0;

    make_pair(&pair);
    for (unsigned i = 0; i < 256; i++) {
        (void)snprintf(name, sizeof(name), "locks/%02x", i);
        shards += inode(&pair, name) != 0;
    }
    is_int(shards, 256, "a lock directory has 256 shards");
    is_int(temp_names(pair.temp.dir, "locks", NULL), 258, "days, claims, and nothing else");
    is_int(temp_names(pair.temp.dir, "locks/days", NULL), 0, "there is no day yet");
    is_int(lockdir_settled(pair.a), 0, "nothing is settled");
    drop_pair(&pair);
    lockdir_close(NULL);
}

/* Each system call of opening fails; those that make shards, some of them. */
static void open_failures(void)
{
    static const int numbers[] = {1, 2, 3, 4, 100, 259, 260, 261};
    int lied = 0, leaked = 0, total = 0;

    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct temp temp;

        temp_make(&temp);
        const int open_before = temp_descriptors();
        fault_burst(numbers[i], numbers[i]);
        errno = 0;
        struct lockdir *locks = lockdir_open(temp.dir, temp.path);
        lied += locks != NULL || errno != EIO || temp_said("Input/output error") != 1;
        total = atomic_load(&fault.total);
        io_seam = NULL;
        lockdir_close(locks);
        leaked += temp_descriptors() != open_before;

        locks = open_locks(&temp); /* what is there by half is completed */
        lied += temp_names(temp.dir, "locks", NULL) != 258;
        lockdir_close(locks);
        temp_drop(&temp);
    }
    is_int(total, 261, "a lock directory is made by 261 system calls");
    is_int(lied, 0, "each may fail: then it is not open, and one message says why");
    is_int(leaked, 0, "and no descriptor is left open");
}

static int64_t at_once(void)
{
    return io_now();
}

static void claims(void)
{
    struct pair pair;
    struct lockdir_claim one, two, three;

    make_pair(&pair);
    is_int(lockdir_claim(pair.a, "msg_1", at_once(), &one), 0, "an id is claimed");
    errno = 0;
    is_int(lockdir_claim(pair.b, "msg_1", at_once(), &two), -1, "not by another process");
    is_int(errno, EAGAIN, "errno is EAGAIN");
    errno = 0;
    is_int(lockdir_claim(pair.a, "msg_1", at_once(), &two), -1, "nor by the same one");
    is_int(errno, EAGAIN, "errno is EAGAIN");
    is_int(temp_said(""), 0, "nothing is said of it");
    is_int(lockdir_claim(pair.a, "msg_2", at_once(), &two), 0, "another id is free");
    is_int(lockdir_claim(pair.b, "msg_3", at_once(), &three), 0, "and another one");
    lockdir_release(pair.a, &two);
    lockdir_release(pair.b, &three);
    is_int(lockdir_claim(pair.b, "msg_1", at_once(), &two), -1,
           "letting others go does not free it");
    lockdir_release(pair.a, &one);
    is_int(lockdir_claim(pair.b, "msg_1", at_once(), &two), 0, "letting it go does");
    is_int(lockdir_claim(pair.a, "msg_1", 0, &one), -1, "a deadline long ago is none");
    lockdir_release(pair.b, &two);
    is_int(lockdir_claim(pair.a, "msg_1", 0, &one), 0, "and what is free is had at once");

    errno = EDOM;
    lockdir_release(pair.a, &one);
    is_int(errno, EDOM, "letting go leaves errno alone");

    struct lockdir_claim many[40];
    int held = 0;
    for (int i = 0; i < 40; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "msg_%d", i);
        held += lockdir_claim(pair.a, id, at_once(), &many[i]) == 0;
    }
    is_int(held, 40, "many ids are claimed at a time");
    const int open_then = temp_descriptors();
    for (int i = 0; i < 40; i++)
        lockdir_release(pair.a, &many[i]);
    for (int i = 0; i < 200; i++) {
        if (lockdir_claim(pair.a, i % 2 == 0 ? "x" : "y", at_once(), &one) == 0)
            lockdir_release(pair.a, &one);
    }
    is_int(temp_descriptors(), open_then, "their descriptors are used again");
    drop_pair(&pair);
}

static void deadlines(void)
{
    struct pair pair;
    struct lockdir_claim one, two;

    make_pair(&pair);
    (void)lockdir_claim(pair.a, "msg_1", at_once(), &one);
    const int64_t begin = io_now();
    is_int(lockdir_claim(pair.b, "msg_1", begin + 20 * 1000 * 1000, &two), -1,
           "a claim is waited for");
    ok(errno == EAGAIN && io_now() >= begin + 20 * 1000 * 1000, "until the deadline");
    lockdir_release(pair.a, &one);

    int status;
    const pid_t pid = fork();
    if (pid == 0) {
        struct lockdir *locks = open_locks(&pair.temp);
        struct lockdir_claim claim;
        _exit(lockdir_claim(locks, "msg_1", io_now(), &claim) == 0
                      && lockdir_pend(locks, "msg_1") == 0
                  ? 7
                  : 8);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        temp_die("fork");
    is_int(WEXITSTATUS(status), 7, "a process claims an id and dies");
    is_int(lockdir_claim(pair.a, "msg_1", at_once(), &one), 0, "its claim dies with it");
    is_int(lockdir_pend(pair.a, "msg_1"), 1, "its pending name does not");
    lockdir_release(pair.a, &one);
    drop_pair(&pair);
}

static void claim_failures(void)
{
    struct pair pair;
    struct lockdir_claim claim;

    make_pair(&pair);
    const int open_before = temp_descriptors();
    fault_clear();
    fault_set(IO_OPEN, 0, 1, EMFILE);
    errno = 0;
    is_int(lockdir_claim(pair.a, "msg_1", at_once(), &claim), -1, "no descriptor, no claim");
    is_int(errno, EMFILE, "errno says so");
    is_int(temp_said("Too many open files"), 1, "and so does a message");
    is_int(temp_descriptors(), open_before, "nothing is left open");
    is_int(lockdir_claim(pair.a, "msg_1", at_once(), &claim), 0, "and the next one is had");
    lockdir_release(pair.a, &claim);
    drop_pair(&pair);
}

/* Threads of two processes want the same three ids: one at a time has each. */
enum { THREADS = 8, ROUNDS = 60, IDS = 3 };

static struct {
    _Atomic int inside[IDS];
    _Atomic int clashes, failures;
} contest;

static void *compete(void *context)
{
    struct lockdir *locks = context;

    for (int i = 0; i < ROUNDS; i++) {
        const char id[] = {(char)('A' + i % IDS), '\0'};
        struct lockdir_claim claim;
        if (lockdir_claim(locks, id, temp_deadline(), &claim) < 0) {
            contest.failures++;
            continue;
        }
        contest.clashes += atomic_exchange(&contest.inside[i % IDS], 1);
        const int pending = lockdir_pend(locks, id);
        contest.clashes += pending != 0;
        contest.failures += lockdir_abandon(locks, id) < 0;
        atomic_store(&contest.inside[i % IDS], 0);
        lockdir_release(locks, &claim);
    }
    return NULL;
}

static void threads(void)
{
    struct pair pair;
    pthread_t ids[THREADS];

    make_pair(&pair);
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&ids[i], NULL, compete, i % 2 == 0 ? pair.a : pair.b) != 0)
            temp_die("pthread_create");
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(ids[i], NULL);
    is_int(contest.failures, 0, "threads of two processes claim what others hold, in turn");
    is_int(contest.clashes, 0, "and never two the same at once");
    drop_pair(&pair);
}

static void names(void)
{
    char longest[201];
    struct pair pair;

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    const char *const ids[] = {"msg_1", "0", "_", "A-b_C", "claims", "days", "settled", longest};

    make_pair(&pair);
    for (size_t i = 0; i < COUNT(ids); i++) {
        const char *id = ids[i];

        is_int(lockdir_stored(pair.a, id), 0, "id %zu: is not known at first", i);
        is_int(lockdir_pend(pair.a, id), 0, "id %zu: is pending now", i);
        is_int(lockdir_stored(pair.b, id), 0, "id %zu: which is not stored", i);
        ok(inode(&pair, path_of(id, true)) != 0 && inode(&pair, path_of(id, false)) == 0,
           "id %zu: has a name with a dot", i);
        is_int(lockdir_pend(pair.b, id), 1, "id %zu: was pending before, for anybody", i);
        is_int(lockdir_enter(pair.b, id), 0, "id %zu: is entered", i);
        is_int(lockdir_stored(pair.a, id), 1, "id %zu: is stored, for all", i);
        ok(inode(&pair, path_of(id, true)) == 0
               && inode(&pair, path_of(id, false)) == inode(&pair, TODAY),
           "id %zu: its name is a link to the file of the day", i);
    }
    is_int(temp_names(pair.temp.dir, "locks/days", NULL), 1, "there is one file for all of them");

    is_int(lockdir_enter(pair.a, "new"), 0, "an id is entered that was not pending");
    is_int(lockdir_stored(pair.a, "new"), 1, "and stored");
    is_int(lockdir_enter(pair.a, "new"), 0, "once more is no error");
    is_int(lockdir_stored(pair.a, "new"), 1, "and it stays");

    is_int(lockdir_pend(pair.a, "gone"), 0, "an id is pending");
    is_int(lockdir_abandon(pair.a, "gone"), 0, "and abandoned");
    is_int(lockdir_stored(pair.a, "gone"), 0, "it is not stored");
    ok(inode(&pair, path_of("gone", true)) == 0, "nor has it a name");
    is_int(temp_said(""), 0, "all of that is silent");
    is_int(lockdir_abandon(pair.a, "gone"), -1, "nothing cannot be abandoned");
    is_int(errno, ENOENT, "errno says so");
    is_int(temp_said("cannot remove '"), 1, "and so does a message");
    is_int(lockdir_pend(pair.a, "gone"), 0, "it may be pending again");
    drop_pair(&pair);
}

/* Each system call on a name fails once: told, and nothing has changed that should not. */
static void name_failures(void)
{
    struct pair pair;

    make_pair(&pair);
    const int open_before = temp_descriptors();
    fault_clear();
    fault_set(IO_LINK, 0, 1, ENOSPC);
    ok(lockdir_pend(pair.a, "a") == -1 && errno == ENOSPC, "no link, nothing pending");
    ok(inode(&pair, path_of("a", true)) == 0, "indeed");
    fault_clear();
    fault_set(IO_OPEN, 0, 1, ENOSPC);
    ok(lockdir_pend(pair.b, "a") == -1 && errno == ENOSPC, "no file of the day, nothing pending");
    is_int(lockdir_pend(pair.b, "a"), 0, "but the next time");
    fault_clear();
    fault_set(IO_RENAME, 0, 1, EIO);
    ok(lockdir_enter(pair.a, "a") == -1 && errno == EIO, "no rename, no entry");
    is_int(lockdir_stored(pair.a, "a"), 0, "it is not stored");
    is_int(lockdir_pend(pair.a, "a"), 1, "and still pending");
    fault_clear();
    fault_set(IO_LINK, 0, 1, EIO);
    ok(lockdir_enter(pair.a, "b") == -1 && errno == EIO, "no link, no entry");
    fault_clear();
    fault_set(IO_UNLINK, 0, 1, EIO);
    ok(lockdir_abandon(pair.a, "a") == -1 && errno == EIO, "no unlink, not abandoned");
    is_int(lockdir_pend(pair.a, "a"), 1, "still pending");
    is_int(temp_descriptors(), open_before, "no descriptor is left open");

    temp_hear();
    fault_clear();
    const char *shard = path_of("c", false);
    char name[16] = "";
    (void)snprintf(name, sizeof(name), "%.8s", shard);
    if (unlinkat(pair.temp.dir, name, AT_REMOVEDIR) < 0)
        temp_die(name);
    temp_put(pair.temp.dir, name, "", 0);
    is_int(lockdir_stored(pair.a, "c"), -1, "an id that cannot be looked up is not called unknown");
    is_int(errno, ENOTDIR, "errno says why");
    is_int(temp_said("cannot look up '"), 1, "and so does a message");
    drop_pair(&pair);
}

static void days(void)
{
    struct pair pair;

    make_pair(&pair);
    (void)lockdir_pend(pair.a, "a1");
    fault_clear();
    fault_set(IO_LINK, 0, 1, EMLINK);
    is_int(lockdir_pend(pair.a, "a2"), 0, "the links of the day's file are used up");
    ok(inode(&pair, TODAY ".1") != 0
           && inode(&pair, path_of("a2", true)) == inode(&pair, TODAY ".1"),
       "there is another");
    fault_clear();
    fault_set(IO_LINK, 0, 1, EMLINK);
    is_int(lockdir_enter(pair.a, "a3"), 0, "and used up again");
    ok(inode(&pair, path_of("a3", false)) == inode(&pair, TODAY ".2"), "there is a third");
    is_int(lockdir_enter(pair.a, "a2"), 0, "what is pending is entered");
    ok(inode(&pair, path_of("a2", false)) == inode(&pair, TODAY ".1"), "from day to day");
    fault_clear();
    fault_set(IO_LINK, 0, 2, EMLINK);
    is_int(lockdir_pend(pair.b, "b1"), 0, "another process");
    ok(inode(&pair, path_of("b1", true)) == inode(&pair, TODAY ".2"), "finds what is left");
    is_int(temp_names(pair.temp.dir, "locks/days", NULL), 3, "and makes nothing new");
    io_seam = NULL;

    temp_remove(pair.temp.dir, TODAY ".2");
    is_int(lockdir_pend(pair.a, "a4"), 0, "the file that links go to was removed");
    ok(inode(&pair, path_of("a4", true)) != 0, "a name is had all the same");

    now += 14 * 3600 + 27 * 60 - 1; /* 23:59:59 */
    is_int(lockdir_pend(pair.a, "a5"), 0, "a second before midnight");
    const ino_t before = inode(&pair, path_of("a5", true));
    now++;
    is_int(lockdir_pend(pair.a, "a6"), 0, "and at midnight");
    ok(inode(&pair, path_of("a6", true)) == inode(&pair, "locks/days/2026-11-24")
           && inode(&pair, path_of("a6", true)) != before,
       "another file");
    is_int(lockdir_enter(pair.a, "a5"), 0, "what was pending at midnight");
    is_int(inode(&pair, path_of("a5", false)), before, "is of the day before");
    is_int(lockdir_pend(pair.b, "b2"), 0, "another process");
    is_int(inode(&pair, path_of("b2", true)), inode(&pair, "locks/days/2026-11-24"),
           "uses the same file");
    now -= 86400; /* somebody sets the clock right */
    is_int(lockdir_pend(pair.a, "a7"), 0, "a clock that goes back");
    ok(inode(&pair, path_of("a7", true)) == inode(&pair, TODAY), "goes back to the file, too");
    drop_pair(&pair);
}

/* Not ours to make up for, but to say, and without filling the disk. */
static void no_shard(void)
{
    struct pair pair;
    char name[16] = "";

    make_pair(&pair);
    (void)snprintf(name, sizeof(name), "%.8s", path_of("a", false));
    if (unlinkat(pair.temp.dir, name, AT_REMOVEDIR) < 0)
        temp_die(name);
    fault_clear(); /* counts calls */
    is_int(lockdir_pend(pair.a, "a"), -1, "a shard is gone: nothing is pending there");
    is_int(errno, ENOENT, "errno is ENOENT");
    is_int(temp_said(""), 1, "one message says so");
    is_int(lockdir_enter(pair.a, "a"), -1, "nor entered");
    is_int(lockdir_sync(pair.a), -1, "nor synced");
    const int files = temp_names(pair.temp.dir, "locks/days", NULL);
    ok(files <= 4, "no files are made in search of it (%d)", files);
    ok(atomic_load(&fault.total) < 1000, "nor is it searched for long (%d calls)",
       atomic_load(&fault.total));
    is_int(lockdir_pend(pair.a, "b"), 0, "other ids are not hurt");
    drop_pair(&pair);
}

static void read_settled(void)
{
    static const struct {
        const char *text;
        uint64_t position;
        bool garbage;
    } table[] = {
        {"0\n", 0, false},
        {"1\n", 1, false},
        {"67108864\n", 67108864, false},
        {"18446744073709551615\n", UINT64_MAX, false},
        {"", 0, true},
        {"\n", 0, true},
        {"12", 0, true},
        {"12 \n", 0, true},
        {"12x\n", 0, true},
        {"x\n", 0, true},
        {"0x10\n", 0, true},
        {"-5\n", 0, true},
        {"+5\n", 0, true},
        {" 5\n", 0, true},
        {"\n5\n", 0, true},
        {"18446744073709551616\n", 0, true},
        {"99999999999999999999\n", 0, true},
        {"1111111111111111111111111111111111111111\n", 0, true},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        struct temp temp;

        temp_make(&temp);
        lockdir_close(open_locks(&temp));
        temp_put(temp.dir, "locks/settled", table[i].text, strlen(table[i].text));
        struct lockdir *locks = open_locks(&temp);
        ok(lockdir_settled(locks) == table[i].position, "settled, %zu: position %ju", i,
           (uintmax_t)table[i].position);
        is_int(temp_said("holds no position"), table[i].garbage, "settled, %zu: what is said", i);
        lockdir_close(locks);
        temp_drop(&temp);
    }
}

static char told[64]; /* what the disk was told, a letter a call */

static int telling_seam(const struct io_call *call)
{
    static const char letters[] = "omwdftlru"; /* in the order of enum io_op */
    const size_t len = strlen(told);

    if (call->done && len + 1 < sizeof(told)) {
        told[len] = letters[call->op];
        told[len + 1] = '\0';
    }
    return 0;
}

static void set_settled(void)
{
    struct pair pair;
    size_t len = 0;

    make_pair(&pair);
    io_seam = telling_seam;
    is_int(lockdir_set_settled(pair.a, 12345), 0, "settled is moved on");
    io_seam = NULL;
    is_str(told, "owfrf", "written, synced, renamed, and the directory synced");
    is_int(lockdir_settled(pair.a), 12345, "it is known");
    char *text = temp_get(pair.temp.dir, "locks/settled", &len);
    is_str(text, "12345\n", "and stands in the file");
    free(text);
    ok(inode(&pair, "locks/settled.new") == 0, "of which there is one");
    lockdir_close(pair.b);
    pair.b = open_locks(&pair.temp);
    is_int(lockdir_settled(pair.b), 12345, "who comes later reads it");
    is_int(lockdir_set_settled(pair.a, 7), 0, "a number with fewer digits");
    text = temp_get(pair.temp.dir, "locks/settled", &len);
    is_str(text, "7\n", "leaves none behind");
    free(text);

    const int open_before = temp_descriptors();
    int lied = 0;
    for (int number = 1; number <= 5; number++) {
        fault_burst(number, number);
        errno = 0;
        lied += lockdir_set_settled(pair.a, 99) != -1 || errno != EIO
            || lockdir_settled(pair.a) != 7;
    }
    is_int(lied, 0, "each of its system calls may fail: then it is not moved on");
    is_int(temp_said("Input/output error"), 5, "and a message says why");
    is_int(temp_descriptors(), open_before, "and no descriptor is left open");
    io_seam = NULL;
    is_int(lockdir_set_settled(pair.a, 100), 0, "the next time it is");
    drop_pair(&pair);
}

static void settling(void)
{
    struct pair pair;

    make_pair(&pair);
    const int right = lockdir_settling(pair.a);
    ok(right >= 0, "the right to settle is had");
    is_int(lockdir_settling(pair.b), -1, "not by another process at the same time");
    is_int(lockdir_settling(pair.a), -1, "nor by another thread");
    is_int(temp_said(""), 0, "nothing is said of it");
    const int open_before = temp_descriptors();
    for (int i = 0; i < 10; i++)
        (void)lockdir_settling(pair.b);
    is_int(temp_descriptors(), open_before, "asking costs no descriptor");
    close(right);
    is_int(lockdir_set_settled(pair.a, 500), 0, "one moves settled on");
    const int next = lockdir_settling(pair.b);
    ok(next >= 0, "then by the next");
    is_int(lockdir_settled(pair.b), 500, "who goes on from where the last one came to");
    close(next);
    drop_pair(&pair);
}

static void synced(void)
{
    struct pair pair;

    make_pair(&pair);
    const int open_before = temp_descriptors();
    fault_clear();
    is_int(lockdir_sync(pair.a), 0, "the directories are synced");
    is_int(fault_calls(IO_FSYNC), 258, "each shard, the days, and the one above them");
    int lied = 0;
    for (int skip = 0; skip < 258; skip += 43) {
        fault_clear();
        fault_set(IO_FSYNC, skip, 1, EIO);
        errno = 0;
        lied += lockdir_sync(pair.a) != -1 || errno != EIO;
        fault_clear();
        fault_set(IO_OPEN, skip, 1, EMFILE);
        lied += lockdir_sync(pair.a) != -1 || errno != EMFILE;
    }
    is_int(lied, 0, "any of them may fail, and is not taken for success");
    is_int(temp_descriptors(), open_before, "and no descriptor is left open");
    drop_pair(&pair);
}

int main(void)
{
    temp_start();
    opened();
    open_failures();
    claims();
    deadlines();
    claim_failures();
    threads();
    names();
    name_failures();
    days();
    no_shard();
    read_settled();
    set_settled();
    settling();
    synced();
    return done_testing();
}
