/* SPDX-License-Identifier: ISC */
/*
 * Backlogs and sifting: whatever summaries there are, what comes out is what the lines say, for any
 * cursor, any filter and any time of looking.
 */
#include "autoconf.h"

#include "backlog.h"
#include "sift.h"

#include "agetable.h"
#include "filter.h"
#include "reader.h"
#include "sumfile.h"

#include "tap.h"
#include "temp.h"

#include <fnmatch.h>

enum { START = 1764000000, EVENTS = 3000, SEGMENTS = 6, TYPES = 5 };

static const char *const types[TYPES] = {"call.ended", "call.started", "message.received",
                                         "contact.updated", "call.missed"};

/* What was written: the events by number, and where things begin. */
static struct {
    uint64_t position;
    size_t len;
    int64_t received;
    int type;
    bool damaged;
} events[EVENTS];

static uint64_t starts[SEGMENTS];
static uint64_t end;

/* The same numbers in each run. */
static uint64_t next_random(void)
{
    static uint64_t state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static char *make_line(int number, size_t *len)
{
    char id[32];
    const size_t size = 50 + next_random() % 6000;
    char *body = malloc(size + 2);

    snprintf(id, sizeof(id), "msg_%d", number);
    memset(body, 'x', size + 1);
    body[0] = body[size] = '"';
    struct event event = {.id = id, .source = "/webhooks/test", .time = events[number].received,
                          .received = {events[number].received, 0}, .body = body,
                          .body_len = size + 1, .form = EVENT_JSON};
    strcpy(event.type, types[events[number].type]);
    char *line = record_encode(&event, len);
    free(body);
    return line;
}

/* Three days of events, as good as in order, some with a clock that was wrong. */
static void put_log(const struct temp *temp)
{
    char name[SEGMENT_NAME_SIZE];
    int fd = -1;

    for (int i = 0; i < EVENTS; i++) {
        size_t len;
        events[i].type = (int)(next_random() % TYPES);
        events[i].received = START + i * 86 + (int64_t)(next_random() % 100);
        if (i % 500 == 77)
            events[i].received -= 100000;
        if (i % (EVENTS / SEGMENTS) == 0) {
            starts[i / (EVENTS / SEGMENTS)] = end;
            segment_name(name, end);
            fd = openat(temp->dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
        }
        char *line = make_line(i, &len);
        events[i].damaged = i % 700 == 99;
        if (events[i].damaged)
            line[100] = '#';
        events[i].position = end;
        events[i].len = len;
        end += len;
        if (write(fd, line, len) != (ssize_t)len)
            temp_die("segment");
        free(line);
        if ((i + 1) % (EVENTS / SEGMENTS) == 0)
            close(fd);
    }
}

static void remove_summaries(const struct temp *temp, int which)
{
    char name[SUMFILE_NAME_SIZE];

    for (int i = 0; i < SEGMENTS; i++) {
        sumfile_name(name, starts[i]);
        if (which < 0 || which == i)
            (void)unlinkat(temp->dir, name, 0);
    }
}

/* Something else has their names, so that none can be written, by nobody. */
static void block_summaries(const struct temp *temp)
{
    char name[SUMFILE_NAME_SIZE];

    for (int i = 0; i < SEGMENTS; i++) {
        sumfile_name(name, starts[i]);
        if (mkdirat(temp->dir, name, 0750) < 0)
            temp_die(name);
    }
}

/* ---- backlogs */

static void move(struct cursor *cursor)
{
    *cursor = (struct cursor){.fd = -1};
    cursor->position = events[next_random() % EVENTS].position;
    if (next_random() % 5 == 0)
        cursor->position = next_random() % 2 == 0 ? 0 : end;
    uint64_t at = cursor->position;
    while (cursor->count < next_random() % 5) {
        const uint64_t a = events[next_random() % EVENTS].position;
        const uint64_t b = events[next_random() % EVENTS].position;
        if (a <= at || b <= a)
            break;
        cursor->done[cursor->count++] = (struct cursor_extent){a, b};
        at = b;
    }
}

/* Does the tally say what the events say one by one? */
static int differences(const struct backlogs *backlogs, size_t which, int64_t now)
{
    const struct tally *tally = &backlogs->list[which].tally;
    uint64_t ages[TYPES][TALLY_AGES] = {0}, count = 0, bytes = 0, damaged = 0;
    int64_t oldest = INT64_MAX;
    int wrong = 0;

    for (int i = 0; i < EVENTS; i++) {
        const struct cursor *cursor = backlogs->list[which].cursor;
        if (cursor != NULL && cursor_passed(cursor, events[i].position))
            continue;
        damaged += events[i].damaged;
        if (events[i].damaged)
            continue;
        count++;
        bytes += events[i].len;
        oldest = events[i].received < oldest ? events[i].received : oldest;
        ages[events[i].type][tally_age(now, events[i].received)]++;
    }
    wrong += tally->total.events != count || tally->total.bytes != bytes
          || tally->damaged != damaged || tally->oldest != oldest;
    for (size_t i = 0; i < backlogs->types.count; i++) {
        for (int j = 0; j < TYPES; j++) {
            if (strcmp(types[j], backlogs->types.names[i]) == 0)
                wrong += memcmp(ages[j], tally->rows[i].ages, sizeof(ages[j])) != 0;
        }
    }
    return wrong;
}

static void backlogs_of(const struct spool *spool, const char *what)
{
    int wrong = 0;

    for (int round = 0; round < 40; round++) {
        struct cursor cursors[2];
        struct backlog list[3] = {{.cursor = &cursors[0]}, {.cursor = NULL},
                                  {.cursor = &cursors[1]}};
        struct backlogs backlogs = {.list = list, .count = 3};
        const int64_t now = START + (int64_t)(next_random() % 400000);
        move(&cursors[0]);
        move(&cursors[1]);
        wrong += backlog_count(&backlogs, spool, 0, end, now) != 0;
        for (size_t i = 0; i < 3; i++)
            wrong += differences(&backlogs, i, now);
        backlog_release(&backlogs);
    }
    is_int(wrong, 0, "backlogs are counted as the events are, %s", what);
}

static void ages(void)
{
    static const struct {
        int64_t seconds;
        int column;
    } table[] = {{-5, 0}, {0, 0}, {299, 0}, {300, 1}, {599, 1}, {600, 2}, {1199, 2}, {1200, 3},
                 {76799, 8}, {76800, 9}, {INT32_MAX, 9}};

    for (size_t i = 0; i < COUNT(table); i++)
        is_int(tally_age(START, START - table[i].seconds), table[i].column, "%jd s old",
               (intmax_t)table[i].seconds);
}

/* ---- sifting */

static bool is_wanted(const struct filter *filter, int i)
{
    char id[32];

    snprintf(id, sizeof(id), "msg_%d", i);
    bool wanted = filter->id_count == 0;
    for (size_t j = 0; j < filter->id_count; j++)
        wanted |= strcmp(filter->ids[j], id) == 0;
    return wanted && (filter->type == NULL || fnmatch(filter->type, types[events[i].type], 0) == 0)
        && events[i].received >= filter->since && events[i].received < filter->until;
}

static void choose(struct filter *filter, char ids[2][32], char *pointers[2])
{
    static const char *const patterns[] = {"call.*", "contact.updated", "*.received", "none.such"};

    *filter = FILTER_ALL;
    if (next_random() % 2 == 0)
        filter->since = START + (int64_t)(next_random() % 260000);
    if (next_random() % 2 == 0)
        filter->until = START + (int64_t)(next_random() % 260000);
    if (next_random() % 2 == 0)
        filter->type = patterns[next_random() % COUNT(patterns)];
    if (next_random() % 3 != 0)
        return;
    for (int i = 0; i < 2; i++) {
        snprintf(ids[i], 32, "msg_%d", (int)(next_random() % (EVENTS * 2)));
        pointers[i] = ids[i];
    }
    filter->ids = pointers;
    filter->id_count = 2;
}

/* From an event on: each that is wanted comes, and no other; damage may or may not. */
static int sifted(struct sift *sift, const struct filter *filter, int from, bool damage)
{
    struct segment_line line;
    int wrong = 0, found;

    while ((found = sift_next(sift, end, &line)) > 0) {
        while (from < EVENTS && events[from].position < line.position) {
            wrong += !events[from].damaged && is_wanted(filter, from);
            wrong += damage && events[from].damaged;
            from++;
        }
        wrong += from == EVENTS || events[from].position != line.position
              || line.damaged != events[from].damaged
              || (!line.damaged && !is_wanted(filter, from));
        from++;
    }
    for (; from < EVENTS; from++)
        wrong += !events[from].damaged && is_wanted(filter, from);
    return wrong + (found != 0);
}

static void sifts(const struct spool *spool, const char *what)
{
    int wrong = 0, last_wrong = 0;

    for (int round = 0; round < 60; round++) {
        struct filter filter;
        char ids[2][32], *pointers[2];
        choose(&filter, ids, pointers);
        struct sift *sift = sift_new(spool, &filter);
        const int from = (int)(next_random() % EVENTS);
        (void)sift_seek(sift, events[from].position);
        wrong += sifted(sift, &filter, from, true);

        /* the last few: as many as are wanted behind that point */
        const uint64_t most = 1 + next_random() % 40;
        uint64_t count = 0;
        int first = EVENTS;
        while (first > from && count < most) {
            first--;
            count += !events[first].damaged && is_wanted(&filter, first);
        }
        last_wrong += sift_seek_last(sift, events[from].position, end, most) != 0;
        last_wrong += sifted(sift, &filter, count == most ? first : from, false);
        sift_free(sift);
    }
    is_int(wrong, 0, "what is sifted is what is wanted, and damage, %s", what);
    is_int(last_wrong, 0, "likewise the last few of it");
}

/* A line may prove itself and name what event.h would not let pass. */
static void hostile_types(void)
{
    struct types names;
    struct tally tally;
    char *text = NULL;
    size_t len;

    if (types_init(&names, TALLY_TYPES) < 0 || tally_init(&tally) < 0)
        temp_die("tally");
    tally_add(&tally, types_number(&names, "call.\x1b[31m", 10), 0, 7, 700);
    FILE *out = open_memstream(&text, &len);
    agetable_put(out, &tally, &names, true);
    if (fclose(out) != 0)
        temp_die("table");
    ok(strchr(text, '\x1b') == NULL && strstr(text, " call.?[31m  7") != NULL,
       "what a type does to a terminal is left out of the table");
    free(text);
    tally_release(&tally);
    types_release(&names);
}

int main(void)
{
    struct temp temp;

    temp_start();
    temp_make(&temp);
    put_log(&temp);
    struct spool spool = {.path = temp.path, .log_path = temp.path, .dir = temp.dir,
                          .log_dir = temp.dir};
    ages();
    hostile_types();
    const int before = temp_descriptors();
    backlogs_of(&spool, "with summaries made on the way");
    ok(temp_size(temp.dir, "00000000000000000000.summary") > 0, "which are kept");
    backlogs_of(&spool, "with summaries");
    sifts(&spool, "with summaries");
    remove_summaries(&temp, 2);
    sifts(&spool, "with one made anew");
    remove_summaries(&temp, -1);
    block_summaries(&temp);
    sifts(&spool, "with none that can be kept");
    backlogs_of(&spool, "with none that can be kept");
    is_int(temp_said(""), 0, "of which nothing is said");
    is_int(temp_descriptors(), before, "no descriptor is left");
    temp_drop(&temp);
    return done_testing();
}
