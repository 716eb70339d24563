/* SPDX-License-Identifier: ISC */
/* Segments as a reader sees them: their names, what a scan visits, and where it stops. */
#include "autoconf.h"

#include "segfile.h"
#include "segment.h"

#include "crypto.h"
#include "tap.h"
#include "temp.h"

static void names(void)
{
    static const struct {
        uint64_t start;
        const char *name;
    } table[] = {
        {0, "00000000000000000000.ndjson"},
        {1, "00000000000000000001.ndjson"},
        {67108864, "00000000000067108864.ndjson"},
        {UINT64_MAX, "18446744073709551615.ndjson"},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        char name[SEGMENT_NAME_SIZE];

        segment_name(name, table[i].start);
        is_str(name, table[i].name, "the name of %s", table[i].name);
    }
}

/* A file of the log that begins at `start`. */
static void put(const struct temp *temp, uint64_t start, const char *text, size_t len)
{
    char name[SEGMENT_NAME_SIZE];

    segment_name(name, start);
    temp_put(temp->dir, name, text, len);
}

static void lists(void)
{
    static const char *const strangers[] = {
        "lock", "state", "next", "1.ndjson", "00000000000000000002", "0000000000000000002.ndjson",
        "000000000000000000002.ndjson", "00000000000000000002.ndjson2",
        "00000000000000000002.damaged", "0000000000000000000x.ndjson",
        "-0000000000000000002.ndjson", "+0000000000000000002.ndjson",
        " 0000000000000000002.ndjson", "99999999999999999999.ndjson",
        "18446744073709551616.ndjson", ".00000000000000000002.ndjson",
    };
    static const uint64_t starts[] = {7, 0, 100000, UINT64_MAX, 20, 3};
    static const uint64_t sorted[] = {0, 3, 7, 20, 100000, UINT64_MAX};
    struct segment_list list;
    struct temp temp;

    temp_make(&temp);
    is_int(segment_list_read(&list, temp.dir, temp.path), 0, "an empty directory is read");
    is_int(list.count, 0, "and lists nothing");
    segment_list_release(&list);

    for (size_t i = 0; i < COUNT(strangers); i++)
        temp_put(temp.dir, strangers[i], "x", 1);
    for (size_t i = 0; i < COUNT(starts); i++)
        put(&temp, starts[i], "", 0);
    is_int(segment_list_read(&list, temp.dir, temp.path), 0, "segments among strangers are read");
    is_mem(list.starts, list.count * sizeof(uint64_t), sorted, sizeof(sorted),
           "they are listed in order, the strangers are not");
    segment_list_release(&list);
    ok(list.starts == NULL && list.count == 0, "a released list is empty");

    for (uint64_t i = 0; i < 200; i++)
        put(&temp, 200000 + i * 7 % 200, "", 0);
    is_int(segment_list_read(&list, temp.dir, temp.path), 0, "many segments are read");
    bool ascending = list.count == 206;
    for (size_t i = 1; i < list.count; i++)
        ascending = ascending && list.starts[i - 1] < list.starts[i];
    ok(ascending, "all of them, in order");
    segment_list_release(&list);
    temp_drop(&temp);
}

/* What a scan visited, in words: "position+length id|damaged ...". */
struct visited {
    char text[4096];
    int lines, damaged;
    int stop_at; /* return 7 from the visit with this number */
    uint64_t bytes;
};

static int note(void *context, const struct segment_line *line)
{
    struct visited *visited = context;
    const size_t at = strlen(visited->text);

    visited->lines++;
    visited->damaged += line->damaged;
    visited->bytes += line->len;
    if (!line->damaged && line->text[line->len - 1] != '\n')
        diag("a visited line has no newline at its end");
    (void)snprintf(visited->text + at, sizeof(visited->text) - at, "%s%ju+%zu %.*s",
                   at > 0 ? ", " : "", (uintmax_t)line->position, line->len,
                   line->damaged ? 7 : (int)line->view.id_len,
                   line->damaged ? "damaged" : line->view.id);
    return visited->stop_at == visited->lines ? 7 : 0;
}

static int scan(const struct temp *temp, uint64_t from, uint64_t to, struct visited *visited)
{
    return segment_scan(temp->dir, temp->path, from, to, note, visited);
}

/*
 * Three lines, A, B and C, of 300 bytes each, so that positions are easy to see: A and B in
 * the segment at 0, C in that at 600.
 */
enum { LINE = 300 };

static void three_lines(const struct temp *temp, char text[3 * LINE + 1])
{
    text[0] = '\0';
    for (size_t i = 0; i < 3; i++) {
        const char id[] = {(char)('A' + i), '\0'};
        char body[200] = "\"\"";
        size_t len;
        char *line = temp_line(id, body, &len);

        const size_t blanks = LINE - len; /* makes the line as long as it has to be */
        free(line);
        memset(body, ' ', blanks);
        strcpy(body + blanks, "\"\"");
        line = temp_line(id, body, &len);
        if (len != LINE)
            temp_die("a line of 300 bytes");
        strcat(text, line);
        free(line);
    }
    put(temp, 0, text, 2 * LINE);
    put(temp, 2 * LINE, text + 2 * LINE, LINE);
}

#define A "0+300 A"
#define B "300+300 B"
#define C "600+300 C"

static void bounds(void)
{
    static const struct {
        const char *what;
        uint64_t from, to;
        const char *seen;
    } table[] = {
        {"all", 0, UINT64_MAX, A ", " B ", " C},
        {"all, to its end", 0, 900, A ", " B ", " C},
        {"nothing", 0, 0, ""},
        {"nothing in the middle", 300, 300, ""},
        {"nothing, backwards", 600, 300, ""},
        {"the first", 0, 300, A},
        {"the second", 300, 600, B},
        {"the last", 600, 900, C},
        {"from the second", 300, UINT64_MAX, B ", " C},
        {"to the end of a segment", 0, 600, A ", " B},
        {"to a byte before a line's end", 0, 599, A},
        {"to a byte behind a line's end", 0, 301, A},
        {"to a byte behind a segment's end", 0, 601, A ", " B},
        {"from the end", 900, UINT64_MAX, ""},
        {"from beyond the end", 5000, UINT64_MAX, ""},
        {"to the last position there can be", UINT64_MAX, UINT64_MAX, ""},
    };
    struct temp temp;
    char text[3 * LINE + 1];

    temp_make(&temp);
    three_lines(&temp, text);
    for (size_t i = 0; i < COUNT(table); i++) {
        struct visited visited = {.stop_at = 0};

        is_int(scan(&temp, table[i].from, table[i].to, &visited), 0, "scanned: %s", table[i].what);
        is_str(visited.text, table[i].seen, "visited: %s", table[i].what);
    }
    temp_drop(&temp);
}

static void stops(void)
{
    struct temp temp;
    char text[3 * LINE + 1];

    temp_make(&temp);
    three_lines(&temp, text);
    for (int at = 1; at <= 3; at++) {
        struct visited visited = {.stop_at = at};

        is_int(scan(&temp, 0, UINT64_MAX, &visited), 7, "a visit stops the scan: line %d", at);
        is_int(visited.lines, at, "and is the last: line %d", at);
    }
    temp_drop(&temp);
}

/* Whether a segment is longer or shorter than where the next one begins. */
static void segment_ends(void)
{
    struct visited visited = {.stop_at = 0};
    struct temp temp;
    char text[3 * LINE + 1];

    temp_make(&temp);
    three_lines(&temp, text);
    put(&temp, 0, text, 3 * LINE); /* C once more, in the place that was given up */
    is_int(scan(&temp, 0, UINT64_MAX, &visited), 0, "a segment beyond the next one's beginning");
    is_str(visited.text, A ", " B ", " C, "is read up to there");

    put(&temp, 0, text, 2 * LINE + 50);
    visited = (struct visited){.stop_at = 0};
    is_int(scan(&temp, 0, UINT64_MAX, &visited), 0, "half a line beyond it");
    is_str(visited.text, A ", " B ", " C, "is not seen");

    put(&temp, 0, text, LINE + 50);
    visited = (struct visited){.stop_at = 0};
    is_int(scan(&temp, 0, UINT64_MAX, &visited), 0, "a segment with a gap behind it");
    is_str(visited.text, A ", " C, "gives its whole lines, and not half of one with the next's");

    put(&temp, 0, "", 0);
    visited = (struct visited){.stop_at = 0};
    is_int(scan(&temp, 0, UINT64_MAX, &visited), 0, "an empty one");
    is_str(visited.text, C, "does not end the scan");
    temp_drop(&temp);
}

static void damaged_lines(void)
{
    struct visited visited = {.stop_at = 0};
    struct temp temp;
    char text[3 * LINE + 1];

    temp_make(&temp);
    three_lines(&temp, text);
    text[LINE + 100] ^= 1;
    put(&temp, 0, text, 2 * LINE);
    is_int(scan(&temp, 0, UINT64_MAX, &visited), 0, "a byte has changed");
    is_str(visited.text, A ", 300+300 damaged, " C, "the line is damaged, those round it are not");

    text[LINE + 100] = '\n';
    put(&temp, 0, text, 2 * LINE);
    visited = (struct visited){.stop_at = 0};
    is_int(scan(&temp, 0, UINT64_MAX, &visited), 0, "a byte has become a newline");
    is_str(visited.text, A ", 300+101 damaged, 401+199 damaged, " C, "two lines are damaged");

    memset(text + LINE - 1, 0, 2);
    put(&temp, 0, text, 2 * LINE);
    visited = (struct visited){.stop_at = 0};
    is_int(scan(&temp, 0, UINT64_MAX, &visited), 0, "zeros where two lines meet");
    is_str(visited.text, "0+401 damaged, 401+199 damaged, " C, "run them together");

    put(&temp, 0, "\n\n", 2);
    visited = (struct visited){.stop_at = 0};
    is_int(scan(&temp, 0, 2 * LINE, &visited), 0, "empty lines");
    is_str(visited.text, "0+1 damaged, 1+1 damaged", "are damaged ones");

    memset(text, 0, sizeof(text));
    put(&temp, 2 * LINE, text, LINE);
    visited = (struct visited){.stop_at = 0};
    is_int(scan(&temp, 2 * LINE, UINT64_MAX, &visited), 0, "zeros without a newline");
    is_str(visited.text, "", "are no line");
    temp_drop(&temp);
}

static void torn_ends(void)
{
    struct temp temp;
    char text[3 * LINE + 1];
    int wrong = 0;

    temp_make(&temp);
    three_lines(&temp, text);
    for (size_t len = 0; len < LINE; len++) {
        struct visited visited = {.stop_at = 0};

        put(&temp, 2 * LINE, text + 2 * LINE, len);
        wrong += scan(&temp, 0, UINT64_MAX, &visited) != 0
            || strcmp(visited.text, A ", " B) != 0;
    }
    is_int(wrong, 0, "a line that has no newline yet is no line, however long");
    temp_drop(&temp);
}

/* A record whose line has about so many bytes, appended to *text. */
static void append_record(char **text, size_t *len, size_t bytes, unsigned number)
{
    char id[32];
    char *body = malloc(bytes + 3);
    size_t line_len;

    (void)snprintf(id, sizeof(id), "msg_%u", number);
    memset(body, 'x', bytes + 2);
    body[0] = body[bytes + 1] = '"';
    body[bytes + 2] = '\0';
    char *line = temp_line(id, body, &line_len);
    *text = realloc(*text, *len + line_len);
    memcpy(*text + *len, line, line_len);
    *len += line_len;
    free(body);
    free(line);
}

/* Lines about as long as the read buffer (256 KiB), and much longer, between short ones. */
static void long_lines(void)
{
    static const size_t sizes[] = {1, 262144 - 250, 262144 - 200, 262144 - 150, 262144, 2,
                                   524288, 3000000, 3, 262144 * 4 - 180, 10, 100000, 100000,
                                   100000, 100000, 1};
    struct visited visited = {.stop_at = 0};
    struct temp temp;
    char *text = NULL;
    size_t len = 0;

    temp_make(&temp);
    for (size_t i = 0; i < COUNT(sizes); i++)
        append_record(&text, &len, sizes[i], (unsigned)i);
    put(&temp, 12345, text, len);
    is_int(scan(&temp, 0, UINT64_MAX, &visited), 0, "lines longer than the read buffer");
    is_int(visited.lines, COUNT(sizes), "are all visited");
    is_int(visited.damaged, 0, "and whole");
    is_int(visited.bytes, len, "byte for byte");

    visited = (struct visited){.stop_at = 0};
    is_int(scan(&temp, 0, 12345 + len - 1, &visited), 0, "all but the last byte");
    is_int(visited.lines, COUNT(sizes) - 1, "is all but the last line");
    free(text);

    /* Every line ends somewhere else in the buffer. */
    text = NULL;
    len = 0;
    for (unsigned i = 0; i < 3000; i++)
        append_record(&text, &len, i % 397, i);
    put(&temp, 12345, text, len);
    visited = (struct visited){.stop_at = 0};
    is_int(scan(&temp, 0, UINT64_MAX, &visited), 0, "many lines, over several buffers");
    ok(visited.lines == 3000 && visited.damaged == 0 && visited.bytes == len, "are whole");
    free(text);
    temp_drop(&temp);
}

/* max_body may be 64 MiB; with line breaks in it the body stands in its record twice. */
static void longest_line(void)
{
    enum { BODY = 64 * 1024 * 1024 };
    struct visited visited = {.stop_at = 0};
    struct event event = {.id = "msg_big", .source = "/w", .type = "t", .time = 1,
                          .body_len = BODY, .form = EVENT_JSON_LINES};
    struct temp temp;
    char *body = malloc(BODY);
    size_t len;

    temp_make(&temp);
    memset(body, '\n', BODY);
    body[0] = '1';
    event.body = body;
    char *line = record_encode(&event, &len);
    if (line == NULL)
        temp_die("record of 64 MiB");
    put(&temp, 0, line, len);
    free(body);
    free(line);
    is_int(scan(&temp, 0, UINT64_MAX, &visited), 0, "the longest record there can be is read");
    ok(visited.lines == 1 && visited.damaged == 0, "and whole");
    temp_drop(&temp);
}

/* A hole of zeros larger than any record does not fill the memory, nor hide what follows. */
static void endless_line(void)
{
    enum { HOLE = 200 * 1024 * 1024 };
    struct visited visited = {.stop_at = 0};
    struct temp temp;
    char text[3 * LINE + 1];

    temp_make(&temp);
    three_lines(&temp, text);
    const int fd = openat(temp.dir, "00000000000000000600.ndjson", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || ftruncate(fd, HOLE) < 0
        || pwrite(fd, text, LINE, HOLE) != LINE || close(fd) < 0)
        temp_die("segment");
    is_int(scan(&temp, 0, UINT64_MAX, &visited), 0, "more zeros than a record has bytes");
    ok(strstr(visited.text, A ", " B ", " C ", 900+") == visited.text, "come behind whole lines");
    is_int(visited.damaged, visited.lines - 4, "are damage");
    ok(visited.lines > 4 && visited.bytes == 600 + HOLE + LINE, "of so many bytes");
    (void)snprintf(text, sizeof(text), ", %d+300 A", 600 + HOLE);
    ok(strstr(visited.text, text) != NULL, "and hide no whole line behind them");
    temp_drop(&temp);
}

static void find(void)
{
    static const struct {
        const char *what, *id;
        uint64_t from, to;
        int found;
        uint64_t start;
    } table[] = {
        {"the first", "A", 0, UINT64_MAX, 1, 0},
        {"one in a later segment", "C", 0, UINT64_MAX, 1, 600},
        {"one from where it begins to where it ends", "B", 300, 600, 1, 300},
        {"one that ends a byte later", "B", 300, 599, 0, 0},
        {"one before from", "A", 300, UINT64_MAX, 0, 0},
        {"an unknown one", "D", 0, UINT64_MAX, 0, 0},
        {"the beginning of one", "", 0, UINT64_MAX, 0, 0},
        {"one and more", "A\"", 0, UINT64_MAX, 0, 0},
    };
    struct temp temp;
    char text[3 * LINE + 1];
    uint64_t start, end;

    temp_make(&temp);
    three_lines(&temp, text);
    for (size_t i = 0; i < COUNT(table); i++) {
        start = end = 1;
        is_int(segment_find(temp.dir, temp.path, table[i].from, table[i].to, table[i].id, &start,
                            &end),
               table[i].found, "find %s", table[i].what);
        if (table[i].found > 0)
            ok(start == table[i].start && end == start + LINE, "its extent: %s", table[i].what);
    }
    text[LINE + 100] ^= 1;
    put(&temp, 0, text, 2 * LINE);
    is_int(segment_find(temp.dir, temp.path, 0, UINT64_MAX, "B", &start, &end), 0,
           "a damaged line is not found");
    temp_drop(&temp);
}

static void holding(void)
{
    struct temp temp;
    char text[3 * LINE + 1];
    uint64_t start = 1;

    temp_make(&temp);
    errno = 0;
    is_int(segment_holding(temp.dir, temp.path, 0, &start), -1, "no segment holds anything");
    is_int(errno, ENOENT, "and errno says so");
    is_int(temp_said("no segment of '"), 1, "and so does a message");

    three_lines(&temp, text);
    static const struct {
        uint64_t position, start;
    } table[] = {{0, 0}, {1, 0}, {599, 0}, {600, 600}, {601, 600}, {UINT64_MAX, 600}};
    for (size_t i = 0; i < COUNT(table); i++) {
        start = 1;
        ok(segment_holding(temp.dir, temp.path, table[i].position, &start) == 0
               && start == table[i].start,
           "position %ju is held by %ju", (uintmax_t)table[i].position,
           (uintmax_t)table[i].start);
    }
    temp_remove(temp.dir, "00000000000000000000.ndjson");
    is_int(segment_holding(temp.dir, temp.path, 599, &start), -1, "a purged position is not held");
    temp_drop(&temp);
}

static uint64_t written_from, written_to;

static int watch_writes(const struct io_call *call)
{
    uint64_t at = (uint64_t)call->offset;

    if (call->op != IO_WRITE || call->done)
        return 0;
    written_from = at < written_from ? at : written_from;
    for (int i = 0; i < call->data_count; i++)
        at += call->data[i].iov_len;
    written_to = at > written_to ? at : written_to;
    return 0;
}

static int rewrite_bytes(int fd, uint64_t from, uint64_t to)
{
    const struct segfile segment = {.fd = fd, .path = "test"};

    return segfile_rewrite(&segment, from, to);
}

static void rewrite(void)
{
    enum { SIZE = 700000 };
    struct temp temp;
    char *text = malloc(SIZE);
    size_t len = 0;

    temp_make(&temp);
    for (size_t i = 0; i < SIZE; i++)
        text[i] = (char)(i * 7 ^ i >> 9);
    temp_put(temp.dir, "file", text, SIZE);
    const int fd = openat(temp.dir, "file", O_RDWR | O_CLOEXEC);

    written_from = UINT64_MAX;
    written_to = 0;
    io_seam = watch_writes;
    is_int(rewrite_bytes(fd, 1, SIZE - 1), 0, "bytes are written over themselves");
    io_seam = NULL;
    ok(written_from == 1 && written_to == SIZE - 1, "all of them and no others");
    is_int(rewrite_bytes(fd, 5, 5), 0, "none, too");
    char *after = temp_get(temp.dir, "file", &len);
    is_mem(after, len, text, SIZE, "and stay what they were");
    free(after);

    errno = 0;
    is_int(rewrite_bytes(fd, SIZE - 10, SIZE + 10), -1, "bytes behind the end cannot be");
    ok(errno != 0, "and errno says something");
    is_int(temp_size(temp.dir, "file"), SIZE, "nor are they added");

    fault_clear();
    fault_set(IO_WRITE, 1, 1, EIO);
    is_int(rewrite_bytes(fd, 0, SIZE), -1, "a write fails");
    is_int(errno, EIO, "and its errno is told");
    io_seam = NULL;
    close(fd);
    free(text);
    temp_drop(&temp);
}

static void failures(void)
{
    struct visited visited = {.stop_at = 0};
    struct segment_list list;
    struct temp temp;
    char text[3 * LINE + 1];
    int lied = 0;

    temp_make(&temp);
    three_lines(&temp, text);
    const int open_before = temp_descriptors();
    for (int i = 0; i < 3; i++) { /* the directory, the first segment, the second */
        fault_clear();
        fault_set(IO_OPEN, i, 1, EMFILE);
        errno = 0;
        lied += scan(&temp, 0, UINT64_MAX, &visited) != -1 || errno != EMFILE;
    }
    is_int(lied, 0, "a file that cannot be opened ends the scan, whichever");
    is_int(temp_said("Too many open files"), 3, "and each is told of once");
    fault_clear();
    fault_set(IO_OPEN, 0, 1, EACCES);
    is_int(segment_list_read(&list, temp.dir, temp.path), -1, "nor can the directory be listed");
    is_int(errno, EACCES, "and errno says why");
    io_seam = NULL;

    temp_remove(temp.dir, "00000000000000000000.ndjson");
    if (mkdirat(temp.dir, "00000000000000000000.ndjson", 0750) < 0)
        temp_die("mkdir");
    temp_hear();
    is_int(scan(&temp, 0, UINT64_MAX, &visited), -1, "a segment that is a directory ends it");
    is_int(errno, EISDIR, "and errno says why");
    is_int(temp_said("cannot read '"), 1, "and so does a message, once");
    is_int(temp_descriptors(), open_before, "no descriptor is left open");
    temp_drop(&temp);
}

int main(void)
{
    temp_start();
    names();
    lists();
    bounds();
    stops();
    segment_ends();
    damaged_lines();
    torn_ends();
    long_lines();
    longest_line();
    endless_line();
    find();
    holding();
    rewrite();
    failures();
    return done_testing();
}
