/* SPDX-License-Identifier: ISC */
/* The ring of kept requests: bounds, crashes, damage, several writers, and a disk that fails. */
#include "autoconf.h"

#include "ring.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>

#include "ringfile.h"
#include "tap.h"
#include "temp.h"

/* What is put in, told apart by a number in its body. */
static void put_sized(struct ring *ring, int number, size_t size)
{
    char uri[32], *body = malloc(size + 16);
    char *env[] = {(char *)"REQUEST_METHOD=POST", uri, (char *)"HTTP_SVIX_ID=msg_1",
                   (char *)"PATH=/bin", (char *)"HTTP_AUTHORIZATION=Basic c2VjcmV0", NULL};
    const struct kept_facts facts = {.came = 1763890380 + number, .nanoseconds = 7, .status = 401,
                                     .word = "refused", .reason = "no signature matches"};
    size_t len;

    memset(body, 'x', size + 16);
    snprintf(uri, sizeof(uri), "REQUEST_URI=/hook/%05d", number);
    struct kept_head *note = kept_note(&facts, env, &len);
    const int digits = snprintf(body, 16, "%d", number);
    body[digits] = 'x';
    ring_put(ring, note, len, body, size);
    free(note);
    free(body);
}

static void put(struct ring *ring, int number)
{
    put_sized(ring, number, 100);
}

/* The file of a ring, as a reader sees it. */
struct look {
    int fd;
    struct ringfile file;
    uint64_t *numbers;
    size_t count;
    unsigned damaged;
};

static bool look(struct look *look, const struct temp *temp)
{
    *look = (struct look){.fd = openat(temp->dir, "inspect/a", O_RDWR | O_CLOEXEC)};
    if (look->fd < 0 || ringfile_read_header(look->fd, &look->file) != 1)
        return false;
    look->numbers = ringfile_list(look->fd, &look->file, &look->count);
    for (unsigned slot = 0; slot < look->file.slots; slot++) {
        struct kept kept;
        look->damaged += ringfile_read(look->fd, &look->file, slot, &kept) == RINGFILE_DAMAGED;
        kept_release(&kept);
    }
    return true;
}

static void look_away(struct look *look)
{
    free(look->numbers);
    if (look->fd >= 0)
        close(look->fd);
}

/* The number in the body of a kept request; -1: it is not whole. */
static int body_of(const struct look *look, uint64_t number)
{
    struct kept kept;

    if (ringfile_read(look->fd, &look->file, (unsigned)(number % look->file.slots), &kept)
        != RINGFILE_KEPT)
        return -1;
    const int value = kept.head->number == number ? atoi(kept.body) : -1;
    kept_release(&kept);
    return value;
}

/* Exactly the requests from..to are there, in this order. */
static void holds(const struct temp *temp, int from, int to, const char *what)
{
    struct look it;
    bool right = look(&it, temp) && it.damaged == 0 && it.count == (size_t)(to - from + 1);

    for (size_t i = 0; right && i < it.count; i++)
        right = body_of(&it, it.numbers[i]) == from + (int)i;
    if (!ok(right, "%s", what))
        diag("%zu are there, %u damaged, the first is %d", it.count, it.damaged,
             it.count > 0 ? body_of(&it, it.numbers[0]) : 0);
    look_away(&it);
}

static struct ring *ring_of(const struct temp *temp, unsigned slots)
{
    struct ring *ring = ring_new(temp->path, "a", slots, 0);

    if (ring == NULL)
        temp_die("ring");
    return ring;
}

static void wraps(void)
{
    struct temp temp;

    temp_make(&temp);
    struct ring *ring = ring_of(&temp, 5);
    is_int(temp_size(temp.dir, "inspect"), -1, "nothing is made before there is a request");
    put(ring, 1);
    holds(&temp, 1, 1, "one");
    for (int i = 2; i <= 5; i++)
        put(ring, i);
    holds(&temp, 1, 5, "as many as there are slots");
    const off_t size = temp_size(temp.dir, "inspect/a");
    for (int i = 6; i <= 23; i++)
        put(ring, i);
    holds(&temp, 19, 23, "then the last five");
    ok(temp_size(temp.dir, "inspect/a") <= size, "in the room they had");
    ring_free(ring);
    ring = ring_of(&temp, 5);
    put(ring, 24);
    holds(&temp, 20, 24, "opened again, it goes on");
    ring_free(ring);
    temp_drop(&temp);
}

/* What is kept of a request, and what is not. */
static void keeps(void)
{
    struct kept kept;
    struct look it;
    struct temp temp;
    struct stat st;

    temp_make(&temp);
    struct ring *ring = ring_of(&temp, 60);
    put(ring, 42);
    if (!look(&it, &temp) || ringfile_read(it.fd, &it.file, 1, &kept) != RINGFILE_KEPT)
        temp_die("ring");
    is_int(kept.head->came, 1763890422, "when it came");
    is_int(kept.head->nanoseconds, 7, "... to the nanosecond");
    is_int(kept.head->status, 401, "the status");
    is_str(kept.word, "refused", "the verdict");
    is_str(kept.reason, "no signature matches", "the reason");
    is_str(kept_variable(&kept, "REQUEST_URI"), "/hook/00042", "the path");
    is_str(kept_variable(&kept, "HTTP_SVIX_ID"), "msg_1", "the headers");
    is_str(kept_variable(&kept, "PATH"), NULL, "nothing else of the environment");
    is_str(kept_variable(&kept, "HTTP_AUTHORIZATION"), "(14 bytes, not kept)", "no credentials");
    is_int(kept.head->body_len, 100, "the body");
    ok(!kept_is_cut(&kept), "... whole");
    is_int(fstat(it.fd, &st) < 0 ? 0 : st.st_mode & 07777, 0640, "the file's mode");
    kept_release(&kept);
    look_away(&it);
    ring_free(ring);
    temp_drop(&temp);
}

static void bounds(void)
{
    struct kept kept;
    struct look it;
    struct temp temp;
    static const unsigned slots[] = {1, 2, 7, 60, 999, 1000};

    for (size_t i = 0; i < COUNT(slots); i++) {
        const struct ringfile file = ringfile_layout(slots[i]);
        ok((uint64_t)file.slots * file.slot_size + RINGFILE_START <= RINGFILE_BYTES
           && file.slot_size >= 2 * KEPT_TEXT && file.slot_size % 4096 == 0,
           "%u slots of %u bytes", slots[i], file.slot_size);
    }
    temp_make(&temp);
    struct ring *ring = ring_of(&temp, 60);
    put_sized(ring, 1, 1024 * 1024);
    put_sized(ring, 2, 2 * 1024 * 1024);
    if (!look(&it, &temp))
        temp_die("ring");
    ok(ringfile_read(it.fd, &it.file, 1, &kept) == RINGFILE_KEPT && !kept_is_cut(&kept),
       "of 60, a body of 1 MiB is kept whole");
    kept_release(&kept);
    ok(ringfile_read(it.fd, &it.file, 2, &kept) == RINGFILE_KEPT && kept_is_cut(&kept)
       && kept.head->sent == 2 * 1024 * 1024 && kept.head->body_len > 1024 * 1024
       && kept.head->body_len < it.file.slot_size,
       "a larger one is cut, and says so");
    kept_release(&kept);
    look_away(&it);
    ring_free(ring);
    temp_drop(&temp);
}

/* More headers than there is room for: the six go first. */
static void crowded(void)
{
    static char headers[200][1024];
    char *env[202];
    size_t len;

    for (int i = 0; i < 200; i++) {
        snprintf(headers[i], sizeof(headers[i]), "HTTP_X_%d=%01000d", i, i);
        env[i] = headers[i];
    }
    env[200] = (char *)"HTTP_SVIX_ID=msg_1";
    env[201] = NULL;
    const struct kept_facts facts = {.status = 400, .word = "refused"};
    struct kept_head *note = kept_note(&facts, env, &len);
    struct kept kept;
    ok(len <= sizeof(*note) + KEPT_TEXT && (note->flags & KEPT_MISSING) != 0,
       "too many headers: some are left out, and it says so");
    kept_seal(note, 1, NULL, 0, 2 * KEPT_TEXT);
    char *memory = malloc(len + 1);
    memcpy(memory, note, len);
    free(note);
    is_int(kept_read(&kept, memory), 0, "it can be read");
    is_str(kept_variable(&kept, "HTTP_SVIX_ID"), "msg_1", "those that are signed with are there");
    ok(kept_variable(&kept, "HTTP_X_0") != NULL && kept_variable(&kept, "HTTP_X_199") == NULL,
       "then as many as there is room for");
    ok(kept.body == NULL && kept_is_cut(&kept), "a body that was not read is none");
    kept_release(&kept);
}

/* Ends the process at the nth call of the seam, before it or behind it. */
static struct {
    int number;
    bool done;
    int calls;
} death;

static int die_there(const struct io_call *call)
{
    if (call->done == death.done && ++death.calls == death.number)
        _exit(0);
    return 0;
}

static void crashes(void)
{
    for (int number = 1; number <= 8; number++) {
        for (int done = 0; done < 2; done++) {
            struct temp temp;
            temp_make(&temp);
            struct ring *ring = ring_of(&temp, 4);
            for (int i = 1; i <= 3; i++)
                put(ring, i);
            const pid_t child = fork();
            if (child == 0) {
                struct ring *own = ring_of(&temp, 4);
                death.number = number;
                death.done = done != 0;
                io_seam = die_there;
                put(own, 4);
                _exit(1);
            }
            int status;
            (void)waitpid(child, &status, 0);
            struct look it;
            bool whole = look(&it, &temp) && it.damaged == 0 && it.count >= 3;
            for (size_t i = 0; whole && i < it.count; i++)
                whole = body_of(&it, it.numbers[i]) == (int)i + 1;
            ok(whole, "death %s call %d: what was kept is whole", done ? "behind" : "before",
               number);
            const int next = it.count == 4 ? 5 : 4;
            look_away(&it);
            put(ring, next);
            put(ring, next + 1);
            holds(&temp, next - 2, next + 1, "... and it goes on behind it");
            ring_free(ring);
            temp_drop(&temp);
            if (number == 8)
                is_int(WEXITSTATUS(status), 1, "there are no more calls than that");
        }
    }
}

/* A write that was cut off in the middle: by death, or by the power. */
static void torn(void)
{
    struct look it;
    struct temp temp;

    temp_make(&temp);
    struct ring *ring = ring_of(&temp, 4);
    for (int i = 1; i <= 4; i++)
        put(ring, i);
    if (!look(&it, &temp))
        temp_die("ring");
    /* Number 5 begins to be written over number 1. */
    struct kept kept;
    (void)ringfile_read(it.fd, &it.file, 1, &kept);
    struct kept_head *head = kept.memory;
    head->number = 5;
    (void)!pwrite(it.fd, head, sizeof(*head), RINGFILE_START + it.file.slot_size);
    kept_release(&kept);
    look_away(&it);
    ok(look(&it, &temp) && it.damaged == 1, "a torn slot is seen to be damaged");
    ok(body_of(&it, 2) == 2 && body_of(&it, 3) == 3 && body_of(&it, 4) == 4,
       "the others are whole");
    look_away(&it);
    put(ring, 5);
    holds(&temp, 2, 5, "it is written over next");

    if (!look(&it, &temp))
        temp_die("ring");
    (void)!pwrite(it.fd, "?", 1, RINGFILE_START + 2 * it.file.slot_size + 200);
    look_away(&it);
    ok(look(&it, &temp) && it.damaged == 1 && body_of(&it, 3) == 3,
       "one byte that is another one is seen, too");
    look_away(&it);
    put(ring, 6);
    holds(&temp, 3, 6, "and written over");

    if (!look(&it, &temp))
        temp_die("ring");
    (void)!pwrite(it.fd, "\0\0\0\0\0\0\0\0\0\0\0\0", 12, 0);
    look_away(&it);
    put(ring, 7);
    holds(&temp, 4, 7, "a header that is gone is made again from the slots");
    ring_free(ring);
    temp_drop(&temp);
}

/* The header of a power cut is older than the slots. */
static void old_header(void)
{
    struct look it;
    struct temp temp;

    temp_make(&temp);
    struct ring *ring = ring_of(&temp, 4);
    for (int i = 1; i <= 2; i++)
        put(ring, i);
    if (!look(&it, &temp))
        temp_die("ring");
    for (int i = 3; i <= 12; i++)
        put(ring, i);
    (void)ringfile_write_header(it.fd, &it.file);
    look_away(&it);
    put(ring, 13);
    holds(&temp, 10, 13, "an old header does not bring the order into disorder");
    ring_free(ring);
    temp_drop(&temp);
}

static void layouts(void)
{
    struct kept kept;
    struct look it;
    struct temp temp;

    temp_make(&temp);
    struct ring *small = ring_of(&temp, 3);
    for (int i = 1; i <= 5; i++)
        put_sized(small, i, i == 5 ? 2 * 1024 * 1024 : 100);
    holds(&temp, 3, 5, "three of them");
    struct ring *large = ring_of(&temp, 1000);
    put(large, 6);
    holds(&temp, 3, 6, "more slots: what was there is kept");
    ok(look(&it, &temp) && it.file.slots == 1000, "in slots of the new size");
    ok(ringfile_read(it.fd, &it.file, 5, &kept) == RINGFILE_KEPT && kept_is_cut(&kept)
       && kept.head->sent == 2 * 1024 * 1024, "a body that has no room there is cut");
    kept_release(&kept);
    look_away(&it);
    put(small, 7);
    holds(&temp, 3, 7, "who was there before takes it as it is now");
    struct ring *again = ring_of(&temp, 2);
    put(again, 8);
    holds(&temp, 7, 8, "fewer slots: the newest are kept");
    put(large, 9);
    holds(&temp, 8, 9, "and the layout stays");
    ring_free(small);
    ring_free(large);
    ring_free(again);
    temp_drop(&temp);
}

/* Threads and processes that write at once. */
static void *put_many(void *argument)
{
    for (int i = 0; i < 50; i++)
        put(argument, 1);
    return NULL;
}

static void crowd(const struct temp *temp)
{
    struct ring *ring = ring_of(temp, 1000);
    pthread_t threads[4];

    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_create(&threads[i], NULL, put_many, ring);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    ring_free(ring);
}

static void together(void)
{
    pid_t children[3];
    struct look it;
    struct temp temp;

    temp_make(&temp);
    for (size_t i = 0; i < COUNT(children); i++) {
        children[i] = fork();
        if (children[i] == 0) {
            crowd(&temp);
            _exit(0);
        }
    }
    for (size_t i = 0; i < COUNT(children); i++)
        (void)waitpid(children[i], NULL, 0);
    /* On a busy machine a few may have had to wait too long: they did without, and said so. */
    ok(look(&it, &temp) && it.damaged == 0, "three processes of four threads: nothing is damaged");
    ok(it.count == 600 || temp_said("not kept for inspect") > 0, "and all of it is there");
    ok(it.count > 300 && it.numbers[it.count - 1] == it.count, "each with a number of its own");
    look_away(&it);
    temp_drop(&temp);
}

/* Somebody is stuck with the lock: the others do without, soon, and say so once. */
static void stuck(void)
{
    struct look it;
    struct temp temp;

    temp_make(&temp);
    struct ring *ring = ring_of(&temp, 4);
    put(ring, 1);
    const int fd = openat(temp.dir, "inspect/a", O_RDWR | O_CLOEXEC);
    is_int(ringfile_lock(fd, RINGFILE_ALONE, 0), 0, "another has the lock");
    const int64_t start = io_now();
    for (int i = 2; i <= 4; i++)
        put(ring, i);
    ok(io_now() - start < INT64_C(5) * 1000000000, "who does not get it goes on");
    is_int(temp_said("cannot lock"), 1, "and says so once");
    close(fd);
    put(ring, 5);
    ok(look(&it, &temp) && it.count == 2 && body_of(&it, 2) == 5, "later ones are kept again");
    look_away(&it);
    ring_free(ring);
    temp_drop(&temp);
}

/* One thread is stuck in the system call. */
static sem_t in_write, let_go;
static atomic_bool armed;

static int get_stuck(const struct io_call *call)
{
    if (call->op == IO_WRITE && !call->done && atomic_exchange(&armed, false)) {
        sem_post(&in_write);
        sem_wait(&let_go);
    }
    return 0;
}

static void *put_one(void *argument)
{
    put(argument, 2);
    return NULL;
}

static void slow_disk(void)
{
    struct temp temp;
    pthread_t thread;

    temp_make(&temp);
    sem_init(&in_write, 0, 0);
    sem_init(&let_go, 0, 0);
    struct ring *ring = ring_of(&temp, 4);
    put(ring, 1);
    atomic_store(&armed, true);
    io_seam = get_stuck;
    pthread_create(&thread, NULL, put_one, ring);
    sem_wait(&in_write);
    const int64_t start = io_now();
    for (int i = 0; i < 100; i++)
        put(ring, 9);
    ok(io_now() - start < 20 * RING_PATIENCE,
       "one that is stuck in a write does not hold up others");
    is_int(temp_said("another request is still being written"), 1, "it is told of once");
    sem_post(&let_go);
    pthread_join(thread, NULL);
    put(ring, 3);
    holds(&temp, 1, 3, "what was stuck is kept in the end");
    io_seam = NULL;
    ring_free(ring);
    temp_drop(&temp);
}

static void disk_fails(void)
{
    struct temp temp;

    temp_make(&temp);
    struct ring *ring = ring_of(&temp, 4);
    fault_clear();
    fault_set(IO_OPEN, 0, 3, EACCES);
    for (int i = 0; i < 3; i++)
        put(ring, i);
    is_int(temp_said("cannot open '"), 1, "a ring that cannot be opened is told of once");
    fault_clear();
    put(ring, 1);
    holds(&temp, 1, 1, "it is tried again");
    ring_free(ring);
    ring = ring_of(&temp, 4);
    temp_hear();
    fault_set(IO_WRITE, 0, 6, ENOSPC);
    for (int i = 0; i < 4; i++)
        put(ring, 2);
    is_int(temp_said("No space left on device; requests are not kept"), 1,
           "a full disk is told of once");
    fault_clear();
    put(ring, 2);
    holds(&temp, 1, 2, "what was kept is not lost by it");
    io_seam = NULL;
    ring_free(ring);

    ring = ring_new(temp.path, "b", 4, UINT64_C(1) << 60);
    temp_hear();
    put(ring, 1);
    put(ring, 2);
    is_int(temp_said("no room, or less than min_free"), 1, "below min_free nothing is written");
    is_int(temp_size(temp.dir, "inspect/b"), 0, "not a byte");
    ring_free(ring);
    temp_drop(&temp);
}

static void removed(void)
{
    struct temp temp;

    temp_make(&temp);
    struct ring *ring = ring_of(&temp, 4);
    put(ring, 1);
    temp_remove(temp.dir, "inspect");
    put(ring, 2);
    holds(&temp, 2, 2, "removed, it is made anew");
    ring_free(ring);
    if (symlinkat("/nowhere", temp.dir, "inspect/b") < 0)
        temp_die("symlink");
    ring = ring_new(temp.path, "b", 4, 0);
    put(ring, 1);
    is_int(temp_said("cannot open"), 1, "a symbolic link is not followed");
    ring_free(ring);
    temp_drop(&temp);
}

int main(void)
{
    temp_start();
    const int descriptors = temp_descriptors();
    wraps();
    keeps();
    bounds();
    crowded();
    crashes();
    torn();
    old_header();
    layouts();
    together();
    stuck();
    slow_disk();
    disk_fails();
    removed();
    is_int(temp_descriptors(), descriptors, "no descriptor is left open");
    return done_testing();
}
