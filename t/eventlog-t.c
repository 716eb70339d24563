/* SPDX-License-Identifier: ISC */
/*
 * The log under two openers, which stand for two processes: positions and
 * rotation, what a dead writer leaves, and what is told to whom when a write
 * or a sync fails, at every system call and between any two stores of the
 * state that processes share.
 */
#include "autoconf.h"

#include "eventlog.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "logstate.h"
#include "repair.h"
#include "segment.h"
#include "tap.h"
#include "temp.h"

#define FIRST "00000000000000000000.ndjson"

/* A log with two openers, and its shared state as it is. */
struct pair {
    struct temp temp;
    struct eventlog *a, *b;
    struct logstate_page *state;
};

static struct eventlog *open_log(const struct temp *temp)
{
    struct eventlog *log = eventlog_open(temp->dir, temp->path);

    if (log == NULL)
        temp_die("eventlog_open");
    return log;
}

static struct logstate_page *map_state(const struct temp *temp)
{
    const int fd = openat(temp->dir, "log/state", O_RDWR | O_CLOEXEC);
    void *page = fd < 0 ? MAP_FAILED
                        : mmap(NULL, sizeof(struct logstate_page), PROT_READ | PROT_WRITE,
                               MAP_SHARED, fd, 0);

    if (page == MAP_FAILED)
        temp_die("log/state");
    close(fd);
    return page;
}

static void make_pair(struct pair *pair)
{
    uint64_t end;

    io_seam = NULL;
    temp_make(&pair->temp);
    pair->a = open_log(&pair->temp);
    if (repair_log(pair->a, 0, &end) < 0)
        temp_die("repair_log");
    pair->b = open_log(&pair->temp);
    pair->state = map_state(&pair->temp);
}

static void drop_pair(struct pair *pair)
{
    io_seam = NULL;
    eventlog_close(pair->a);
    eventlog_close(pair->b);
    munmap(pair->state, sizeof(*pair->state));
    temp_drop(&pair->temp);
}

/* What came of a batch: two lines, of which the second has an r behind its id. */
enum fate { ABSENT, UNSURE, DURABLE };

struct batch {
    struct eventlog *log;
    char id[16];
    struct eventlog_extent extent;
    enum fate fate;
    int error;
    bool open; /* there is an extent to be synced */
};

static void begin(struct eventlog *log, struct batch *batch, const char *id)
{
    char second[32];
    size_t len[2];

    (void)snprintf(second, sizeof(second), "%sr", id);
    char *first = temp_line(id, "{\"a\":1}", &len[0]);
    char *other = temp_line(second, "{\"b\":2}", &len[1]);
    struct iovec lines[] = {{first, len[0]}, {other, len[1]}};

    *batch = (struct batch){.log = log};
    (void)snprintf(batch->id, sizeof(batch->id), "%s", id);
    const enum eventlog_appended result = eventlog_append(log, lines, 2, len[0] + len[1],
                                                          &batch->extent);
    batch->error = errno;
    batch->open = result == EVENTLOG_APPENDED;
    batch->fate = result == EVENTLOG_ABSENT ? ABSENT : UNSURE;
    free(first);
    free(other);
}

static void finish(struct batch *batch)
{
    if (!batch->open)
        return;
    batch->open = false;
    if (eventlog_sync(batch->log, &batch->extent) == 0)
        batch->fate = DURABLE;
    else
        batch->error = errno;
}

static enum fate put(struct eventlog *log, struct batch *batch, const char *id)
{
    begin(log, batch, id);
    finish(batch);
    return batch->fate;
}

static uint64_t batch_bytes(void)
{
    static uint64_t bytes;

    if (bytes == 0) {
        size_t first, other;
        free(temp_line("1", "{\"a\":1}", &first));
        free(temp_line("1r", "{\"b\":2}", &other));
        bytes = first + other;
    }
    return bytes;
}

/* The ids of the log in its order, and "damaged" for lines that are. */
struct contents {
    char text[8192];
    uint64_t next;
    bool gaps;
};

static int note(void *context, const struct segment_line *line)
{
    struct contents *contents = context;
    const size_t at = strlen(contents->text);

    contents->gaps = contents->gaps || line->position != contents->next;
    contents->next = line->position + line->len;
    (void)snprintf(contents->text + at, sizeof(contents->text) - at, " %.*s",
                   line->damaged ? 7 : (int)line->view.id_len,
                   line->damaged ? "damaged" : line->view.id);
    return 0;
}

static const char *contents_of(struct eventlog *log)
{
    static struct contents contents; /* valid until the next call */
    const char *path;
    const int dir = eventlog_directory(log, &path);

    contents = (struct contents){.gaps = false};
    if (segment_scan(dir, path, 0, UINT64_MAX, note, &contents) != 0 || contents.gaps)
        return "not to be read";
    return contents.text + (contents.text[0] == ' ');
}

static off_t segment_size(const struct pair *pair, uint64_t start)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "log/%020ju.ndjson", (uintmax_t)start);
    return temp_size(pair->temp.dir, name);
}

static void positions(void)
{
    struct pair pair;
    struct batch one, two;

    make_pair(&pair);
    is_int(eventlog_active(pair.a), 0, "a new log begins at 0");
    is_int(put(pair.a, &one, "1"), DURABLE, "a batch is made durable");
    ok(one.extent.start == 0 && one.extent.end == batch_bytes(), "its extent is what it takes");
    is_int(pair.state->synced, one.extent.end, "and is known to be durable to all");
    begin(pair.b, &two, "2");
    ok(two.extent.start == one.extent.end && two.extent.end == 2 * batch_bytes(),
       "the next one, of another process, stands behind it");
    is_int(pair.state->written, 2 * batch_bytes(), "it is written");
    is_int(pair.state->synced, batch_bytes(), "and not yet durable");
    finish(&two);
    is_int(pair.state->synced, 2 * batch_bytes(), "until its sync");
    is_str(contents_of(pair.a), "1 1r 2 2r", "both stand in the log, in order");
    is_int(segment_size(&pair, 0), 2 * batch_bytes(), "which holds nothing else");
    drop_pair(&pair);
}

static void rotation(void)
{
    struct pair pair;
    struct batch batch;
    const uint64_t bytes = batch_bytes();

    make_pair(&pair);
    eventlog_limit(pair.a, 2 * bytes);
    eventlog_limit(pair.b, 2 * bytes);
    begin(pair.a, &batch, "1");
    ok(!batch.extent.rotated, "the first batch rotates nothing");
    struct batch second;
    begin(pair.b, &second, "2");
    ok(!second.extent.rotated && second.extent.end == 2 * bytes,
       "one that fills the segment to the byte is let in");
    struct batch third;
    begin(pair.b, &third, "3");
    ok(third.extent.rotated, "the next one rotates and says so");
    is_int(third.extent.start, 2 * bytes, "it begins where the full segment ended");
    is_int(eventlog_active(pair.a), 2 * bytes, "that is the new segment's name");
    is_int(pair.state->synced, 2 * bytes, "all before it is durable");
    finish(&batch);
    is_int(batch.fate, DURABLE, "a batch in the closed segment is");
    is_int(pair.state->synced, 2 * bytes, "and takes nothing back");
    finish(&third);
    finish(&second);
    is_int(pair.state->synced, 3 * bytes, "whatever the order of the syncs");
    is_int(put(pair.a, &batch, "4"), DURABLE, "the other process follows into the new one");
    is_int(batch.extent.start, 3 * bytes, "behind what is there");
    is_str(contents_of(pair.a), "1 1r 2 2r 3 3r 4 4r", "nothing is lost on the way");
    is_int(segment_size(&pair, 0), 2 * bytes, "the closed segment is as long as it may be");

    eventlog_limit(pair.a, 1);
    is_int(put(pair.a, &batch, "5"), DURABLE, "a batch beyond the limit is let in");
    is_int(eventlog_active(pair.a), 4 * bytes, "alone");
    is_int(put(pair.a, &batch, "6"), DURABLE, "as is the next");
    is_int(eventlog_active(pair.a), 5 * bytes, "in another: none stays empty");
    drop_pair(&pair);

    make_pair(&pair);
    put(pair.a, &batch, "1");
    put(pair.a, &batch, "2");
    if (linkat(pair.temp.dir, "log/" FIRST, pair.temp.dir, "log/next", 0) < 0)
        temp_die("link");
    eventlog_limit(pair.b, 1);
    is_int(put(pair.b, &batch, "3"), DURABLE, "a power cut in a rename has left both names");
    is_str(contents_of(pair.a), "1 1r 2 2r 3 3r", "and the segment is not taken for an empty file");
    drop_pair(&pair);

    make_pair(&pair);
    eventlog_limit(pair.a, 1);
    fault_clear(); /* counts calls */
    is_int(put(pair.a, &batch, "1"), DURABLE, "the first batch of a log may be beyond the limit");
    ok(fault_calls(IO_RENAME) == 0 && !batch.extent.rotated, "no empty segment is closed for it");
    drop_pair(&pair);
}

/* Bytes behind what all know of: their writer died before he could tell. */
static void dead_writers(void)
{
    static const struct {
        const char *what;
        int whole;        /* lines of his */
        const char *rest; /* and what he did not finish */
        const char *want; /* what the log is to hold before and behind the next append */
    } table[] = {
        {"half a line", 0, "{\"specversion\":\"1.0\",\"id\":\"x", "1 1r 2 2r"},
        {"a byte", 0, "{", "1 1r 2 2r"},
        {"a whole line", 1, "", "1 1r dead0 2 2r"},
        {"two whole lines", 2, "", "1 1r dead0 dead1 2 2r"},
        {"whole lines and half a one", 2, "{\"specv", "1 1r dead0 dead1 2 2r"},
        {"a line that proves nothing", 0, "garbage\n", "1 1r 2 2r"},
        {"a whole line and one that proves nothing", 1, "garbage\n", "1 1r dead0 2 2r"},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        struct pair pair;
        struct batch one, two;
        char text[2048] = "";

        make_pair(&pair);
        put(pair.a, &one, "1");
        for (int line = 0; line < table[i].whole; line++) {
            const char id[] = {'d', 'e', 'a', 'd', (char)('0' + line), '\0'};
            size_t len;
            char *dead = temp_line(id, "1", &len);
            strcat(text, dead);
            free(dead);
        }
        const size_t whole = strlen(text);
        strcat(text, table[i].rest);
        const int fd = openat(pair.temp.dir, "log/" FIRST, O_WRONLY | O_APPEND | O_CLOEXEC);
        if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd) < 0)
            temp_die("segment");

        is_int(put(pair.b, &two, "2"), DURABLE, "behind %s: the next append", table[i].what);
        is_str(contents_of(pair.a), table[i].want, "behind %s: what stays", table[i].what);
        ok(two.extent.start == one.extent.end + whole
               && pair.state->written == two.extent.end,
           "behind %s: where it stands", table[i].what);
        is_int(temp_said("cut a torn line of"), table[i].rest[0] != '\0',
               "behind %s: what was cut is told", table[i].what);
        drop_pair(&pair);
    }
}


/* Not by a crash of ours, and yet the log goes on. */
static void lost_end(void)
{
    struct pair pair;
    struct batch batch;

    make_pair(&pair);
    put(pair.a, &batch, "1");
    temp_put(pair.temp.dir, "log/" FIRST, "{", 1);
    is_int(put(pair.b, &batch, "2"), DURABLE, "a segment that lost its end");
    is_int(batch.extent.start, batch_bytes(), "is left for a new one, where it should have ended");
    is_int(temp_said("has lost its end"), 1, "which is told");
    drop_pair(&pair);
}

/* One failed sync, of a batch behind a durable one and before another's. */
static void failed_sync(void)
{
    struct pair pair;
    struct batch one, two, three, four;
    const uint64_t bytes = batch_bytes();

    make_pair(&pair);
    put(pair.a, &one, "1");
    begin(pair.a, &two, "2");
    begin(pair.b, &three, "3");
    fault_clear();
    fault_set(IO_FDATASYNC, 0, 1, EIO);
    finish(&two);
    is_int(two.fate, UNSURE, "a sync fails, and its batch is not called durable");
    is_int(two.error, EIO, "errno is EIO");
    is_int(pair.state->cuts, 1, "the log is cut");
    ok(pair.state->synced == bytes && pair.state->written == bytes, "where it is durable");
    is_int(pair.state->closing, 0, "and goes on");
    is_int(eventlog_active(pair.b), bytes, "in a new segment");
    is_int(segment_size(&pair, 0), bytes, "the old one is shortened");
    is_str(contents_of(pair.a), "1 1r", "to what is durable");

    finish(&three);
    is_int(three.fate, UNSURE, "another's batch is lost as well, though his own sync returns 0");
    is_int(three.error, EIO, "errno is EIO");
    is_int(pair.state->cuts, 1, "that cuts nothing any more");
    is_int(put(pair.b, &four, "4"), DURABLE, "who comes next");
    is_int(put(pair.a, &four, "5"), DURABLE, "whichever process");
    is_str(contents_of(pair.b), "1 1r 4 4r 5 5r", "stands behind what is durable");
    is_int(fault_calls(IO_FDATASYNC), 4, "no failed sync is tried again");
    drop_pair(&pair);
}

static void failed_sync_of_another(void)
{
    struct pair pair;
    struct batch one, two, three;

    make_pair(&pair);
    begin(pair.a, &one, "1");
    begin(pair.b, &two, "2");
    fault_clear();
    finish(&one);
    fault_set(IO_FDATASYNC, 0, 1, EIO);
    finish(&two);
    is_int(one.fate, DURABLE, "what was durable before another's failed sync");
    is_int(two.fate, UNSURE, "is not lost with his");
    is_str(contents_of(pair.a), "1 1r", "and stays");

    begin(pair.b, &two, "2");
    begin(pair.a, &one, "3");
    begin(pair.a, &three, "4");
    fault_clear();
    fault_set(IO_FDATASYNC, 0, 3, EIO);
    finish(&one);
    finish(&two);
    finish(&three);
    ok(one.fate == UNSURE && two.fate == UNSURE && three.fate == UNSURE, "all syncs fail");
    is_int(pair.state->cuts, 2, "the first of them cuts");
    is_str(contents_of(pair.a), "1 1r", "the others' batches went with it");
    is_int(put(pair.b, &two, "5"), DURABLE, "and the log goes on");
    is_str(contents_of(pair.a), "1 1r 5 5r", "as it should");
    drop_pair(&pair);
}

/* eventlog.h: "a failed sync raises cuts", also when its own extent is durable by another's. */
static void failed_sync_behind(void)
{
    struct pair pair;
    struct batch one, two, three;

    make_pair(&pair);
    begin(pair.a, &one, "1");
    put(pair.b, &two, "2"); /* covers 1 */
    begin(pair.b, &three, "3");
    fault_clear();
    fault_set(IO_FDATASYNC, 0, 1, EIO);
    finish(&one);
    io_seam = NULL;
    is_int(pair.state->synced, 2 * batch_bytes(), "two batches durable by the sync of one");
    finish(&three); /* on the failed file: the kernel may have dropped its pages */
    is_int(three.fate, UNSURE, "a sync that failed later takes a third, not yet durable, along");
    is_int(pair.state->cuts, 1, "by a cut");
    drop_pair(&pair);
}

/* Nothing of the segment is durable: the new one has its name. */
static void cut_to_the_beginning(void)
{
    struct pair pair;
    struct batch one, two, three;
    struct stat before, after;

    make_pair(&pair);
    if (fstatat(pair.temp.dir, "log/" FIRST, &before, 0) < 0)
        temp_die("stat");
    begin(pair.a, &one, "1");
    begin(pair.b, &two, "2");
    fault_clear();
    fault_set(IO_FDATASYNC, 0, 1, EIO);
    finish(&two);
    is_int(two.fate, UNSURE, "the first sync of a log fails");
    if (fstatat(pair.temp.dir, "log/" FIRST, &after, 0) < 0)
        temp_die("stat");
    ok(before.st_ino != after.st_ino, "the segment is another file of the same name");
    is_int(after.st_size, 0, "an empty one");
    is_int(put(pair.b, &three, "3"), DURABLE, "it is appended to");
    finish(&one);
    is_int(one.fate, UNSURE, "a batch of the old file is not taken for one of the new");
    is_int(put(pair.a, &one, "4"), DURABLE, "and who knew the old file finds the new one");
    is_str(contents_of(pair.a), "3 3r 4 4r", "where both stand");
    is_int(temp_size(pair.temp.dir, "log/next"), -1, "nothing is left over");
    drop_pair(&pair);
}

/* Fails with ENOSPC after `short_bytes` of the data were written: a full disk. */
static struct {
    size_t bytes;
    bool truncate_fails;
    bool spent;
} full_disk;

static int full_disk_seam(const struct io_call *call)
{
    if (call->done || (call->op == IO_TRUNCATE ? !full_disk.truncate_fails : full_disk.spent))
        return 0;
    if (call->op == IO_TRUNCATE)
        return EIO;
    if (call->op != IO_WRITE)
        return 0;
    size_t left = full_disk.bytes;
    off_t at = call->offset;
    for (int i = 0; i < call->data_count && left > 0; i++) {
        const size_t some = call->data[i].iov_len < left ? call->data[i].iov_len : left;
        if (pwrite(call->fd, call->data[i].iov_base, some, at) != (ssize_t)some)
            temp_die("pwrite");
        left -= some;
        at += (off_t)some;
    }
    full_disk.spent = true;
    return ENOSPC;
}

static void full_disks(void)
{
    const size_t bytes = (size_t)batch_bytes();
    const struct {
        const char *what;
        size_t bytes;
        bool truncate_fails;
        const char *want;
    } table[] = {
        {"nothing written", 0, false, "1 1r 3 3r"},
        {"half a line written", bytes / 4, false, "1 1r 3 3r"},
        {"a line and a half written", bytes * 3 / 4, false, "1 1r 3 3r"},
        {"all but a byte written", bytes - 1, false, "1 1r 3 3r"},
        {"nothing written, cutting back fails", 0, true, "1 1r 3 3r"},
        {"half a line written, cutting back fails", bytes / 4, true, "1 1r 3 3r"},
        {"a line and a half written, cutting back fails", bytes * 3 / 4, true, "1 1r 2 3 3r"},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        const bool unsure = table[i].truncate_fails;
        struct pair pair;
        struct batch batch;

        make_pair(&pair);
        put(pair.a, &batch, "1");
        full_disk.bytes = table[i].bytes;
        full_disk.truncate_fails = unsure;
        full_disk.spent = false;
        io_seam = full_disk_seam;
        begin(pair.a, &batch, "2");
        io_seam = NULL;
        is_int(batch.fate, unsure ? UNSURE : ABSENT, "full disk, %s: what is told",
               table[i].what);
        is_int(batch.error, ENOSPC, "full disk, %s: and why", table[i].what);
        if (!unsure)
            is_int(segment_size(&pair, 0), bytes, "full disk, %s: cut back", table[i].what);
        is_int(put(pair.b, &batch, "3"), DURABLE, "full disk, %s: the next append",
               table[i].what);
        is_str(contents_of(pair.a), table[i].want, "full disk, %s: what stays of it",
               table[i].what);
        drop_pair(&pair);
    }
}

/* The same by the kernel: a limit of the file's size makes a short write, then EFBIG. */
static void short_write(void)
{
    struct pair pair;
    struct batch batch;
    struct rlimit old, limit;

    make_pair(&pair);
    for (int i = 0; i < 40; i++) /* beyond what the messages take: they have the limit, too */
        put(pair.a, &batch, "1");
    const rlim_t size = 40 * (rlim_t)batch_bytes();
    if (getrlimit(RLIMIT_FSIZE, &old) < 0)
        temp_die("getrlimit");
    limit = (struct rlimit){.rlim_cur = size + 100, .rlim_max = old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
        temp_die("setrlimit");
    begin(pair.a, &batch, "2");
    if (setrlimit(RLIMIT_FSIZE, &old) < 0)
        temp_die("setrlimit");
    ok(batch.fate == ABSENT && batch.error == EFBIG, "a short write, then none");
    is_int(segment_size(&pair, 0), size, "is cut back");
    is_int(put(pair.b, &batch, "3"), DURABLE, "and the next one stands");
    is_int(batch.extent.start, size, "in its place");
    drop_pair(&pair);
}

/*
 * Each system call of a rotation fails once, up to the write behind it: the
 * append fails, and the next one, of whichever process, makes up for it.
 */
static void failed_rotation(void)
{
    int number;

    for (number = 1; number < 20; number++) {
        struct pair pair;
        struct batch one, two, three, four, five;

        make_pair(&pair);
        put(pair.a, &one, "1");
        begin(pair.b, &two, "2");
        eventlog_limit(pair.a, 2 * batch_bytes());
        fault_burst(number, number);
        begin(pair.a, &three, "3");
        io_seam = NULL;
        if (fault_calls(IO_WRITE) > 0) { /* it has rotated and is behind that */
            finish(&two);
            finish(&three);
            drop_pair(&pair);
            break;
        }
        const bool cuts = pair.state->cuts > 0;
        ok(three.fate == ABSENT && three.error == EIO, "rotation, call %d: fails", number);
        put(pair.b, &four, "4");
        is_int(four.fate, DURABLE, "rotation, call %d: made up for by another", number);
        put(pair.a, &five, "5");
        ok(cuts || four.extent.rotated || five.extent.rotated, "rotation, call %d: and told",
           number);
        is_int(five.fate, DURABLE, "rotation, call %d: the first goes on", number);
        finish(&two);
        is_int(two.fate, cuts ? UNSURE : DURABLE, "rotation, call %d: who was before", number);
        is_str(contents_of(pair.a), cuts ? "1 1r 4 4r 5 5r" : "1 1r 2 2r 4 4r 5 5r",
               "rotation, call %d: what stays", number);
        ok(pair.state->closing == 0 && pair.state->synced == pair.state->written,
           "rotation, call %d: it is over", number);
        drop_pair(&pair);
    }
    ok(number > 4 && number < 20, "a rotation takes %d system calls", number - 1);
}

static uint64_t rewritten_from, rewritten_to;
static bool synced_after;

static int watch_rewriting(const struct io_call *call)
{
    if (call->op == IO_WRITE && call->done) {
        rewritten_from = (uint64_t)call->offset;
        rewritten_to = rewritten_from + call->data[0].iov_len;
    }
    if (call->op == IO_FDATASYNC && call->done)
        synced_after = rewritten_to > 0;
    return 0;
}

/* The same, but of several writes the first. */
static int watch_first_write(const struct io_call *call)
{
    return call->op == IO_WRITE && rewritten_to > 0 ? 0 : watch_rewriting(call);
}

static void find(void)
{
    struct pair pair;
    struct batch batch;
    struct eventlog_extent extent;
    const uint64_t bytes = batch_bytes();

    make_pair(&pair);
    is_int(eventlog_find(pair.a, 0, "1", &extent), 0, "an empty log holds no id");
    put(pair.b, &batch, "1");
    eventlog_limit(pair.b, 1);
    put(pair.b, &batch, "2");
    eventlog_limit(pair.b, UINT64_MAX);
    begin(pair.b, &batch, "3"); /* and never synced by him */
    is_int(eventlog_find(pair.a, 0, "9", &extent), 0, "an unknown id is not found");
    is_int(eventlog_find(pair.a, bytes, "1", &extent), 0, "nor is one before from");
    is_int(eventlog_find(pair.a, 0, "1", &extent), 1, "one in a closed segment is");
    ok(extent.start == 0 && extent.end > 0 && extent.end < bytes, "by its extent");
    is_int(eventlog_sync(pair.a, &extent), 0, "which is durable");
    is_int(pair.state->synced, 2 * bytes, "and takes nothing back");

    const int open_before = temp_descriptors();
    rewritten_to = 0;
    io_seam = watch_rewriting;
    is_int(eventlog_find(pair.a, bytes, "3r", &extent), 1, "one that was never synced is found");
    is_int(eventlog_sync(pair.a, &extent), 0, "and made durable");
    io_seam = NULL;
    ok(rewritten_from == bytes && rewritten_to == extent.end - bytes && synced_after,
       "after being written again, with all that its sync will vouch for");
    is_int(pair.state->synced, 3 * bytes, "which all get to know");
    is_int(temp_descriptors(), open_before, "no descriptor is left open");
    finish(&batch);
    is_int(batch.fate, DURABLE, "its writer, should he live, may sync it as well");

    begin(pair.b, &batch, "4");
    is_int(eventlog_find(pair.a, 0, "4", &extent), 1, "another one is found");
    fault_clear();
    fault_set(IO_FDATASYNC, 0, 1, EIO);
    is_int(eventlog_sync(pair.a, &extent), -1, "and its sync fails");
    finish(&batch);
    is_int(batch.fate, UNSURE, "so it is lost for its writer as well");
    is_int(eventlog_find(pair.a, 0, "4", &extent), 0, "and is not found again");
    drop_pair(&pair);
}

/*
 * Whoever opens a segment does not hear of syncs of it that failed before: he
 * writes again what is not known to be durable, before a sync of his vouches for it.
 */
static void newcomers(void)
{
    struct pair pair;
    struct batch one, two, three;
    const uint64_t bytes = batch_bytes();

    make_pair(&pair);
    put(pair.a, &one, "1");
    begin(pair.a, &two, "2");
    rewritten_from = rewritten_to = 0;
    synced_after = false;
    io_seam = watch_first_write;
    is_int(put(pair.b, &three, "3"), DURABLE, "a process comes to a log with a batch not synced");
    io_seam = NULL;
    ok(rewritten_from == bytes && rewritten_to == 2 * bytes && synced_after,
       "it writes that again before its own sync");
    finish(&two);
    is_str(contents_of(pair.a), "1 1r 2 2r 3 3r", "and changes nothing by it");
    drop_pair(&pair);

    make_pair(&pair);
    put(pair.a, &one, "1");
    begin(pair.a, &two, "2");
    pair.state->written = bytes; /* as if its writer had died before he noted it */
    rewritten_from = rewritten_to = 0;
    synced_after = false;
    io_seam = watch_first_write;
    is_int(put(pair.b, &three, "3"), DURABLE, "or to one with a batch that nobody noted");
    io_seam = NULL;
    ok(rewritten_from == bytes && rewritten_to == 2 * bytes && synced_after,
       "it writes that again as well");
    is_str(contents_of(pair.a), "1 1r 2 2r 3 3r", "and keeps it");
    finish(&two);
    drop_pair(&pair);
}

static struct eventlog *cutter;
static struct batch *to_cut;

/* Once: while the searcher opens the directory, another's sync fails. */
static int cut_meanwhile(const struct io_call *call)
{
    if (call->op != IO_OPEN || call->done || cutter == NULL)
        return 0;
    cutter = NULL;
    fault_clear(); /* replaces this seam */
    fault_set(IO_FDATASYNC, 0, 1, EIO);
    finish(to_cut);
    io_seam = NULL;
    return 0;
}

static void find_while_cut(void)
{
    struct pair pair;
    struct batch one, two;
    struct eventlog_extent extent;

    make_pair(&pair);
    put(pair.a, &one, "1");
    begin(pair.b, &two, "2");
    const int open_before = temp_descriptors();
    cutter = pair.b;
    to_cut = &two;
    io_seam = cut_meanwhile;
    const int found = eventlog_find(pair.a, 0, "1", &extent);
    ok(cutter == NULL && pair.state->cuts == 1, "the log is cut during a search");
    is_int(found, -1, "which then does not say what it found");
    is_int(put(pair.a, &two, "3"), DURABLE, "no lock is left held");
    is_int(eventlog_find(pair.a, 0, "1", &extent), 1, "and the next search finds it");
    is_int(eventlog_sync(pair.a, &extent), 0, "durable");
    is_int(temp_descriptors(), open_before, "no descriptor is left open");
    drop_pair(&pair);
}

static const struct pair *dropping;
static struct eventlog_extent dropped; /* once */
static int segments_opened;

/*
 * Its page was clean, and yet not on the disk: it is dropped when the searcher
 * has found the line and opens the segment for the second time, to make it
 * durable. Reading it again yields zeros.
 */
static int drop_page(const struct io_call *call)
{
    char zeros[4096] = {0};

    if (call->op != IO_OPEN || !call->done || strstr(call->name, ".ndjson") == NULL
        || ++segments_opened < 2 || dropped.end == 0)
        return 0;
    const size_t len = (size_t)(dropped.end - dropped.start);
    const int fd = openat(dropping->temp.dir, "log/" FIRST, O_WRONLY | O_CLOEXEC);
    if (len > sizeof(zeros) || fd < 0
        || pwrite(fd, zeros, len, (off_t)dropped.start) != (ssize_t)len)
        temp_die("drop a page");
    close(fd);
    dropped.end = 0;
    return 0;
}

static void find_dropped(void)
{
    struct pair pair;
    struct batch one, two;
    struct eventlog_extent extent;

    make_pair(&pair);
    put(pair.a, &one, "1");
    begin(pair.b, &two, "2");
    dropping = &pair;
    dropped = two.extent;
    segments_opened = 0;
    const int open_before = temp_descriptors();
    io_seam = drop_page;
    const int found = eventlog_find(pair.a, 0, "2", &extent);
    io_seam = NULL;
    is_int(dropped.end, 0, "a page that never came to the disk is dropped during a search");
    is_int(found, -1, "which does not vouch for what is left of it");
    is_int(eventlog_find(pair.a, 0, "2", &extent), 0, "nor does the next one");
    is_int(temp_descriptors(), open_before, "no descriptor is left open");
    finish(&two);
    drop_pair(&pair);
}

/* Each system call of a search and its sync fails once. */
static void find_failures(void)
{
    int lied = 0, leaked = 0, stuck = 0, total = 1, number;

    for (number = 1; number <= total + 1; number++) {
        struct pair pair;
        struct batch batch, other;
        struct eventlog_extent extent;

        make_pair(&pair);
        begin(pair.b, &batch, "1");
        const int open_before = temp_descriptors();
        fault_burst(number, number);
        int result = eventlog_find(pair.a, 0, "1", &extent);
        if (result > 0)
            result = eventlog_sync(pair.a, &extent);
        total = atomic_load(&fault.total);
        lied += number <= total && result != -1;
        io_seam = NULL;
        finish(&batch);
        stuck += put(pair.b, &other, "2") != DURABLE || put(pair.a, &other, "3") != DURABLE;
        leaked += temp_descriptors() > open_before;
        drop_pair(&pair);
    }
    ok(total > 4, "a search and its sync take %d system calls", total);
    is_int(lied, 0, "each may fail, and is not taken for success");
    is_int(leaked, 0, "it leaves no descriptor open");
    is_int(stuck, 0, "and no lock held");
}

/* Is the log what the batches say? What is wrong with it, or NULL. */
static const char *judged(struct eventlog *log, const struct batch *batches, size_t count)
{
    static char wrong[128];
    char words[8192];

    (void)snprintf(words, sizeof(words), " %s ", contents_of(log));
    if (strstr(words, " damaged ") != NULL || strstr(words, " not to be read ") != NULL)
        return "the log is damaged";
    for (size_t i = 0; i < 2 * count; i++) {
        const struct batch *batch = &batches[i / 2];
        char word[40];
        int times = 0;

        (void)snprintf(word, sizeof(word), " %s%s ", batch->id, i % 2 == 1 ? "r" : "");
        for (const char *at = words; (at = strstr(at, word)) != NULL; at++)
            times++;
        if (times > 1 || (batch->fate == DURABLE && times == 0)
            || (batch->fate == ABSENT && times > 0)) {
            static const char *const fates[] = {"absent", "unsure", "durable"};
            (void)snprintf(wrong, sizeof(wrong), "%s %s stands there %d times",
                           fates[batch->fate], word, times);
            return wrong;
        }
    }
    return NULL;
}

/* Two processes, overlapping batches, two rotations: 14 batches. */
enum { STEPS = 14 };

static void play(struct pair *pair, struct batch batches[STEPS])
{
    char id[16];

    eventlog_limit(pair->a, 3 * batch_bytes());
    eventlog_limit(pair->b, 3 * batch_bytes());
    for (int i = 0; i < STEPS; i += 2) {
        struct eventlog *first = i % 4 == 0 ? pair->a : pair->b;
        struct eventlog *second = i % 8 < 4 ? pair->b : pair->a;

        (void)snprintf(id, sizeof(id), "%02d", i);
        begin(first, &batches[i], id);
        (void)snprintf(id, sizeof(id), "%02d", i + 1);
        begin(second, &batches[i + 1], id);
        finish(&batches[i + (i % 3 == 0)]);
        finish(&batches[i + (i % 3 != 0)]);
    }
}

/* Some system calls in a row fail, at every place there is. */
static void sweep(int burst)
{
    const char *wrong = NULL;
    int leaked = 0, stuck = 0, total = 1, number;

    for (number = 1; number <= total + 1 && wrong == NULL; number++) {
        struct pair pair;
        struct batch batches[STEPS + 2];

        make_pair(&pair);
        const int open_before = temp_descriptors();
        fault_burst(number, number + burst - 1);
        play(&pair, batches);
        total = atomic_load(&fault.total);
        io_seam = NULL;
        stuck += put(pair.a, &batches[STEPS], "98") != DURABLE
            || put(pair.b, &batches[STEPS + 1], "99") != DURABLE;
        /* Each opener has its segment open, and no more. */
        leaked += temp_descriptors() > open_before + 2;
        wrong = judged(pair.a, batches, COUNT(batches));
        drop_pair(&pair);
    }
    is_str(wrong, NULL, "%d calls in a row fail, at each of %d places: the log is as told", burst,
           number - 2);
    is_int(stuck, 0, "%d calls in a row fail: it goes on", burst);
    is_int(leaked, 0, "%d calls in a row fail: no descriptor is left open", burst);
}

static void open_failures(void)
{
    int total = 1, lied = 0, leaked = 0, number;

    for (number = 1; number <= total + 1; number++) {
        struct temp temp;

        temp_make(&temp);
        const int open_before = temp_descriptors();
        fault_burst(number, number);
        errno = 0;
        struct eventlog *log = eventlog_open(temp.dir, temp.path);
        total = atomic_load(&fault.total);
        io_seam = NULL;
        lied += number <= total && (log != NULL || errno != EIO
                                    || temp_said("Input/output error") != 1);
        eventlog_close(log);
        leaked += temp_descriptors() != open_before;
        temp_drop(&temp);
    }
    ok(total > 4, "a log is opened by %d system calls", total);
    is_int(lied, 0, "each may fail: then it is not open, and one message says why");
    is_int(leaked, 0, "and no descriptor is left open");
    eventlog_close(NULL);

    struct temp temp;
    temp_make(&temp);
    if (symlinkat("/", temp.dir, "log") < 0)
        temp_die("symlink");
    ok(eventlog_open(temp.dir, temp.path) == NULL, "a log that is a symbolic link is refused");
    temp_drop(&temp);
}

/* What is believed of the shared state, and when. */
static void belief(void)
{
    struct pair pair;
    struct batch batch;

    make_pair(&pair);
    is_int(eventlog_phase(pair.a), LOGSTATE_DOUBTFUL, "a log is in doubt until it is marked");
    put(pair.a, &batch, "1");
    begin(pair.a, &batch, "2");
    is_int(eventlog_doubtful(pair.b), batch_bytes(), "what is not synced is in doubt");
    finish(&batch);
    eventlog_mark(pair.a, LOGSTATE_IN_USE);
    is_int(eventlog_phase(pair.b), LOGSTATE_IN_USE, "a mark is seen by all");
    eventlog_mark(pair.a, LOGSTATE_CLEAN);
    is_int(eventlog_phase(pair.b), LOGSTATE_CLEAN, "and so is the next one");

    pair.state->boot[3] ^= 1;
    is_int(eventlog_phase(pair.b), LOGSTATE_DOUBTFUL, "a mark of another boot is not believed");
    ok(eventlog_doubtful(pair.b) == UINT64_MAX, "after a boot, what can be read is on the disk");
    pair.state->boot[3] ^= 1;
    pair.state->magic[7]++;
    is_int(eventlog_phase(pair.b), LOGSTATE_DOUBTFUL, "nor is one of another layout");
    pair.state->magic[7]--;
    is_int(eventlog_phase(pair.b), LOGSTATE_CLEAN, "but one of this boot is");

    is_int(eventlog_restart(pair.b, 0, 2 * batch_bytes()), 0, "the state is started anew");
    is_int(eventlog_phase(pair.a), LOGSTATE_DOUBTFUL, "without the mark");
    ok(pair.state->written == 2 * batch_bytes() && pair.state->synced == pair.state->written,
       "all of it durable");
    is_int(put(pair.b, &batch, "3"), DURABLE, "and the log goes on");
    is_int(eventlog_restart(pair.b, 5, 5), -1, "not with a segment that is not there");
    drop_pair(&pair);
}

/*
 * Death between two stores of the shared state. A traced child is driven from
 * system call to system call; where the state has changed between two of them,
 * other children of the same kind go by single steps, and die at each change.
 */
static struct {
    volatile bool *sync_failed; /* seen by parent and child */
    bool fail_sync;             /* the child's first one */
} dying;

static int failing_seam(const struct io_call *call)
{
    if (call->done || call->op != IO_FDATASYNC || !dying.fail_sync)
        return 0;
    dying.fail_sync = false;
    *dying.sync_failed = true;
    return EIO;
}

static void act_append(struct eventlog *log)
{
    struct batch batch;

    put(log, &batch, "c");
}

static void act_rotate(struct eventlog *log)
{
    eventlog_limit(log, 1);
    act_append(log);
}

struct death {
    const char *what;
    void (*act)(struct eventlog *);
    bool fail_sync;
    bool empty; /* nothing in the segment is durable before */
};

/* A log as the deaths find it, with a batch of `a` whose sync is still to come. */
static void make_scene(struct pair *pair, const struct death *death, struct batch *doubt)
{
    struct batch first;

    make_pair(pair);
    if (!death->empty)
        put(pair->b, &first, "1");
    begin(pair->a, doubt, "x");
}

static pid_t start_child(struct pair *pair, const struct death *death)
{
    int status;

    *dying.sync_failed = false;
    dying.fail_sync = death->fail_sync;
    const pid_t pid = fork();
    if (pid == 0) {
        struct eventlog *log = open_log(&pair->temp); /* its locks are its own */
        struct eventlog_extent none;
        (void)eventlog_find(log, 0, "none", &none); /* opens the segment: fewer steps later */
        io_seam = failing_seam;
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0)
            _exit(99);
        death->act(log);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        temp_die("fork");
    return pid;
}

/* Lets the child go on: false when it came to its end. */
static bool go_on(pid_t pid, bool single_step)
{
    int status;

    if (ptrace(single_step ? PTRACE_SINGLESTEP : PTRACE_SYSCALL, pid, NULL, NULL) < 0
        || waitpid(pid, &status, 0) != pid)
        temp_die("ptrace");
    return WIFSTOPPED(status);
}

/* The state changes behind so many stops at system calls, and then is this. */
struct change {
    int stops;
    struct logstate_page after;
};

static size_t find_changes(const struct death *death, struct change *changes, size_t room)
{
    struct logstate_page before;
    struct pair pair;
    struct batch doubt;
    size_t count = 0;

    make_scene(&pair, death, &doubt);
    memcpy(&before, pair.state, sizeof(before));
    const pid_t pid = start_child(&pair, death);
    for (int stops = 0; go_on(pid, false); stops++) {
        if (memcmp(&before, pair.state, sizeof(before)) == 0 || count == room)
            continue;
        memcpy(&before, pair.state, sizeof(before));
        changes[count++] = (struct change){.stops = stops, .after = before};
    }
    finish(&doubt);
    drop_pair(&pair);
    return count;
}

/* Ends the child when it has changed the state so many times: true when the change is complete. */
static bool die(struct pair *pair, const struct death *death, const struct change *change,
                int stores)
{
    struct logstate_page before;
    const pid_t pid = start_child(pair, death);

    for (int stops = 0; stops < change->stops; stops++)
        (void)go_on(pid, false);
    memcpy(&before, pair->state, sizeof(before));
    while (stores > 0) {
        if (!go_on(pid, true))
            temp_die("a store of the child");
        if (memcmp(&before, pair->state, sizeof(before)) != 0)
            stores--;
        memcpy(&before, pair->state, sizeof(before));
    }
    kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    return memcmp(&before, &change->after, sizeof(before)) == 0;
}

/* What goes wrong for those who live on, or NULL. */
static const char *survive(struct pair *pair, struct batch *doubt)
{
    /* A store was made after the sync had failed, so it can be known. */
    const bool told = *dying.sync_failed;
    struct batch batches[4];
    struct eventlog *third = open_log(&pair->temp);

    finish(doubt);
    batches[0] = *doubt;
    put(pair->a, &batches[1], "y");
    put(pair->b, &batches[2], "z");
    put(third, &batches[3], "t");
    eventlog_close(third);
    if (told && doubt->fate == DURABLE)
        return "a batch is called durable after the sync of its segment has failed";
    if (batches[1].fate != DURABLE || batches[2].fate != DURABLE || batches[3].fate != DURABLE)
        return "the log does not go on";
    if (told && strpbrk(contents_of(pair->a), "cx") != NULL)
        return "what a failed sync may have lost stands before what is called durable";
    if (pair->state->closing || pair->state->synced != pair->state->written)
        return "the shared state does not fit";
    return judged(pair->a, batches, COUNT(batches));
}

/* At every store of a change: how many there are. */
static int die_everywhere(const struct death *death, const struct change *change, int number)
{
    bool complete = false;
    int stores;

    for (stores = 1; !complete; stores++) {
        struct pair pair;
        struct batch doubt;

        make_scene(&pair, death, &doubt);
        complete = die(&pair, death, change, stores);
        is_str(survive(&pair, &doubt), NULL, "death in %s: change %d, store %d", death->what,
               number, stores);
        drop_pair(&pair);
    }
    return stores - 1;
}

static void deaths(void)
{
    static const struct {
        struct death death;
        int stores;
    } table[] = {
        {{"an append", act_append, false, false}, 2},
        {{"the first append", act_append, false, true}, 2},
        {{"a rotation", act_rotate, false, false}, 6},
        {{"a cut", act_append, true, false}, 5},
        {{"a cut to the beginning", act_append, true, true}, 4},
        {{"a rotation whose sync fails", act_rotate, true, false}, 4},
    };

    dying.sync_failed = mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (dying.sync_failed == MAP_FAILED)
        temp_die("mmap");
    for (size_t i = 0; i < COUNT(table); i++) {
        struct change changes[16];
        const size_t count = find_changes(&table[i].death, changes, COUNT(changes));
        int stores = 0;

        for (size_t number = 0; number < count; number++)
            stores += die_everywhere(&table[i].death, &changes[number], (int)number + 1);
        ok(stores >= table[i].stores, "death in %s: at %d stores", table[i].death.what, stores);
    }
}

/* Whether this process may trace a child; a sanitizer's threads cannot be stepped through. */
static bool may_trace(void)
{
#ifdef __SANITIZE_THREAD__
    return false;
#else
    const pid_t child = fork();
    int status;

    if (child == 0)
        _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
#endif
}

/* Four threads of each process, rotation, and one of 19 syncs fails. */
enum { WORKERS = 8, ROUNDS = 20 };

struct worker {
    struct eventlog *log;
    int number;
    struct batch *batches;
};

static int failing_syncs(const struct io_call *call)
{
    static _Atomic int count;

    return !call->done && call->op == IO_FDATASYNC && atomic_fetch_add(&count, 1) % 19 == 18 ? EIO
                                                                                           : 0;
}

static void *work(void *context)
{
    const struct worker *worker = context;

    for (int i = 0; i < ROUNDS; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "%d-%02d", worker->number, i);
        put(worker->log, &worker->batches[i], id);
    }
    return NULL;
}

static void threads(void)
{
    static struct batch batches[WORKERS * ROUNDS];
    struct worker workers[WORKERS];
    pthread_t ids[WORKERS];
    struct pair pair;
    int durable = 0;

    make_pair(&pair);
    eventlog_limit(pair.a, 11 * batch_bytes());
    eventlog_limit(pair.b, 7 * batch_bytes());
    io_seam = failing_syncs;
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){i % 2 == 0 ? pair.a : pair.b, i, batches + i * ROUNDS};
        if (pthread_create(&ids[i], NULL, work, &workers[i]) != 0)
            temp_die("pthread_create");
    }
    for (int i = 0; i < WORKERS; i++)
        pthread_join(ids[i], NULL);
    io_seam = NULL;
    for (int i = 0; i < WORKERS * ROUNDS; i++)
        durable += batches[i].fate == DURABLE;
    is_str(judged(pair.a, batches, WORKERS * ROUNDS), NULL,
           "threads of two processes, failing syncs: the log is as told");
    ok(durable > 0 && durable < WORKERS * ROUNDS, "%d of %d batches are durable", durable,
       WORKERS * ROUNDS);
    drop_pair(&pair);
}

int main(void)
{
    temp_start();
    positions();
    rotation();
    dead_writers();
    lost_end();
    failed_sync();
    failed_sync_of_another();
    failed_sync_behind();
    cut_to_the_beginning();
    full_disks();
    short_write();
    failed_rotation();
    find();
    newcomers();
    find_while_cut();
    find_dropped();
    find_failures();
    for (int burst = 1; burst <= 5; burst++)
        sweep(burst);
    open_failures();
    belief();
    if (may_trace())
        deaths();
    else
        ok(true, "death between two stores # SKIP no tracing here");
    threads();
    return done_testing();
}
