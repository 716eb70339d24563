/* SPDX-License-Identifier: ISC */
/* The journal: grows by whole lines, loses torn ones, keeps damage, is written anew or not. */
#include "autoconf.h"

#include "journal.h"

#include "tap.h"
#include "temp.h"

#define NAME "test.ndjson"

static struct temp temp;

/* {"n":NUMBER,"fill":"…","xxh3":"…"} and a newline, `fill` bytes of filling. */
static char *make(unsigned number, size_t fill, size_t *len)
{
    char *line = malloc(fill + 64 + RECORD_SEAL);
    int at = snprintf(line, 64, "{\"n\":%u,\"fill\":\"", number);

    memset(line + at, 'x', fill);
    line[(size_t)at + fill] = '"';
    *len = record_seal(line, (size_t)at + fill + 1);
    return line;
}

static int append(struct journal *journal, unsigned number, size_t fill)
{
    struct iovec part;
    char *line = make(number, fill, &part.iov_len);
    part.iov_base = line;
    const int result = journal_append(journal, &part, 1, part.iov_len);
    const int saved = errno;

    free(line);
    errno = saved;
    return result;
}

/* What a scan met: "1 2 ! 3" with ! for damage. */
struct met {
    char text[256];
    int stop_at; /* the number at which the visit stops; negative: fails; 0: never */
};

static int meet(void *context, const char *line, size_t len, uint64_t offset, bool proven)
{
    struct met *met = context;
    const size_t at = strlen(met->text);
    int number = 0;

    (void)offset;
    if (proven && line[len - 1] == '\n')
        number = atoi(line + strlen("{\"n\":"));
    if (proven)
        snprintf(met->text + at, sizeof(met->text) - at, "%s%d", at > 0 ? " " : "", number);
    else
        snprintf(met->text + at, sizeof(met->text) - at, "%s!", at > 0 ? " " : "");
    if (number != 0 && number == -met->stop_at)
        return -1;
    return number != 0 && number == met->stop_at ? 7 : 0;
}

/* Another process's view of the file. */
static void holds(const char *want, const char *what)
{
    struct journal journal;
    struct met met = {0};

    if (journal_open(&journal, temp.dir, temp.path, NAME, false) < 0
        || journal_scan(&journal, meet, &met) != 0)
        temp_die(what);
    is_str(met.text, want, "%s", what);
    journal_close(&journal);
}

static void put_behind(const char *bytes, size_t len)
{
    const int fd = openat(temp.dir, NAME, O_WRONLY | O_APPEND | O_CLOEXEC);

    if (write(fd, bytes, len) != (ssize_t)len || close(fd) != 0)
        temp_die(NAME);
}

/* ---- */

static void grows(void)
{
    struct journal reader, writer;
    struct met met = {0};

    temp_make(&temp);
    is_int(journal_open(&reader, temp.dir, temp.path, NAME, false), 0, "a file that is not there");
    is_int(journal_scan(&reader, meet, &met), 0, "holds nothing");
    is_int(journal_current(&reader), 1, "is what there is");
    is_int(journal_open(&writer, temp.dir, temp.path, NAME, true), 0, "it is made");
    is_int(journal_current(&reader), 0, "now there is another");
    journal_close(&reader);
    is_int(journal_open(&reader, temp.dir, temp.path, NAME, false), 0, "which is opened");
    fault_clear();
    is_int(append(&writer, 1, 10), 0, "a line");
    ok(fault_calls(IO_FDATASYNC) == 1 && fault_calls(IO_FSYNC) == 1, "is synced, and the name");
    is_int(append(&writer, 2, 0), 0, "another");
    ok(fault_calls(IO_FDATASYNC) == 2 && fault_calls(IO_FSYNC) == 1, "is synced");
    is_int(journal_scan(&reader, meet, &met), 0, "both");
    is_str(met.text, "1 2", "are seen by a reader");
    is_int(append(&writer, 3, 200 * 1000), 0, "a long one");
    is_int(append(&writer, 4, 64 * 1024 - 50), 0, "one as long as what is read at a time");
    is_int(journal_scan(&reader, meet, &met), 0, "they");
    is_str(met.text, "1 2 3 4", "are seen in turn");
    is_int(reader.end, writer.end, "to the same end");

    struct met stop = {"", 3};
    reader.end = 0;
    is_int(journal_scan(&reader, meet, &stop), 7, "a visit can stop a scan");
    is_int(journal_scan(&reader, meet, &stop), 0, "which goes on");
    is_str(stop.text, "1 2 3 4", "behind it");
    stop = (struct met){"", -3};
    reader.end = 0;
    is_int(journal_scan(&reader, meet, &stop), -1, "one can fail");
    stop.stop_at = 0;
    is_int(journal_scan(&reader, meet, &stop), 0, "and then the scan goes on");
    is_str(stop.text, "1 2 3 3 4", "with the same line");
    journal_close(&reader);
    journal_close(&writer);

    /* Who made it may have died between its first line and the sync of the name. */
    fault_clear();
    is_int(journal_open(&writer, temp.dir, temp.path, NAME, true), 0, "it is opened once more");
    is_int(journal_skip(&writer), 0, "to append to it");
    is_int(append(&writer, 5, 10), 0, "a line");
    is_int(fault_calls(IO_FSYNC), 1, "makes sure of the name");
    journal_close(&writer);
    temp_drop(&temp);
}

static void torn(void)
{
    struct journal journal;
    size_t len;

    temp_make(&temp);
    is_int(journal_open(&journal, temp.dir, temp.path, NAME, true), 0, "a journal");
    (void)append(&journal, 1, 10);
    char *line = make(2, 100, &len);
    put_behind(line, len - 1);
    holds("1", "a line without its newline is none");
    is_int(append(&journal, 3, 10), 0, "the next one");
    is_int(temp_said("cut a torn line"), 1, "takes its place");
    holds("1 3", "and the file is whole");

    line[20] ^= 1;
    put_behind(line, len);
    holds("1 3 !", "damage is seen");
    struct met met = {0};
    is_int(journal_scan(&journal, meet, &met), 0, "by the writer too");
    is_int(append(&journal, 4, 10), 0, "who appends behind it");
    holds("1 3 ! 4", "and leaves it where it is");
    free(line);
    journal_close(&journal);
    temp_drop(&temp);
}

/* The end is found from behind. */
static void skips(void)
{
    static const size_t fills[] = {0, 100, 64 * 1024 - 47, 64 * 1024, 300 * 1000};
    char *zeros = calloc(1, 100 * 1000);
    struct journal journal;

    temp_make(&temp);
    is_int(journal_open(&journal, temp.dir, temp.path, NAME, true), 0, "a journal");
    is_int(journal_skip(&journal), 0, "that is empty");
    is_int(journal.end, 0, "has no end to skip to");
    for (unsigned i = 0; i < COUNT(fills); i++) {
        (void)append(&journal, i + 1, fills[i]);
        const uint64_t end = journal.end;
        journal.end = 0;
        is_int(journal_skip(&journal), 0, "behind a line of %zu bytes", fills[i]);
        is_int(journal.end, end, "it finds the end");
        put_behind(zeros, 70 * 1000);
        journal.end = 0;
        ok(journal_skip(&journal) == 0 && journal.end == end, "also before what is torn");
    }
    holds("1 2 3 4 5", "all of them are there");
    free(zeros);
    journal_close(&journal);
    temp_drop(&temp);
}

/* A disk that fills up in the middle of a line. */
static int write_half(const struct io_call *call)
{
    if (call->op != IO_WRITE || call->done)
        return 0;
    if (pwrite(call->fd, call->data[0].iov_base, call->data[0].iov_len / 2, call->offset) < 0)
        temp_die("half a line");
    return ENOSPC;
}

static void faults(void)
{
    struct journal journal;

    temp_make(&temp);
    is_int(journal_open(&journal, temp.dir, temp.path, NAME, true), 0, "a journal");
    (void)append(&journal, 1, 10);
    const off_t size = temp_size(temp.dir, NAME);
    fault_clear();
    fault_set(IO_WRITE, 0, 1, ENOSPC);
    is_int(append(&journal, 2, 10), -1, "a full disk");
    is_int(errno, ENOSPC, "is reported");
    io_seam = write_half;
    is_int(append(&journal, 2, 1000), -1, "a disk that fills up meanwhile");
    is_int(temp_size(temp.dir, NAME), size, "nothing of it is left");
    fault_clear();
    fault_set(IO_FDATASYNC, 0, 1, EIO);
    is_int(append(&journal, 3, 10), -1, "a sync that fails");
    is_int(temp_size(temp.dir, NAME), size, "is cut");
    fault_set(IO_FDATASYNC, 0, 1, EIO);
    fault_set(IO_TRUNCATE, 0, 1, EIO);
    is_int(append(&journal, 4, 10), -1, "when it cannot be cut");
    ok(temp_size(temp.dir, NAME) > size, "it stays there");
    is_int(append(&journal, 5, 10), 0, "until the next line");
    holds("1 5", "takes its place");
    put_behind("torn", 4);
    fault_set(IO_TRUNCATE, 0, 1, EROFS);
    is_int(append(&journal, 6, 10), -1, "what is torn and cannot be cut is not written over");
    is_int(append(&journal, 7, 10), 0, "until it can");
    holds("1 5 7", "that is all");
    journal_close(&journal);

    temp_remove(temp.dir, NAME);
    is_int(journal_open(&journal, temp.dir, temp.path, NAME, true), 0, "a new journal");
    fault_set(IO_FSYNC, 0, 1, EIO);
    is_int(append(&journal, 1, 10), -1, "whose name cannot be made durable takes no line");
    is_int(append(&journal, 2, 10), 0, "and then it can");
    holds("2", "and does");
    journal_close(&journal);

    /* Whoever made it, or wrote it anew, may have died before its name was durable. */
    fault_clear();
    is_int(journal_open(&journal, temp.dir, temp.path, NAME, true), 0, "another comes");
    is_int(journal_skip(&journal), 0, "who finds lines");
    is_int(append(&journal, 3, 10), 0, "and appends one");
    is_int(fault_calls(IO_FSYNC), 1, "which syncs the name");
    is_int(append(&journal, 4, 10), 0, "and one more");
    is_int(fault_calls(IO_FSYNC), 1, "which need not");
    holds("2 3 4", "they stand");
    journal_close(&journal);
    temp_drop(&temp);
}

/* What another has written is made durable before it is relied upon. */
static void secures(void)
{
    struct journal journal;
    struct met met = {0};

    temp_make(&temp);
    is_int(journal_open(&journal, temp.dir, temp.path, NAME, true), 0, "a journal");
    for (unsigned i = 1; i <= 3; i++)
        (void)append(&journal, i, i * 40000);
    journal_close(&journal);
    put_behind("torn", 4);
    const off_t size = temp_size(temp.dir, NAME);
    is_int(journal_open(&journal, temp.dir, temp.path, NAME, true), 0, "another opens it");
    is_int(journal_scan(&journal, meet, &met), 0, "sees it");
    fault_clear();
    is_int(journal_secure(&journal), 0, "and secures it");
    is_int(fault_calls(IO_WRITE), (intmax_t)(journal.end / (64 * 1024) + 1), "it is all written");
    ok(fault_calls(IO_FDATASYNC) == 1 && fault_calls(IO_FSYNC) == 1, "and synced, as its name");
    is_int(temp_size(temp.dir, NAME), size, "no more than what was seen");
    holds("1 2 3", "it holds what it held");
    for (int call = 0; call < 3; call++) {
        static const enum io_op ops[] = {IO_WRITE, IO_FDATASYNC, IO_FSYNC};
        fault_set(ops[call], 0, 1, EIO);
        is_int(journal_secure(&journal), -1, "an error is told");
    }
    is_int(append(&journal, 4, 10), 0, "it is appended to");
    holds("1 2 3 4", "as before");
    journal_close(&journal);
    temp_drop(&temp);
}

static bool is_odd(void *context, const char *line, size_t len, uint64_t offset, bool proven)
{
    (void)context, (void)len, (void)offset;
    return !proven || atoi(line + strlen("{\"n\":")) % 2 == 1;
}

static void rewrites(void)
{
    struct journal journal, other;
    struct met met = {0};

    temp_make(&temp);
    is_int(journal_open(&journal, temp.dir, temp.path, NAME, true), 0, "a journal");
    for (unsigned i = 1; i <= 6; i++)
        (void)append(&journal, i, i * 20000);
    put_behind("damage\n", 7);
    put_behind("torn", 4);
    is_int(journal_scan(&journal, meet, &met), 0, "with seven lines");
    const uint64_t end = journal.end;
    for (int call = 0; call < 9; call++) {
        fault_burst(call + 1, call + 1);
        const int result = journal_rewrite(&journal, is_odd, NULL);
        fault_clear();
        if (journal_current(&journal) == 0)
            break; /* it bears the name now */
        is_int(result, -1, "call %d of writing it anew fails", call + 1);
        is_int(temp_size(temp.dir, NAME ".new"), -1, "nothing is left of the attempt");
        is_int(journal.end, end, "the journal stands where it stood");
        holds("1 2 3 4 5 6 !", "with all its lines");
        is_int(append(&journal, 6, 0), 0, "it can be appended to");
        const int fd = openat(temp.dir, NAME, O_WRONLY | O_CLOEXEC);
        if (ftruncate(fd, (off_t)end) < 0)
            temp_die(NAME);
        close(fd);
        journal.end = end;
    }
    is_int(journal_current(&journal), 0, "at last there is another");
    holds("1 3 5 !", "with what was to be kept");
    is_int(journal_open(&other, temp.dir, temp.path, NAME, true), 0, "which is opened");
    is_int(journal_rewrite(&other, is_odd, NULL), 0, "and written anew again");
    holds("1 3 5 !", "without a change");
    journal_close(&journal);
    journal_close(&other);
    temp_drop(&temp);
}

int main(void)
{
    temp_start();
    grows();
    torn();
    skips();
    faults();
    secures();
    rewrites();
    return done_testing();
}
