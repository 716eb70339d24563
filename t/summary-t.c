/* SPDX-License-Identifier: ISC */
/* Summaries of segments: what they count, when they are not believed, and who writes them. */
#include "autoconf.h"

#include "summary.h"

#include "filter.h"
#include "idset.h"
#include "reader.h"
#include "recap.h"
#include "sumfile.h"
#include "types.h"

#include "tap.h"
#include "temp.h"

#include <sys/stat.h>

enum { START = 1764000000 };

/* ---- what they are made of */

static void bounded_types(void)
{
    struct types types;
    char name[32];
    int wrong = 0;

    is_int(types_init(&types, 255), 0, "room for 255 types");
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 1000; i++) {
            const int len = snprintf(name, sizeof(name), "type.%d", i);
            wrong += types_number(&types, name, (size_t)len) != (i < 255 ? i : 255);
        }
    }
    is_int(wrong, 0, "each has its number, the rest have one together");
    is_int(types_number(&types, "type.7x", 6), 7, "names need not end in NUL");
    is_int(types_number(&types, name, 129), 255, "what is too long for a type is of the rest");
    types_release(&types);
}

static uint64_t hash_of(int number)
{
    char id[32];
    const int len = snprintf(id, sizeof(id), "msg_%d", number);

    return record_id_hash(id, (size_t)len);
}

static void sets_of_ids(void)
{
    enum { IDS = 20000 };
    struct idset set;
    int denied = 0, perhaps = 0;

    is_int(idset_init(&set, 1000000), 0, "a set for a million ids");
    for (int i = 0; i < IDS; i++)
        idset_add(&set, hash_of(i));
    const size_t blocks = set.blocks;
    idset_fold(&set, IDS);
    ok(set.blocks < blocks && set.blocks * IDSET_BLOCK * 8 >= IDS * 10
           && set.blocks * IDSET_BLOCK * 8 < IDS * 20, "is folded to 10 to 20 bits an id");
    for (int i = 0; i < IDS; i++)
        denied += !idset_may_hold(&set, hash_of(i));
    for (int i = IDS; i < 2 * IDS; i++)
        perhaps += idset_may_hold(&set, hash_of(i));
    is_int(denied, 0, "denies none that it holds");
    ok(perhaps < IDS / 50, "and says perhaps to few others: %d of %d", perhaps, IDS);
    idset_release(&set);
    is_int(idset_init(&set, 0), 0, "a set for none");
    ok(!idset_may_hold(&set, hash_of(1)), "holds none");
    idset_release(&set);
}

/* ---- a log to be summarised */

struct put {
    const struct temp *temp;
    uint64_t start, end; /* of the segment at hand */
    FILE *file;
};

static void next_segment(struct put *put)
{
    char name[SEGMENT_NAME_SIZE], path[sizeof(put->temp->path) + SEGMENT_NAME_SIZE + 1];

    if (put->file != NULL && fclose(put->file) != 0)
        temp_die("segment");
    put->start = put->end;
    segment_name(name, put->start);
    snprintf(path, sizeof(path), "%s/%s", put->temp->path, name);
    put->file = fopen(path, "w");
    if (put->file == NULL)
        temp_die(path);
}

static void put_text(struct put *put, const char *text, size_t len)
{
    if (fwrite(text, 1, len, put->file) != len)
        temp_die("segment");
    put->end += len;
}

/* An event with a body of so many bytes. */
static void put_event(struct put *put, int number, const char *type, int64_t received, size_t size)
{
    char id[32];
    char *body = malloc(size + 3);
    size_t len;

    snprintf(id, sizeof(id), "msg_%d", number);
    memset(body, 'x', size + 2);
    body[0] = body[size + 1] = '"';
    struct event event = {.id = id, .source = "/webhooks/test", .time = received,
                          .received = {received, 0}, .body = body, .body_len = size + 2,
                          .form = EVENT_JSON};
    strcpy(event.type, type);
    char *line = record_encode(&event, &len);
    put_text(put, line, len);
    free(line);
    free(body);
}

/* Three closed segments and an active one, with damage and blanks among them. */
static uint64_t put_log(const struct temp *temp, uint64_t starts[4])
{
    static const char *const names[] = {"call.ended", "call.started", "message.received"};
    struct put put = {.temp = temp};
    int number = 0;

    for (int segment = 0; segment < 4; segment++) {
        next_segment(&put);
        starts[segment] = put.start;
        for (int i = 0; i < 300; i++) {
            const size_t size = segment == 1 ? 12000 : 100; /* 3.5 MB: several pieces */
            put_event(&put, number, names[number * 7 % 11 % 3], START + number * 13 % 5000, size);
            number++;
            if (i % 100 == 50)
                put_text(&put, "{\"specversion\":\"1.0\",\"id\":\"torn\n", 32);
            if (i % 100 == 60)
                put_text(&put, "                    \n", 21);
        }
    }
    fclose(put.file);
    return put.end;
}

/* What the lines of an extent say, counted one by one. */
struct naive {
    uint64_t events, bytes, damaged;
    int64_t first, last;
    uint64_t of_type[3];
};

static void count_naively(const struct temp *temp, uint64_t from, uint64_t to, struct naive *naive)
{
    struct reader *reader = reader_new(temp->dir, temp->path);
    struct segment_line line;

    *naive = (struct naive){.first = INT64_MAX, .last = INT64_MIN};
    (void)reader_seek(reader, from);
    while (reader_next(reader, to, &line) > 0) {
        naive->damaged += line.damaged && !reader_blank(&line);
        if (line.damaged)
            continue;
        const int64_t received = filter_received(&line.view);
        naive->events++;
        naive->bytes += line.len;
        naive->first = received < naive->first ? received : naive->first;
        naive->last = received > naive->last ? received : naive->last;
        naive->of_type[line.view.type[0] == 'm' ? 2 : line.view.type[5] == 's']++;
    }
    reader_free(reader);
}

static uint64_t of_type(const struct summary *summary, const char *name)
{
    for (uint32_t i = 0; i < summary->type_count; i++) {
        if (strcmp(summary->types[i].name, name) == 0)
            return summary->types[i].events;
    }
    return 0;
}

/* Do head and pieces of a summary say what the lines say? */
static int differences(const struct temp *temp, const struct summary *summary)
{
    struct naive naive;
    int wrong = 0;

    count_naively(temp, summary->from, summary->to, &naive);
    wrong += summary->events != naive.events || summary->bytes != naive.bytes
          || summary->damaged != naive.damaged || summary->first != naive.first
          || summary->last != naive.last;
    wrong += of_type(summary, "call.ended") != naive.of_type[0]
          || of_type(summary, "call.started") != naive.of_type[1]
          || of_type(summary, "message.received") != naive.of_type[2];
    uint64_t at = summary->from;
    for (uint32_t i = 0; i < summary->piece_count; i++) {
        const struct summary_piece *piece = &summary->pieces[i];
        uint64_t events = 0, bytes = 0;
        count_naively(temp, piece->from, piece->to, &naive);
        for (uint32_t j = 0; j < piece->rows; j++) {
            const struct summary_row *row = &summary->rows[piece->row + j];
            events += row->events;
            bytes += row->bytes;
        }
        wrong += piece->from != at || events != naive.events || piece->events != naive.events
              || bytes != naive.bytes || piece->damaged != naive.damaged
              || piece->first != naive.first || piece->last != naive.last;
        at = piece->to;
    }
    return wrong + (at != summary->to);
}

static void counts(void)
{
    struct summary summary;
    struct temp temp;
    uint64_t starts[4];

    temp_make(&temp);
    put_log(&temp, starts);
    for (int i = 0; i < 3; i++) {
        is_int(summary_make(&summary, temp.dir, temp.path, starts[i], starts[i + 1]), 0,
               "segment %d is summarised", i);
        is_int(differences(&temp, &summary), 0, "as its lines are");
        ok(i == 1 ? summary.piece_count == 4 : summary.piece_count == 1, "in %u pieces",
           summary.piece_count);
        is_int(summary.damaged, 3, "damage is counted, and blanks are not");
        summary_release(&summary);
    }
    temp_drop(&temp);
}

static void many_types(void)
{
    struct summary summary;
    struct temp temp;
    struct put put = {.temp = &temp};
    uint64_t events = 0;

    temp_make(&temp);
    next_segment(&put);
    for (int i = 0; i < 1000; i++) {
        char type[32];
        snprintf(type, sizeof(type), "hostile.%d", i);
        put_event(&put, i, type, START, 10);
    }
    const uint64_t end = put.end;
    next_segment(&put);
    fclose(put.file);
    is_int(summary_make(&summary, temp.dir, temp.path, 0, end), 0, "a thousand types");
    is_int(summary.type_count, SUMMARY_TYPES + 1, "take no more room than 256");
    is_str(summary.types[SUMMARY_TYPES].name, "", "the last of which is all the rest");
    is_int(summary.types[SUMMARY_TYPES].events, 745, "with their events");
    for (uint32_t i = 0; i < summary.type_count; i++)
        events += summary.types[i].events;
    is_int(events, 1000, "and none is lost");
    summary_release(&summary);
    temp_drop(&temp);
}

/* event.h lets none pass, but a line that proves itself may hold one all the same. */
static void long_type(void)
{
    struct summary summary;
    struct temp temp;
    struct put put = {.temp = &temp};
    char line[1024];

    temp_make(&temp);
    next_segment(&put);
    put_event(&put, 1, "call.ended", START, 10);
    const int len = snprintf(line, sizeof(line) - RECORD_SEAL,
                             "{\"specversion\":\"1.0\",\"id\":\"msg_2\",\"source\":\"/w\",\"type\":"
                             "\"%0*d\",\"time\":\"2025-11-24T16:00:00Z\",\"datacontenttype\":"
                             "\"application/json\",\"received\":\"2025-11-24T16:00:00.000000Z\","
                             "\"data\":{}", EVENT_TYPE_MAX + 1, 0);
    put_text(&put, line, record_seal(line, (size_t)len));
    const uint64_t end = put.end;
    next_segment(&put);
    fclose(put.file);
    is_int(summary_make(&summary, temp.dir, temp.path, 0, end), 0, "a type that is too long");
    is_int(summary.events, 2, "its event counts");
    is_int(summary.type_count, 2, "it takes a place behind the others");
    is_str(summary.types[1].name, "", "without a name");
    is_int(summary.types[1].events, 1, "with its event");
    summary_release(&summary);
    temp_drop(&temp);
}

/* What is in no line is damage: a torn end, or one that the disk has lost. */
static void lost_ends(void)
{
    for (int i = 0; i < 3; i++) {
        struct summary summary;
        struct temp temp;
        struct put put = {.temp = &temp};
        temp_make(&temp);
        next_segment(&put);
        put_event(&put, 1, "call.ended", START, 100);
        if (i == 1)
            put_text(&put, "torn", 4);
        put.end += i == 2 ? 500 : 0;
        const uint64_t end = put.end;
        next_segment(&put);
        fclose(put.file);
        is_int(summary_make(&summary, temp.dir, temp.path, 0, end), 0, "an end, %d", i);
        is_int(summary.events, 1, "with an event before it");
        is_int(summary.damaged, i > 0, "is damage if no line goes there");
        is_int(summary.pieces[summary.piece_count - 1].to, end, "and part of a piece");
        summary_release(&summary);
        temp_drop(&temp);
    }
    struct summary summary;
    struct temp temp;
    temp_make(&temp);
    is_int(summary_make(&summary, temp.dir, temp.path, 0, 500), 0, "a segment that is lost");
    is_int(summary.piece_count, 1, "is a piece");
    is_int(summary.damaged, 1, "of damage");
    summary_release(&summary);
    temp_drop(&temp);
}

/* ---- files */

static void name_of(char name[SUMFILE_NAME_SIZE], uint64_t start)
{
    sumfile_name(name, start);
}

/* Makes the summary of a segment and keeps it. */
static void keep(const struct temp *temp, uint64_t from, uint64_t to)
{
    struct summary summary;

    if (summary_make(&summary, temp->dir, temp->path, from, to) != 0)
        temp_die("summary");
    sumfile_write(&summary, temp->dir);
    summary_release(&summary);
}

static void round_trip(void)
{
    struct sumfile file;
    struct temp temp;
    uint64_t starts[4];
    char name[SUMFILE_NAME_SIZE];
    int denied = 0, perhaps = 0;

    temp_make(&temp);
    put_log(&temp, starts);
    is_int(sumfile_open(&file, temp.dir, starts[1], starts[2]), 0, "there is no file");
    keep(&temp, starts[1], starts[2]);
    name_of(name, starts[1]);
    ok(temp_size(temp.dir, name) > 0, "now there is: %s", name);
    is_int(sumfile_open(&file, temp.dir, starts[1], starts[2]), 1, "it is read");
    ok(file.summary.pieces == NULL && file.summary.ids.words == NULL, "its head alone");
    is_int(sumfile_pieces(&file), 1, "then its pieces");
    is_int(differences(&temp, &file.summary), 0, "which say what the lines say");
    is_int(sumfile_ids(&file), 1, "and its ids");
    for (int i = 300; i < 600; i++)
        denied += !idset_may_hold(&file.summary.ids, hash_of(i));
    for (int i = 10000; i < 11000; i++)
        perhaps += idset_may_hold(&file.summary.ids, hash_of(i));
    is_int(denied, 0, "none of which is denied");
    ok(perhaps < 50, "while others are: all but %d of 1000", perhaps);
    sumfile_close(&file);
    temp_drop(&temp);
}

/* How often a file that was changed is believed in any of its parts. */
static int believed(const struct temp *temp, uint64_t from, uint64_t to)
{
    struct sumfile file;
    int parts = 0;

    if (sumfile_open(&file, temp->dir, from, to) > 0)
        parts = 1 + sumfile_pieces(&file) + sumfile_ids(&file);
    sumfile_close(&file);
    return parts;
}

/* Changes bytes of a file in place, which is quicker than to write it anew. */
static void patch(const struct temp *temp, const char *name, const void *bytes, size_t len,
                  size_t at)
{
    const int fd = openat(temp->dir, name, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || pwrite(fd, bytes, len, (off_t)at) != (ssize_t)len || close(fd) < 0)
        temp_die(name);
}

static void distrusted(void)
{
    struct temp temp;
    uint64_t starts[4];
    char name[SUMFILE_NAME_SIZE];
    size_t len = 0;
    int wrong = 0;

    temp_make(&temp);
    put_log(&temp, starts);
    keep(&temp, starts[0], starts[1]);
    name_of(name, starts[0]);
    char *bytes = temp_get(temp.dir, name, &len);
    is_int(believed(&temp, starts[0], starts[1]), 3, "all three parts are believed");
    is_int(believed(&temp, starts[0], starts[1] - 1), 0, "for no other extent");
    is_int(believed(&temp, starts[1], starts[2]), 0, "nor for another segment");
    for (size_t i = 0; i < len; i++) {
        const char other = (char)~bytes[i];
        patch(&temp, name, &other, 1, i);
        wrong += believed(&temp, starts[0], starts[1]) == 3;
        patch(&temp, name, bytes + i, 1, i);
    }
    is_int(wrong, 0, "one byte changed, and a part of it is not");
    for (size_t i = 8; i < 100; i++) { /* numbers that ask for much memory */
        patch(&temp, name, "\xff\xff\xff\xff", 4, i);
        wrong += believed(&temp, starts[0], starts[1]) == 3;
        patch(&temp, name, bytes + i, 4, i);
    }
    is_int(wrong, 0, "nor are absurd sizes");
    for (size_t i = len - 1; i > 0; i--) {
        const int fd = openat(temp.dir, name, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || ftruncate(fd, (off_t)i) < 0 || close(fd) < 0)
            temp_die(name);
        wrong += believed(&temp, starts[0], starts[1]) != 0;
    }
    is_int(wrong, 0, "cut short, nothing of it is");
    free(bytes);
    is_int(temp_said(""), 0, "of all that nothing is said");
    temp_drop(&temp);
}

static void older(void)
{
    struct temp temp;
    uint64_t starts[4];
    char name[SUMFILE_NAME_SIZE], segment[SEGMENT_NAME_SIZE];
    struct stat st;

    temp_make(&temp);
    put_log(&temp, starts);
    keep(&temp, starts[0], starts[1]);
    name_of(name, starts[0]);
    segment_name(segment, starts[0]);
    if (fstatat(temp.dir, segment, &st, 0) < 0)
        temp_die(segment);
    struct timespec times[2] = {st.st_mtim, st.st_mtim};
    (void)utimensat(temp.dir, name, times, 0);
    is_int(believed(&temp, starts[0], starts[1]), 3, "as old as its segment it is believed");
    times[1].tv_sec += 1;
    (void)utimensat(temp.dir, segment, times, 0);
    is_int(believed(&temp, starts[0], starts[1]), 0, "but not when that was changed since");

    char elsewhere[SUMFILE_NAME_SIZE];
    name_of(elsewhere, starts[1]);
    if (symlinkat(name, temp.dir, elsewhere) < 0)
        temp_die(elsewhere);
    is_int(believed(&temp, starts[1], starts[2]), 0, "a link is not followed");
    (void)unlinkat(temp.dir, elsewhere, 0);
    (void)mkfifoat(temp.dir, elsewhere, 0600);
    is_int(believed(&temp, starts[1], starts[2]), 0, "nor is a pipe waited for");
    temp_drop(&temp);
}

static int is_summary;

static void note_summary(int dir, const char *name)
{
    (void)dir;
    is_summary += strstr(name, "summary") != NULL;
}

static int summaries(const struct temp *temp)
{
    is_summary = 0;
    (void)temp_names(temp->dir, ".", note_summary);
    return is_summary;
}

static void faults(void)
{
    static const struct {
        enum io_op op;
        int error;
    } table[] = {{IO_OPEN, EACCES}, {IO_WRITE, ENOSPC}, {IO_RENAME, EIO}};
    struct summary summary;
    struct temp temp;
    uint64_t starts[4];

    temp_make(&temp);
    put_log(&temp, starts);
    is_int(summary_make(&summary, temp.dir, temp.path, starts[0], starts[1]), 0, "a summary");
    for (size_t i = 0; i < COUNT(table); i++) {
        fault_clear();
        fault_set(table[i].op, 0, 1, table[i].error);
        sumfile_write(&summary, temp.dir);
        is_int(summaries(&temp), 0, "a failure leaves no file: %s", strerror(table[i].error));
    }
    fault_clear();
    is_int(temp_said(""), 0, "and is no matter");
    sumfile_write(&summary, temp.dir);
    is_int(summaries(&temp), 1, "the next time it is written");
    char segment[SEGMENT_NAME_SIZE];
    segment_name(segment, starts[0]);
    (void)unlinkat(temp.dir, segment, 0);
    sumfile_write(&summary, temp.dir);
    is_int(summaries(&temp), 0, "but not for a segment that was purged meanwhile");
    summary_release(&summary);
    temp_drop(&temp);
}

/* ---- while others read */

static int pass_by(void *context, const struct segment_line *line)
{
    recap_add(context, line);
    return 0;
}

static void recaps(void)
{
    struct temp temp;
    uint64_t starts[4];
    struct naive head;

    temp_make(&temp);
    const uint64_t end = put_log(&temp, starts);
    /* From the middle of the first segment on, where a repair had settled it. */
    struct segment_line line;
    struct reader *reader = reader_new(temp.dir, temp.path);
    (void)reader_seek(reader, 0);
    for (int i = 0; i < 100; i++)
        (void)reader_next(reader, end, &line);
    const uint64_t middle = reader_position(reader);
    reader_free(reader);
    const int before = temp_descriptors();
    struct recap *recap = recap_begin(temp.dir, temp.path, middle, end);
    is_int(segment_scan(temp.dir, temp.path, middle, end, pass_by, recap), 0, "a log is read");
    recap_end(recap, true);
    is_int(summaries(&temp), 3, "its closed segments have summaries, the active one has none");
    for (int i = 0; i < 3; i++) {
        struct sumfile file;
        is_int(sumfile_open(&file, temp.dir, starts[i], starts[i + 1]), 1, "summary %d", i);
        is_int(sumfile_pieces(&file), 1, "has pieces");
        is_int(differences(&temp, &file.summary), 0, "and says what the lines say");
        sumfile_close(&file);
    }
    is_int(temp_descriptors(), before, "no descriptor is left");
    count_naively(&temp, 0, middle, &head);
    ok(head.events > 90, "with the part that had not passed by");
    temp_drop(&temp);
}

static void half_recaps(void)
{
    struct temp temp;
    uint64_t starts[4];

    temp_make(&temp);
    const uint64_t end = put_log(&temp, starts);
    struct recap *recap = recap_begin(temp.dir, temp.path, 0, end);
    is_int(segment_scan(temp.dir, temp.path, 0, starts[1] + 20000, pass_by, recap), 0,
           "half a log");
    recap_end(recap, false);
    is_int(summaries(&temp), 1, "only what was read to its end is summarised");
    recap = recap_begin(temp.dir, temp.path, starts[2], starts[3]);
    is_int(segment_scan(temp.dir, temp.path, starts[2], starts[3], pass_by, recap), 0, "another");
    recap_end(recap, true);
    is_int(summaries(&temp), 2, "a segment is through when its lines are");
    recap_end(NULL, true);
    temp_drop(&temp);
}

int main(void)
{
    temp_start();
    bounded_types();
    sets_of_ids();
    counts();
    many_types();
    long_type();
    lost_ends();
    round_trip();
    distrusted();
    older();
    faults();
    recaps();
    half_recaps();
    return done_testing();
}
