/* SPDX-License-Identifier: ISC */
/*
 * A hostile spool: the bytes are a segment that a crash left. \x1e parts them into several. The
 * readers agree on what it holds, repair is through after one pass, and what proved itself before
 * proves itself behind it.
 */
#include "fuzz.h"

#include "eventlog.h"
#include "reader.h"
#include "repair.h"
#include "segment.h"

struct tally {
    unsigned lines, damaged;
    uint64_t bytes, sum; /* of the lines that prove themselves */
};

static void add(struct tally *tally, const struct segment_line *line)
{
    tally->lines++;
    tally->damaged += line->damaged && !reader_blank(line);
    if (line->damaged)
        return;
    tally->bytes += line->len;
    for (size_t i = 0; i < line->len; i++)
        tally->sum = tally->sum * 31 + (unsigned char)line->text[i];
}

static int visit(void *context, const struct segment_line *line)
{
    add(context, line);
    return 0;
}

static struct tally read_all(int log)
{
    struct tally scanned = {0}, read = {0};
    struct segment_line line;
    int more;

    FUZZ_CHECK(segment_scan(log, "log", 0, UINT64_MAX, visit, &scanned) == 0);
    struct reader *reader = reader_new(log, "log");
    FUZZ_CHECK(reader != NULL && reader_seek(reader, 0) == 0);
    while ((more = reader_next(reader, UINT64_MAX, &line)) > 0)
        add(&read, &line);
    FUZZ_CHECK(more == 0);
    reader_free(reader);
    FUZZ_CHECK(read.bytes == scanned.bytes && read.sum == scanned.sum);
    /* The reader also tells of a closed segment that ends within a line. */
    FUZZ_CHECK(read.lines >= scanned.lines && read.damaged >= scanned.damaged);
    return scanned;
}

static void write_segments(int spool, const uint8_t *data, size_t size)
{
    uint64_t start = 0;
    const char *part;
    size_t len;

    FUZZ_CHECK(mkdirat(spool, "log", 0700) == 0);
    while (fuzz_part(&data, &size, &part, &len)) {
        char name[SEGMENT_NAME_SIZE], path[64];
        segment_name(name, start);
        snprintf(path, sizeof(path), "log/%s", name);
        const int fd = openat(spool, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        FUZZ_CHECK(fd >= 0 && write(fd, part, len) == (ssize_t)len);
        close(fd);
        start += len + (len == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t end, again;
    const char *path;

    const int spool = fuzz_directory();
    write_segments(spool, data, size);
    struct eventlog *log = eventlog_open(spool, "spool");
    FUZZ_CHECK(log != NULL);
    const int dir = eventlog_directory(log, &path);
    const struct tally before = read_all(dir);
    FUZZ_CHECK(repair_log(log, 0, &end) == 0);
    const struct tally after = read_all(dir);
    FUZZ_CHECK(after.bytes == before.bytes && after.sum == before.sum && after.damaged == 0);
    FUZZ_CHECK(repair_log(log, 0, &again) == 0 && again == end);
    const struct tally once_more = read_all(dir);
    FUZZ_CHECK(once_more.lines == after.lines && once_more.sum == after.sum);
    eventlog_close(log);
    return 0;
}
