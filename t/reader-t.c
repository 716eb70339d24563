/* SPDX-License-Identifier: ISC */
/* The reader: every line of a log once, whatever its segments look like, and no damage unseen. */
#include "autoconf.h"

#include "reader.h"

#include "tap.h"
#include "temp.h"

enum { LINES = 64 };

static struct temp temp;
static struct reader *reader;

/* The log as it should be read: lines and where they begin. */
static struct {
    char *text[LINES];
    size_t len[LINES];
    uint64_t position[LINES];
    int count;
    uint64_t end;
} want;

static void begin(void)
{
    temp_make(&temp);
    reader = reader_new(temp.dir, temp.path);
    want.count = 0;
    want.end = 0;
}

static void end(void)
{
    for (int i = 0; i < want.count; i++)
        free(want.text[i]);
    reader_free(reader);
    temp_drop(&temp);
}

/* Another line of the log, with a body of so many bytes. */
static const char *make(size_t body_len, size_t *len)
{
    char id[16], *body = malloc(body_len + 3);
    const int i = want.count++;

    snprintf(id, sizeof(id), "msg_%d", i);
    body[0] = '"';
    memset(body + 1, 'a' + i % 26, body_len);
    strcpy(body + 1 + body_len, "\"");
    want.text[i] = temp_line(id, body, &want.len[i]);
    want.position[i] = want.end;
    want.end += want.len[i];
    free(body);
    *len = want.len[i];
    return want.text[i];
}

/* Adds bytes to the segment that begins there. */
static void add(uint64_t start, const char *bytes, size_t len)
{
    char name[SEGMENT_NAME_SIZE];

    segment_name(name, start);
    const int fd = openat(temp.dir, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
        temp_die(name);
    close(fd);
}

static void add_line(uint64_t start, size_t body_len)
{
    size_t len;
    const char *line = make(body_len, &len);

    add(start, line, len);
}

/* Reads up to `to`: are the lines from..behind of the log what comes, and nothing else? */
static void reads(uint64_t to, int from, int behind, const char *what)
{
    struct segment_line line;
    int result, i = from, wrong = 0;

    while ((result = reader_next(reader, to, &line)) > 0) {
        uint64_t start;
        char *there = malloc(line.len);
        const int fd = reader_descriptor(reader, &start);
        wrong += line.damaged || i >= behind || line.position != want.position[i]
              || line.len != want.len[i] || memcmp(line.text, want.text[i], line.len) != 0
              || pread(fd, there, line.len, (off_t)(line.position - start)) != (ssize_t)line.len
              || memcmp(there, line.text, line.len) != 0;
        free(there);
        i++;
    }
    ok(result == 0 && i == behind && wrong == 0, "%s: lines %d to %d", what, from, behind - 1);
    if (result != 0 || i != behind || wrong != 0)
        diag("result %d, at line %d, %d wrong", result, i, wrong);
}

static void damage(uint64_t to, uint64_t position, size_t len, const char *what)
{
    struct segment_line line;

    is_int(reader_next(reader, to, &line), 1, "%s: something is read", what);
    ok(line.damaged && line.position == position && line.len == len,
       "%s: as damage, with its extent", what);
    if (!line.damaged || line.position != position || line.len != len)
        diag("%s at %ju, %zu bytes", line.damaged ? "damage" : "line", (uintmax_t)line.position,
             line.len);
}

/* ---- */

static void follows(void)
{
    begin();
    reads(UINT64_MAX, 0, 0, "a log without segments");
    add_line(0, 100);
    add_line(0, 200);
    reads(want.end, 0, 2, "one segment");
    reads(want.end, 2, 2, "at its end");
    add_line(0, 300);
    reads(want.position[2], 2, 2, "what is not asked for");
    reads(want.end - 1, 2, 2, "a line whose end is not");
    reads(want.end, 2, 3, "one more line");

    /* Rotation, while it reads; the old file holds more, which was given up. */
    const uint64_t second = want.end;
    add(0, "{\"given\":\"up\"}\n", 15);
    add_line(second, 10);
    reads(want.end, 3, 4, "the next segment");
    const uint64_t third = want.end;
    add_line(third, 20);
    add_line(third, 30);
    const uint64_t fourth = want.end;
    add_line(fourth, 40);
    reads(want.end, 4, 7, "two at once");
    is_int(reader_missing(reader), 0, "nothing was missing");

    is_int(reader_seek(reader, want.position[6]), 0, "it goes back");
    reads(want.end, 6, 7, "in the buffer");
    is_int(reader_seek(reader, 0), 0, "to the beginning");
    reads(want.end, 0, 7, "all of it");
    is_int(reader_seek(reader, want.position[1]), 0, "to the second line");
    reads(want.position[5], 1, 5, "up to a position in another segment");
    is_int(reader_position(reader), want.position[5], "where it stands then");
    reads(want.end, 5, 7, "and on");
    is_int(reader_seek(reader, want.end + 1000), 0, "beyond the end");
    reads(want.end, 7, 7, "there is nothing");
    end();
}

/* Lines that do not fit the buffer, or end where it ends. */
static void long_lines(void)
{
    size_t len;
    const char *line;

    begin();
    line = make(0, &len);
    const size_t frame = len;
    add(0, line, len);
    const size_t room = 256 * 1024;
    add_line(0, room - 2 * frame);     /* fills the buffer to its last byte */
    add_line(0, room - frame);         /* is as long as the buffer */
    add_line(0, room - frame + 1);     /* one byte longer */
    add_line(0, 5 * room);
    for (size_t i = 0; i < 20; i++)
        add_line(0, room / 3 + i);
    add_line(want.end, 3 * room);
    reads(want.end, 0, want.count, "long lines");
    is_int(reader_seek(reader, want.position[3]), 0, "back to one");
    reads(want.end, 3, want.count, "long lines again");
    end();
}

/* Segments that are removed, as by purge, before and while it reads. */
static void gaps(void)
{
    char name[SEGMENT_NAME_SIZE];
    uint64_t starts[6];

    begin();
    for (int i = 0; i < 6; i++) {
        starts[i] = want.end;
        add_line(starts[i], 50);
        add_line(starts[i], 60);
    }
    segment_name(name, starts[0]);
    temp_remove(temp.dir, name);
    is_int(reader_seek(reader, 0), 0, "to before the first segment");
    struct segment_line line;
    ok(reader_next(reader, want.end, &line) == 1 && line.position == starts[1], "it begins there");
    is_int(reader_missing(reader), starts[1], "and says what was not there");
    is_int(reader_missing(reader), 0, "once");
    segment_name(name, starts[2]); /* after it was listed */
    temp_remove(temp.dir, name);
    segment_name(name, starts[3]);
    temp_remove(temp.dir, name);
    ok(reader_next(reader, want.end, &line) == 1 && line.position == want.position[3],
       "to the end of a segment");
    reads(want.end, 8, 12, "behind two that were removed since");
    is_int(reader_missing(reader), starts[4] - starts[2], "which it says");

    fault_clear();
    is_int(reader_seek(reader, 0), 0, "once more");
    fault_set(IO_OPEN, 0, 1, EMFILE);
    is_int(reader_next(reader, want.end, &line), -1, "a segment cannot be opened");
    is_int(errno, EMFILE, "errno says why");
    is_int(temp_said("cannot open"), 1, "and so does a message");
    fault_clear();
    reads(starts[2], 2, 4, "the next time it can");
    end();
}

/* Files that are shorter than the log says. */
static void short_files(void)
{
    char name[SEGMENT_NAME_SIZE];
    struct segment_line line;

    begin();
    add_line(0, 50);
    add_line(0, 60);
    const uint64_t second = want.end;
    add_line(second, 70);
    segment_name(name, 0);
    const int fd = openat(temp.dir, name, O_WRONLY | O_CLOEXEC);
    if (ftruncate(fd, (off_t)want.position[1] + 7) < 0)
        temp_die(name);
    reads(want.position[1], 0, 1, "a short segment");
    damage(want.end, want.position[1], 7, "the rest of a line at its end");
    reads(want.end, 2, 3, "the next segment");
    is_int(reader_missing(reader), second - want.position[1] - 7, "what is missing is told");
    reads(want.end + 100, 3, 3, "more than there is");
    is_int(reader_position(reader), want.end, "it stands at the end of what there is");
    is_int(reader_missing(reader), 0, "which may still come");

    /* The newline is gone, but for the next segment's beginning it could still be written. */
    if (ftruncate(fd, (off_t)want.position[1]) < 0
        || pwrite(fd, want.text[1], want.len[1], (off_t)want.position[1]) != (ssize_t)want.len[1]
        || pwrite(fd, "?", 1, (off_t)second - 1) != 1)
        temp_die(name);
    is_int(reader_seek(reader, 0), 0, "again");
    reads(want.position[1], 0, 1, "a segment");
    damage(second, want.position[1], want.len[1], "a last line that has lost its newline");
    is_int(reader_next(reader, second, &line), 0, "nothing more");
    close(fd);
    end();
}

static void damaged_lines(void)
{
    size_t len;

    begin();
    add_line(0, 100);
    const char *line = make(100, &len);
    char *altered = strdup(line);
    altered[len / 2] ^= 1;
    add(0, altered, len);
    add_line(0, 100);
    reads(want.position[1], 0, 1, "before damage");
    damage(want.end, want.position[1], len, "an altered line");
    reads(want.end, 2, 3, "behind it");

    altered[len - 1] = '?'; /* no newline: the next line begins in the same one */
    const uint64_t position = want.end;
    want.end += len;
    add(0, altered, len);
    add_line(0, 100);
    damage(want.end, position, len, "an altered line without its newline");
    reads(want.end, 3, 4, "the whole one behind it, in the same line");

    memset(altered, ' ', len - 1);
    altered[len - 1] = '\n';
    add(0, altered, len);
    want.end += len;
    struct segment_line blank;
    is_int(reader_next(reader, want.end, &blank), 1, "a line of blanks");
    ok(blank.damaged && reader_blank(&blank), "is damage that was moved aside");
    add(0, "{}\n\n", 4);
    want.end += 4;
    is_int(reader_next(reader, want.end, &blank), 1, "a line of JSON that is no record");
    ok(blank.damaged && !reader_blank(&blank) && blank.len == 3, "is damage");
    is_int(reader_next(reader, want.end, &blank), 1, "an empty line");
    ok(blank.damaged && reader_blank(&blank) && blank.len == 1, "is blank");
    reads(want.end, 4, 4, "and that is all");
    free(altered);
    end();
}

int main(void)
{
    temp_start();
    follows();
    long_lines();
    gaps();
    short_files();
    damaged_lines();
    return done_testing();
}
