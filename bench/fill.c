/* SPDX-License-Identifier: ISC */
/*
 * fill: makes a spool with many events in it, as fast as the disk takes them and without a sync,
 * for the benchmarks of what reads spools.
 *
 *   fill DIRECTORY EVENTS [BODY_BYTES] [SEGMENT_SIZE] [OPTION...]
 *     --entries    also the entries of the ids in locks/ (else the spool only claims to have them)
 *     --age TIME   the last event arrived so long ago (default 0s); so old are the entries, too
 *     --span TIME  and the first one so much earlier (default 1d)
 *     --types N    so many types in turn (default 4)
 *
 * DIRECTORY becomes the spool and must not hold a log; its parent must be there. What comes out is
 * what hookspoold would have left after a clean end and a boot. Sizes take K M G, times s m h d.
 */
#include "autoconf.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lockdir.h"
#include "record.h"
#include "segment.h"

enum { DAY = 24 * 60 * 60, WRITE_BYTES = 1 << 20, ID_SIZE = 40, BODY_MAX = 1 << 26 };

struct fill {
    const char *path;
    uint64_t events, body_bytes, segment_size;
    uint64_t age, span, types;
    bool entries;
    int dir, log_dir;
    struct lockdir *locks;
    FILE *segment;
    uint64_t start, end; /* of the open segment; end is also that of the log */
    char *body;
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "fill: cannot %s: %s\n", what, strerror(errno));
    exit(1);
}

static _Noreturn void usage(void)
{
    fputs("usage: fill DIRECTORY EVENTS [BODY_BYTES] [SEGMENT_SIZE]\n"
          "            [--entries] [--age TIME] [--span TIME] [--types N]\n",
          stderr);
    exit(64);
}

/* A number, and perhaps the letter of a unit. */
static uint64_t number(const char *text)
{
    static const char letters[] = "smhdKMG";
    static const uint64_t factors[] = {1, 60, 3600, DAY, 1 << 10, 1 << 20, 1 << 30};
    char *end;

    errno = 0;
    const uint64_t value = strtoull(text, &end, 10);
    const char *letter = *end == '\0' ? NULL : strchr(letters, *end);
    if (errno != 0 || text[0] < '0' || text[0] > '9'
        || (*end != '\0' && (letter == NULL || end[1] != '\0')))
        usage();
    return letter == NULL ? value : value * factors[letter - letters];
}

static void parse(struct fill *fill, int argc, char **argv)
{
    static const struct option options[] = {{"entries", no_argument, NULL, 'e'},
                                            {"age", required_argument, NULL, 'a'},
                                            {"span", required_argument, NULL, 's'},
                                            {"types", required_argument, NULL, 't'},
                                            {0}};
    int code;

    while ((code = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (code) {
        case 'e': fill->entries = true; break;
        case 'a': fill->age = number(optarg); break;
        case 's': fill->span = number(optarg); break;
        case 't': fill->types = number(optarg); break;
        default: usage();
        }
    }
    const int count = argc - optind;
    if (count < 2 || count > 4)
        usage();
    fill->path = argv[optind];
    fill->events = number(argv[optind + 1]);
    if (count > 2)
        fill->body_bytes = number(argv[optind + 2]);
    if (count > 3)
        fill->segment_size = number(argv[optind + 3]);
    if (fill->types == 0 || fill->body_bytes > BODY_MAX)
        usage();
}

static void open_spool(struct fill *fill)
{
    if (mkdir(fill->path, 0750) < 0 && errno != EEXIST)
        die("make the directory");
    fill->dir = open(fill->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fill->dir < 0 || mkdirat(fill->dir, "log", 0750) < 0)
        die("make the log");
    fill->log_dir = openat(fill->dir, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fill->locks = lockdir_open(fill->dir, fill->path);
    if (fill->log_dir < 0 || fill->locks == NULL)
        die("open the spool");
}

static void close_segment(struct fill *fill)
{
    if (fill->segment != NULL && fclose(fill->segment) != 0)
        die("write a segment");
    fill->segment = NULL;
}

static void open_segment(struct fill *fill)
{
    char name[SEGMENT_NAME_SIZE];

    close_segment(fill);
    segment_name(name, fill->end);
    const int fd = openat(fill->log_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    fill->segment = fd < 0 ? NULL : fdopen(fd, "w");
    if (fill->segment == NULL || setvbuf(fill->segment, NULL, _IOFBF, WRITE_BYTES) != 0)
        die("open a segment");
    fill->start = fill->end;
}

/* Strict JSON of body_bytes, or a little more when that is very few. */
static size_t make_body(struct fill *fill, uint64_t which, const char *type)
{
    const int head = snprintf(fill->body, 256,
                              "{\"type\":\"%s\",\"data\":{\"number\":%" PRIu64 ",\"padding\":\"",
                              type, which);
    size_t len = (size_t)head;

    if (fill->body_bytes > len + 3) {
        memset(fill->body + len, 'x', fill->body_bytes - len - 3);
        len = fill->body_bytes - 3;
    }
    memcpy(fill->body + len, "\"}}", 3);
    return len + 3;
}

static void put(struct fill *fill, uint64_t which, time_t received)
{
    static const char *const names[] = {"phone_call.ended", "phone_call.started",
                                        "message.received", "contact.updated"};
    char id[ID_SIZE], type[64];
    size_t len;

    snprintf(id, sizeof(id), "msg_%027" PRIu64, which);
    if (which % fill->types < 4)
        snprintf(type, sizeof(type), "%s", names[which % fill->types]);
    else
        snprintf(type, sizeof(type), "type.%" PRIu64, which % fill->types);
    struct event event = {.id = id, .source = "/webhooks/calls", .time = received - 1,
                          .received = {received, (long)(which % 1000) * 1000},
                          .body = fill->body, .form = EVENT_JSON};
    strcpy(event.type, type);
    event.body_len = make_body(fill, which, type);
    char *line = record_encode(&event, &len);
    if (line == NULL)
        die("make a record");
    if (fill->segment == NULL
        || (fill->end > fill->start && fill->end - fill->start + len > fill->segment_size))
        open_segment(fill);
    if (fwrite(line, 1, len, fill->segment) != len)
        die("write a segment");
    fill->end += len;
    free(line);
    if (fill->entries && lockdir_enter(fill->locks, id) < 0)
        die("make an entry");
}

/* The files that the entries are links to get the name of the day that was asked for. */
static void rename_days(const struct fill *fill)
{
    char from[64], to[64], day[16];
    const time_t then = time(NULL) - (time_t)fill->age;
    struct tm tm;

    gmtime_r(&then, &tm);
    strftime(day, sizeof(day), "%Y-%m-%d", &tm);
    for (time_t made = time(NULL) - DAY; made <= time(NULL); made += DAY) {
        for (unsigned i = 0, missing = 0; missing == 0; i++) {
            char suffix[16] = "";
            gmtime_r(&made, &tm);
            const size_t len = strftime(from, sizeof(from), "locks/days/%Y-%m-%d", &tm);
            if (i > 0)
                snprintf(suffix, sizeof(suffix), ".%u", i);
            snprintf(from + len, sizeof(from) - len, "%s", suffix);
            snprintf(to, sizeof(to), "locks/days/%s%s", day, suffix);
            missing = faccessat(fill->dir, from, F_OK, 0) < 0;
            if (!missing && renameat(fill->dir, from, fill->dir, to) < 0)
                die("rename a day");
        }
    }
}

int main(int argc, char **argv)
{
    struct fill fill = {.body_bytes = 1500, .segment_size = 64 << 20, .span = DAY, .types = 4};

    parse(&fill, argc, argv);
    fill.body = malloc((size_t)fill.body_bytes + 512);
    if (fill.body == NULL)
        die("begin");
    open_spool(&fill);
    const double first = (double)time(NULL) - (double)fill.age - (double)fill.span;
    for (uint64_t i = 0; i < fill.events; i++) {
        const double done = (double)(i + 1) / (double)fill.events;
        put(&fill, i, (time_t)(first + (double)fill.span * done));
    }
    if (fill.segment == NULL)
        open_segment(&fill);
    close_segment(&fill);
    if (lockdir_set_settled(fill.locks, fill.end) < 0)
        die("write locks/settled");
    lockdir_close(fill.locks);
    if (fill.entries && fill.age > 0)
        rename_days(&fill);
    printf("%" PRIu64 " events, %" PRIu64 " bytes\n", fill.events, fill.end);
    free(fill.body);
    return 0;
}
