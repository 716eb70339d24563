/* SPDX-License-Identifier: ISC */
/* What repair makes of a log after a crash; doing it twice, or again after another, is the same. */
#include "autoconf.h"

#include "repair.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include "logstate.h"
#include "segment.h"
#include "tap.h"
#include "temp.h"

#define FIRST "log/00000000000000000000.ndjson"

/*
 * Segments are written in shorthand: a capital stands for the record of that
 * id, all 300 bytes long; a for the first half of A, with no newline; 0 for
 * 300 zeros; x for 299 x and a newline; _ for 299 blanks and a newline.
 */
enum { LINE = 300, SEGMENTS = 3 };

static void one_line(char id, char text[LINE])
{
    const char name[] = {id, '\0'};
    char body[200] = "\"\"";
    size_t len;
    char *line = temp_line(name, body, &len);
    const size_t blanks = LINE - len;

    free(line);
    memset(body, ' ', blanks);
    strcpy(body + blanks, "\"\"");
    line = temp_line(name, body, &len);
    if (len != LINE)
        temp_die("a line of 300 bytes");
    memcpy(text, line, LINE);
    free(line);
}

static size_t spell(const char *shorthand, char *text)
{
    char *at = text;

    for (; *shorthand != '\0'; shorthand++) {
        if (*shorthand >= 'a' && *shorthand <= 'f') {
            one_line((char)(*shorthand - 'a' + 'A'), at);
            at += LINE / 2;
            continue;
        }
        if (*shorthand >= 'A' && *shorthand <= 'Z') {
            one_line(*shorthand, at);
        } else {
            memset(at, *shorthand == '0' ? 0 : *shorthand == '_' ? ' ' : 'x', LINE);
            if (*shorthand != '0')
                at[LINE - 1] = '\n';
        }
        at += LINE;
    }
    return (size_t)(at - text);
}

struct files {
    uint64_t start[SEGMENTS];
    const char *text[SEGMENTS]; /* NULL: no more */
};

static void segment_path(char path[64], uint64_t start)
{
    (void)snprintf(path, 64, "log/%020ju.ndjson", (uintmax_t)start);
}

static void write_files(const struct temp *temp, const struct files *files)
{
    char text[16 * LINE], path[64];

    if (mkdirat(temp->dir, "log", 0750) < 0)
        temp_die("log");
    for (int i = 0; i < SEGMENTS && files->text[i] != NULL; i++) {
        segment_path(path, files->start[i]);
        temp_put(temp->dir, path, text, spell(files->text[i], text));
    }
}

/* Do the segments hold this? Says which one does not. */
static bool files_are(const struct temp *temp, const struct files *files)
{
    char text[16 * LINE], path[64];
    bool same = true;

    for (int i = 0; i < SEGMENTS && files->text[i] != NULL; i++) {
        size_t len = 0;
        segment_path(path, files->start[i]);
        char *found = temp_get(temp->dir, path, &len);
        const size_t want = spell(files->text[i], text);
        if (found == NULL || len != want || memcmp(found, text, len) != 0) {
            diag("%s holds %zu bytes, want %zu, or they differ", path, len, want);
            same = false;
        }
        free(found);
    }
    return same;
}

static int repair(const struct temp *temp, uint64_t from, uint64_t *end, struct eventlog **log)
{
    *log = eventlog_open(temp->dir, temp->path);
    if (*log == NULL)
        temp_die("eventlog_open");
    return repair_log(*log, from, end);
}

static int repair_and_close(const struct temp *temp, uint64_t from, uint64_t *end)
{
    struct eventlog *log;
    const int result = repair(temp, from, end, &log);

    eventlog_close(log);
    return result;
}

static bool appends_at(struct eventlog *log, uint64_t position)
{
    char text[LINE];
    struct iovec line = {.iov_base = text, .iov_len = LINE};
    struct eventlog_extent extent;

    one_line('Z', text);
    return eventlog_append(log, &line, 1, LINE, &extent) == EVENTLOG_APPENDED
        && extent.start == position && eventlog_sync(log, &extent) == 0;
}

static int set_aside; /* how many files of damaged lines there are */

static void count_set_aside(int dir, const char *name)
{
    (void)dir;
    set_aside += strstr(name, ".damaged") != NULL;
}

static const struct {
    const char *what;
    struct files before;
    uint64_t from;
    struct files after;
    uint64_t end;
    const char *message; /* NULL: nothing is said */
    int set_aside;
} table[] = {
    {"an empty directory", {{0}, {NULL}}, 0, {{0}, {""}}, 0, NULL, 0},
    {"an empty segment", {{0}, {""}}, 0, {{0}, {""}}, 0, NULL, 0},
    {"a whole segment", {{0}, {"AB"}}, 0, {{0}, {"AB"}}, 600, NULL, 0},
    {"two whole segments", {{0, 600}, {"AB", "C"}}, 0, {{0, 600}, {"AB", "C"}}, 900, NULL, 0},
    {"a whole and an empty segment", {{0, 600}, {"AB", ""}}, 0, {{0, 600}, {"AB", ""}}, 600, NULL,
     0},
    {"a log whose beginning was purged", {{600, 900}, {"A", "B"}}, 600, {{600, 900}, {"A", "B"}},
     1200, NULL, 0},

    {"half a line at the end", {{0}, {"ABc"}}, 0, {{0}, {"AB"}}, 600, "(a torn line)", 0},
    {"half a line and nothing else", {{0}, {"a"}}, 0, {{0}, {""}}, 0, "(a torn line)", 0},
    {"half a line in a new segment", {{0, 600}, {"AB", "c"}}, 0, {{0, 600}, {"AB", ""}}, 600,
     "(a torn line)", 0},
    {"zeros at the end", {{0}, {"AB00"}}, 0, {{0}, {"AB"}}, 600, "(a torn line)", 0},
    {"half a line and zeros at the end", {{0}, {"ABc000"}}, 0, {{0}, {"AB"}}, 600,
     "(a torn line)", 0},
    {"nothing but zeros", {{0}, {"00"}}, 0, {{0}, {""}}, 0, "(a torn line)", 0},

    {"a damaged line in the middle", {{0}, {"AxB"}}, 0, {{0}, {"A_B"}}, 900, "damaged line", 1},
    {"a damaged line at the beginning", {{0}, {"xAB"}}, 0, {{0}, {"_AB"}}, 900, "damaged line",
     1},
    {"a damaged line at the end", {{0}, {"ABx"}}, 0, {{0}, {"AB_"}}, 900, "damaged line", 1},
    {"damaged lines and half a one", {{0}, {"xAxxBc"}}, 0, {{0}, {"_A__B"}}, 1500, "damaged line",
     3},
    {"damaged lines in two segments", {{0, 600}, {"Ax", "xB"}}, 0, {{0, 600}, {"A_", "_B"}}, 1200,
     "damaged line", 2},
    {"a line that was blanked before", {{0}, {"A_B"}}, 0, {{0}, {"A_B"}}, 900, NULL, 0},

    {"bytes that were given up", {{0, 300}, {"AB", "C"}}, 0, {{0, 300}, {"A", "C"}}, 600,
     "given up after a failed sync", 0},
    {"half a line that was given up", {{0, 300}, {"Ab", "C"}}, 0, {{0, 300}, {"A", "C"}}, 600,
     "given up after a failed sync", 0},
    {"damaged bytes that were given up", {{0, 300}, {"Ax00", "C"}}, 0, {{0, 300}, {"A", "C"}}, 600,
     "given up after a failed sync", 0},
    {"bytes given up before two new segments", {{0, 300, 600}, {"ABC", "DE", "F"}}, 0,
     {{0, 300, 600}, {"A", "D", "F"}}, 900, "given up after a failed sync", 0},

    {"damage before what is looked at", {{0}, {"xAxB"}}, 600, {{0}, {"xA_B"}}, 1200,
     "damaged line", 1},
    {"damage in a segment before", {{0, 600}, {"xA", "B"}}, 600, {{0, 600}, {"xA", "B"}}, 900,
     NULL, 0},
    {"a torn line behind what is looked at", {{0}, {"ABc"}}, 600, {{0}, {"AB"}}, 600,
     "(a torn line)", 0},
    {"nothing to look at", {{0}, {"AB"}}, 600, {{0}, {"AB"}}, 600, NULL, 0},
};

static void tables(void)
{
    for (size_t i = 0; i < COUNT(table); i++) {
        struct temp temp;
        struct eventlog *log;
        uint64_t end = 1;

        temp_make(&temp);
        write_files(&temp, &table[i].before);
        is_int(repair_and_close(&temp, table[i].from, &end), 0, "%s: is repaired",
               table[i].what);
        is_int(end, table[i].end, "%s: where the log ends", table[i].what);
        ok(files_are(&temp, &table[i].after), "%s: what stays", table[i].what);
        const char *message = table[i].message;
        ok(message == NULL ? temp_said("") == 0 : temp_said(message) > 0, "%s: what is said",
           table[i].what);
        set_aside = 0;
        (void)temp_names(temp.dir, "log", count_set_aside);
        is_int(set_aside, table[i].set_aside, "%s: what is set aside", table[i].what);

        temp_hear();
        end = 1;
        is_int(repair(&temp, table[i].from, &end, &log), 0, "%s: once more", table[i].what);
        ok(end == table[i].end && files_are(&temp, &table[i].after) && temp_said("") == 0,
           "%s: changes nothing", table[i].what);
        ok(appends_at(log, end), "%s: and can be appended to there", table[i].what);
        eventlog_close(log);
        temp_drop(&temp);
    }
}

/* A line cut anywhere. */
static void torn_lines(void)
{
    char text[3 * LINE];
    int wrong = 0;

    (void)spell("ABC", text);
    for (size_t len = 0; len < LINE; len++) {
        struct temp temp;
        uint64_t end = 1;

        temp_make(&temp);
        if (mkdirat(temp.dir, "log", 0750) < 0)
            temp_die("log");
        temp_put(temp.dir, FIRST, text, 2 * LINE + len);
        wrong += repair_and_close(&temp, 0, &end) != 0 || end != 2 * LINE
            || temp_size(temp.dir, FIRST) != 2 * LINE;
        temp_drop(&temp);
    }
    is_int(wrong, 0, "a last line of any length is cut");
}

/* The bytes that do not prove themselves are kept, under their position. */
static void damage(void)
{
    struct temp temp;
    const struct files files = {{0}, {"ABC"}};
    char text[3 * LINE], blanks[LINE];
    uint64_t end;
    size_t len = 0;

    temp_make(&temp);
    write_files(&temp, &files);
    (void)spell("ABC", text);
    text[LINE + 123] ^= 0x20;
    temp_put(temp.dir, FIRST, text, sizeof(text));
    is_int(repair_and_close(&temp, 0, &end), 0, "a bit has changed");
    char *kept = temp_get(temp.dir, "log/00000000000000000300.damaged", &len);
    is_mem(kept, len, text + LINE, LINE, "the line as it was is set aside");
    free(kept);
    memset(blanks, ' ', LINE);
    blanks[LINE - 1] = '\n';
    memcpy(text + LINE, blanks, LINE);
    char *file = temp_get(temp.dir, FIRST, &len);
    is_mem(file, len, text, sizeof(text), "and its place is blank: no other line has moved");
    free(file);
    ok(temp_said("damaged line of 300 bytes at position 300 of '") == 1,
       "one message says how much and where");
    temp_drop(&temp);
}

/* A segment that is too short, and a log shorter than what was settled: not to be explained. */
/* A byte that stands between two whole lines is damage as well, and has no newline. */
static void one_byte(void)
{
    struct temp temp;
    const struct files files = {{0}, {"AB"}};
    char text[2 * LINE + 1];
    uint64_t end;
    size_t len = 0;

    temp_make(&temp);
    write_files(&temp, &files);
    (void)spell("AB", text);
    memmove(text + LINE + 1, text + LINE, LINE);
    text[LINE] = '}';
    temp_put(temp.dir, FIRST, text, sizeof(text));
    is_int(repair_and_close(&temp, 0, &end), 0, "a byte has come in between");
    text[LINE] = '\n';
    char *file = temp_get(temp.dir, FIRST, &len);
    is_mem(file, len, text, sizeof(text), "its place is a line of nothing");
    free(file);
    char *kept = temp_get(temp.dir, "log/00000000000000000300.damaged", &len);
    is_mem(kept, len, "}", 1, "the byte is set aside");
    free(kept);
    temp_drop(&temp);
}

static void losses(void)
{
    struct temp temp;
    struct eventlog *log;
    const struct files gap = {{0, 900}, {"A", "B"}}, brief = {{0}, {"A"}};
    uint64_t end;

    temp_make(&temp);
    write_files(&temp, &gap);
    is_int(repair_and_close(&temp, 0, &end), 0, "a segment is shorter than it should be");
    ok(end == 1200 && files_are(&temp, &gap), "what there is stays");
    is_int(temp_said("ends 600 bytes before the next begins"), 1, "and it is said");
    temp_drop(&temp);

    temp_make(&temp);
    write_files(&temp, &brief);
    is_int(repair(&temp, 900, &end, &log), 0, "the log is shorter than what is settled");
    ok(end == 900 && files_are(&temp, &brief), "what there is stays");
    ok(appends_at(log, 900), "nothing gets a position that was given before");
    eventlog_close(log);
    temp_drop(&temp);
}

/* What was done to the disk, a letter a call. */
static struct {
    char calls[256];
    size_t count;
    uint64_t written_from, written_to;
} record;

static int recording_seam(const struct io_call *call)
{
    static const char letters[] = "omwdftlru"; /* in the order of enum io_op */

    if (!call->done || record.count + 1 >= sizeof(record.calls))
        return 0;
    record.calls[record.count++] = letters[call->op];
    record.calls[record.count] = '\0';
    if (call->op == IO_WRITE) {
        const uint64_t from = (uint64_t)call->offset;
        uint64_t to = from;
        for (int i = 0; i < call->data_count; i++)
            to += call->data[i].iov_len;
        record.written_from = from < record.written_from ? from : record.written_from;
        record.written_to = to > record.written_to ? to : record.written_to;
    }
    return 0;
}

static int recorded_repair(const struct temp *temp, uint64_t from)
{
    struct eventlog *log = eventlog_open(temp->dir, temp->path);
    uint64_t end;

    record.count = 0;
    record.written_from = UINT64_MAX;
    record.written_to = 0;
    io_seam = recording_seam;
    const int result = repair_log(log, from, &end);
    io_seam = NULL;
    eventlog_close(log);
    return result;
}

static void order(void)
{
    struct temp temp;
    const struct files files = {{0}, {"AxB"}};

    temp_make(&temp);
    write_files(&temp, &files);
    is_int(recorded_repair(&temp, 0), 0, "a damaged line is repaired");
    const char *kept = strstr(record.calls, "wfrf");
    const char *blanked = kept == NULL ? NULL : strchr(kept + 4, 'w');
    const char *synced = blanked == NULL ? NULL : strchr(blanked, 'd');
    ok(kept != NULL && blanked != NULL,
       "its copy, and the copy's name, are durable before it is blanked");
    ok(synced != NULL && strchr(synced, 'f') != NULL,
       "then the segment is synced, and then the directory (%s)", record.calls);
    temp_drop(&temp);
}

/* Pages whose sync failed in this boot are written again; after a boot there are none. */
static void doubtful(void)
{
    struct temp temp;
    const struct files files = {{0}, {"ABCD"}};
    uint64_t end;

    temp_make(&temp);
    write_files(&temp, &files);
    is_int(recorded_repair(&temp, 0), 0, "a state of no boot");
    is_int(record.written_to, 0, "nothing is written again");

    const int fd = openat(temp.dir, "log/state", O_RDWR | O_CLOEXEC);
    struct logstate_page *state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED,
                                       fd, 0);
    if (state == MAP_FAILED)
        temp_die("log/state");
    close(fd);
    is_int(state->synced, 4 * LINE, "a repaired log is durable to its end");
    state->synced = 2 * LINE;
    is_int(recorded_repair(&temp, 0), 0, "a state of this boot");
    ok(record.written_from == 2 * LINE && record.written_to == 4 * LINE,
       "what is behind synced is written again");
    const char *written = strchr(record.calls, 'w');
    ok(written != NULL && strchr(written, 'd') != NULL, "before it is synced");
    ok(files_are(&temp, &files), "and stays what it was");
    is_int(state->synced, 4 * LINE, "then it is durable");

    state->synced = LINE;
    is_int(recorded_repair(&temp, 3 * LINE), 0, "settled beyond synced");
    ok(record.written_from == 3 * LINE && record.written_to == 4 * LINE,
       "what is settled is not written again");

    state->synced = 0;
    fault_clear();
    fault_set(IO_FDATASYNC, 0, 1, EIO);
    is_int(repair_and_close(&temp, 0, &end), -1, "a sync fails");
    io_seam = NULL;
    is_int(recorded_repair(&temp, 0), 0, "the next repair");
    ok(record.written_from == 0 && record.written_to == 4 * LINE,
       "does not trust it, and writes again");
    munmap(state, sizeof(*state));
    temp_drop(&temp);
}

/* All that can be wrong at once, and how it is to end. */
static const struct files sick = {{0, 900, 1200}, {"AxBC", "xDe", "xEx0f"}};
static const struct files sound = {{0, 900, 1200}, {"A_B", "_", "_E_"}};

static bool is_sound(const struct temp *temp)
{
    static const char *const aside[] = {
        "log/00000000000000000300.damaged", "log/00000000000000000900.damaged",
        "log/00000000000000001200.damaged", "log/00000000000000001800.damaged"};
    char text[LINE];
    bool same = files_are(temp, &sound);

    (void)spell("x", text);
    for (size_t i = 0; i < COUNT(aside); i++) {
        size_t len = 0;
        char *kept = temp_get(temp->dir, aside[i], &len);
        if (kept == NULL || len != LINE || memcmp(kept, text, LINE) != 0) {
            diag("%s is not what was damaged", aside[i]);
            same = false;
        }
        free(kept);
    }
    return same;
}

/* Each system call fails once; then the disk is well again. */
static void failures(void)
{
    int lied = 0, leaked = 0, ill = 0, total = 1;

    for (int number = 1; number <= total + 1; number++) {
        struct temp temp;
        struct eventlog *log;
        uint64_t end = 0;

        temp_make(&temp);
        write_files(&temp, &sick);
        const int open_before = temp_descriptors();
        log = eventlog_open(temp.dir, temp.path);
        fault_burst(number, number);
        errno = 0;
        const int result = repair_log(log, 0, &end);
        total = atomic_load(&fault.total);
        /* The kernel's boot id may be kept from us: then no state is believed later on. */
        lied += number <= total && result != -1;
        io_seam = NULL;
        eventlog_close(log);
        leaked += temp_descriptors() != open_before;
        ill += repair_and_close(&temp, 0, &end) != 0 || end != 2100 || !is_sound(&temp);
        temp_drop(&temp);
    }
    ok(total > 20, "a repair takes %d system calls", total);
    ok(lied <= 2, "each but those for the boot id ends it with -1 when it fails");
    is_int(leaked, 0, "leaves no descriptor open");
    is_int(ill, 0, "and can be repeated, to the same end");
}

/* A fork dies before, or behind, the call with this number; a write may have been done by half. */
static struct {
    int number;
    enum { BEFORE, HALF, BEHIND } how;
    int calls;
} dying;

static int dying_seam(const struct io_call *call)
{
    if (!call->done)
        dying.calls++;
    if (dying.calls != dying.number || call->done != (dying.how == BEHIND))
        return 0;
    if (dying.how == HALF && call->op == IO_WRITE) {
        const size_t len = call->data[0].iov_len / 2;
        if (pwrite(call->fd, call->data[0].iov_base, len, call->offset) != (ssize_t)len)
            _exit(99);
    }
    _exit(1);
}

/* Does the fork live through its repair? */
static bool repaired_by_fork(const struct temp *temp)
{
    int status;
    uint64_t end;
    const pid_t pid = fork();

    if (pid == 0) {
        struct eventlog *log = eventlog_open(temp->dir, temp->path);
        dying.calls = 0;
        io_seam = dying_seam;
        (void)repair_log(log, 0, &end);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)
        || WEXITSTATUS(status) > 1)
        temp_die("fork");
    return WEXITSTATUS(status) == 0;
}

static void crashes(void)
{
    static const char *const how[] = {"before", "half way through", "behind"};

    for (int kind = BEFORE; kind <= BEHIND; kind++) {
        int ill = 0, number;
        bool lived = false;

        for (number = 1; !lived; number++) {
            struct temp temp;
            uint64_t end = 0;

            temp_make(&temp);
            write_files(&temp, &sick);
            dying.number = number;
            dying.how = kind;
            lived = repaired_by_fork(&temp);
            ill += repair_and_close(&temp, 0, &end) != 0 || end != 2100 || !is_sound(&temp);
            temp_drop(&temp);
        }
        is_int(ill, 0, "death %s any of %d system calls: the next repair completes it",
               how[kind], number - 2);
    }
}

int main(void)
{
    temp_start();
    tables();
    torn_lines();
    damage();
    one_byte();
    losses();
    order();
    doubtful();
    failures();
    crashes();
    return done_testing();
}
