/* SPDX-License-Identifier: ISC */
/* Which segments go: by age, by who has passed them, by what is settled; what goes with them. */
#include "autoconf.h"

#include "retention.h"

#include <sys/timex.h>
#include <sysexits.h>

#include "age.h"
#include "cursor.h"
#include "purge.h"
#include "replay.h"
#include "tap.h"
#include "temp.h"

#include "puts.h"

enum { DAY = 24 * 60 * 60, SEGMENTS = 5 };

#define START INT64_C(1795426380) /* 2026-11-23T09:33:00Z */

static int64_t now = START;

time_t time(time_t *result)
{
    if (result != NULL)
        *result = (time_t)now;
    return (time_t)now;
}

int adjtimex(struct timex *timex)
{
    timex->status = STA_UNSYNC;
    return TIME_ERROR;
}

/* A spool with segments of one event each, a day apart, and its configuration. */
static struct temp ground; /* one after the other */

struct site {
    struct temp temp;
    struct store *store;
    struct config_spool spools[2];
    struct config_consumer consumers[3];
    struct config config;
    uint64_t starts[SEGMENTS + 1];
};

static void make_site(struct site *site)
{
    struct segment_list list;
    char id[16];

    puts_empty(&ground);
    *site = (struct site){.temp = ground};
    site->spools[0] = (struct config_spool){.name = site->temp.name, .dedupe_window = 30 * DAY,
                                            .keep = 2 * DAY, .segment_size = 1};
    site->spools[1] = (struct config_spool){.name = (char *)"other"};
    site->config = (struct config){.spool_dir = temp_top.path, .spools = site->spools,
                                   .spool_count = 2, .consumers = site->consumers};
    site->store = puts_open(&site->temp, 1);
    for (int i = 0; i < SEGMENTS; i++) {
        now = START + i * DAY;
        (void)snprintf(id, sizeof(id), "id_%d", i);
        if (puts_put_at(site->store, id, now) != STORE_STORED)
            temp_die(id);
    }
    const int dir = openat(site->temp.dir, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (segment_list_read(&list, dir, "log") < 0 || list.count != SEGMENTS)
        temp_die("segments");
    memcpy(site->starts, list.starts, SEGMENTS * sizeof(site->starts[0]));
    site->starts[SEGMENTS] = eventlog_synced(store_log(site->store));
    segment_list_release(&list);
    close(dir);
    temp_hear();
}

static void drop_site(struct site *site)
{
    io_seam = NULL;
    store_close(site->store);
}

static void add_consumer(struct site *site, const char *name, size_t spool)
{
    site->consumers[site->config.consumer_count++] = (struct config_consumer){
        .name = (char *)name, .spool_config = &site->spools[spool]};
}

static int run_purge(struct site *site, struct purge *purge, bool dry)
{
    *purge = (struct purge){.dry = dry};
    return purge_spool(purge, &site->config, &site->spools[0]);
}

static struct consumer open_consumer(struct site *site, struct spool *spool, const char *name)
{
    struct consumer consumer;

    if (spool_open(spool, &site->config, &site->spools[0]) < 0
        || consumer_open(&consumer, spool, name, NULL, true) < 0)
        temp_die(name);
    return consumer;
}

/* The consumer has been drained up to here. */
static void move_to(struct site *site, const char *name, uint64_t position)
{
    struct spool spool;
    struct cursor cursor;
    struct consumer consumer = open_consumer(site, &spool, name);

    if (cursor_open(&cursor, consumer.dir, consumer.path, "cursor") < 0
        || (position > 0 && cursor_done(&cursor, 0, position) < 0))
        temp_die(name);
    cursor_close(&cursor);
    consumer_close(&consumer);
    spool_close(&spool);
}

/* How many segments are left. */
static int left(const struct site *site)
{
    int count = 0;

    for (int i = 0; i < SEGMENTS; i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "log/%020ju.ndjson", (uintmax_t)site->starts[i]);
        count += puts_has(&site->temp, path);
    }
    return count;
}

/* By age alone: the newest event is of day 4, keep is 2 days. */
static void ages(void)
{
    static const struct {
        int keep; /* days */
        int left;
    } table[] = {{10, 5}, {5, 5}, {4, 4}, {3, 3}, {2, 2}, {1, 1}, {0, 1}};

    for (size_t i = 0; i < COUNT(table); i++) {
        struct site site;
        struct purge purge;

        make_site(&site);
        site.spools[0].keep = (int64_t)table[i].keep * DAY;
        is_int(run_purge(&site, &purge, true), EX_OK, "keep %d d: a dry run", table[i].keep);
        is_int((int)purge.segments.segments, SEGMENTS - table[i].left, "keep %d d: counts",
               table[i].keep);
        is_int(left(&site), SEGMENTS, "keep %d d: and removes nothing", table[i].keep);
        is_int(run_purge(&site, &purge, false), EX_OK, "keep %d d: a purge", table[i].keep);
        is_int(left(&site), table[i].left, "keep %d d: what is left", table[i].keep);
        is_int(purge.segments.reason, table[i].left == 1 ? RETENTION_ACTIVE : RETENTION_YOUNG,
               "keep %d d: why", table[i].keep);
        is_int(temp_said(""), 0, "keep %d d: nothing is said", table[i].keep);
        is_int(puts_put_at(site.store, "id_0", now), STORE_DUPLICATE,
               "keep %d d: its ids are known", table[i].keep);
        is_int(puts_put_at(site.store, "new", now), STORE_STORED, "keep %d d: and it is used",
               table[i].keep);
        drop_site(&site);
    }
}

/* Who holds what. */
static void holders(void)
{
    static const struct {
        const char *what;
        const char *consumer; /* NULL: none is drained */
        int position;         /* of a segment */
        int more;             /* bytes behind that */
        int left;
        const char *holder;
    } table[] = {
        {"never drained", NULL, 0, 0, 5, "consumer 'billing'"},
        {"at the beginning", "billing", 0, 0, 5, "consumer 'billing'"},
        {"within the first segment", "billing", 0, 10, 5, "consumer 'billing'"},
        {"at the end of the first", "billing", 1, 0, 4, "consumer 'billing'"},
        {"within the second", "billing", 1, 10, 4, "consumer 'billing'"},
        {"at the end of the third", "billing", 3, 0, 2, "consumer 'billing'"},
        {"at the end of the log", "billing", 5, 0, 2, ""},
        {"beyond the end of the log", "billing", 5, 1000, 2, ""},
        {"not the one that is drained", "crm", 5, 0, 5, "consumer 'billing'"},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        struct site site;
        struct purge purge;

        make_site(&site);
        add_consumer(&site, "billing", 0);
        if (table[i].consumer != NULL)
            move_to(&site, table[i].consumer, site.starts[table[i].position]
                                                  + (uint64_t)table[i].more);
        is_int(run_purge(&site, &purge, false), EX_OK, "a consumer is %s", table[i].what);
        is_int(left(&site), table[i].left, "%s: what is left", table[i].what);
        is_str(purge.segments.reason == RETENTION_HELD ? purge.holder : "", table[i].holder,
               "%s: who holds it", table[i].what);
        drop_site(&site);
    }
}

static void several(void)
{
    struct site site;
    struct purge purge;

    make_site(&site);
    add_consumer(&site, "billing", 0);
    add_consumer(&site, "crm", 0);
    add_consumer(&site, "elsewhere", 1);
    move_to(&site, "billing", site.starts[5]);
    move_to(&site, "crm", site.starts[2]);
    is_int(run_purge(&site, &purge, false), EX_OK, "two consumers, and one of another spool");
    is_int(left(&site), 3, "the slowest decides");
    is_str(purge.holder, "consumer 'crm'", "it is named");

    site.config.consumer_count = 1; /* crm is taken out of the configuration */
    is_int(run_purge(&site, &purge, false), EX_OK, "the slowest is taken out of the configuration");
    is_int(left(&site), 2, "it holds nothing any more");
    is_int(temp_said("consumer 'crm' is not in the configuration, and had not passed"), 1,
           "but it is said");
    temp_hear();
    is_int(run_purge(&site, &purge, false), EX_OK, "the next time");
    is_int(temp_said(""), 0, "when nothing goes, it is not");
    drop_site(&site);
}

static void replays(void)
{
    struct site site;
    struct purge purge;
    struct spool spool;
    struct replay replay;
    const struct filter all = FILTER_ALL;

    make_site(&site);
    add_consumer(&site, "billing", 0);
    move_to(&site, "billing", site.starts[5]);
    struct consumer consumer = open_consumer(&site, &spool, "billing");
    (void)replay_request(&consumer, site.starts[2], site.starts[4], &all);
    (void)replay_request(&consumer, site.starts[1], site.starts[2], &all);
    is_int(run_purge(&site, &purge, false), EX_OK, "two replays are asked for");
    is_int(left(&site), 4, "the earliest decides");
    is_str(purge.holder, "a request to replay events of consumer 'billing'", "it is named");

    is_int(replay_next(&consumer, 1, &replay), 1, "the second");
    (void)replay_remove(&consumer, &replay);
    replay_release(&replay);
    temp_put(consumer.dir, "replay-2.cursor", "x", 1);
    is_int(run_purge(&site, &purge, false), EX_OK, "is carried out");
    is_int(left(&site), 3, "the other is left");
    ok(!puts_has(&site.temp, "consumers/billing/replay-2.cursor") && purge.leftovers == 1,
       "what was left of the second goes");

    temp_put(consumer.dir, "replay-7", "nonsense\n", 9);
    temp_remove(consumer.dir, "replay-1");
    is_int(run_purge(&site, &purge, false), EX_DATAERR, "a request that cannot be read");
    is_int(left(&site), 3, "holds everything");
    temp_remove(consumer.dir, "replay-7");
    is_int(run_purge(&site, &purge, false), EX_OK, "there is none any more");
    is_int(left(&site), 2, "and nothing is held");
    consumer_close(&consumer);
    spool_close(&spool);
    drop_site(&site);
}

static void damage(void)
{
    struct site site;
    struct purge purge;
    char path[64];

    make_site(&site);
    site.spools[0].dedupe_window = 3 * DAY;
    add_consumer(&site, "billing", 0);
    move_to(&site, "billing", site.starts[5]);
    temp_put(site.temp.dir, "consumers/billing/cursor", "0 nonsense\n", 11);
    is_int(run_purge(&site, &purge, false), EX_DATAERR, "a cursor cannot be read");
    is_int(left(&site), SEGMENTS, "then no segment goes");
    is_int((int)purge.ids, 1, "ids go all the same");
    site.config.consumer_count = 0;

    /* Of the first segment nothing proves itself, of the second the last line does not. */
    (void)snprintf(path, sizeof(path), "log/%020ju.ndjson", (uintmax_t)site.starts[0]);
    const int fd = openat(site.temp.dir, path, O_WRONLY | O_CLOEXEC);
    if (pwrite(fd, "xx", 2, 5) != 2)
        temp_die(path);
    const struct timespec young[2] = {{.tv_sec = now}, {.tv_sec = now}};
    const struct timespec older[2] = {{.tv_sec = START}, {.tv_sec = START}};
    (void)futimens(fd, young);
    is_int(run_purge(&site, &purge, false), EX_OK, "a segment without a good line");
    is_int(left(&site), SEGMENTS, "is as old as its file: young");
    (void)futimens(fd, older);
    close(fd);
    is_int(run_purge(&site, &purge, false), EX_OK, "or old");
    is_int(left(&site), 2, "then it goes, and those behind it");
    drop_site(&site);
}

/* What stands beside a segment goes with it. */
static void companions(void)
{
    struct site site;
    struct purge purge;
    char gone[3][64], kept[4][64];

    make_site(&site);
    (void)snprintf(gone[0], 64, "log/%020ju.damaged", (uintmax_t)site.starts[1] + 7);
    (void)snprintf(gone[1], 64, "log/%020ju.summary", (uintmax_t)site.starts[2]);
    (void)snprintf(gone[2], 64, "log/%020ju.damaged", (uintmax_t)site.starts[0]);
    (void)snprintf(kept[0], 64, "log/%020ju.damaged", (uintmax_t)site.starts[3]);
    (void)snprintf(kept[1], 64, "log/%020ju.summary", (uintmax_t)site.starts[3]);
    (void)snprintf(kept[2], 64, "log/%020ju.ndjson.gz", (uintmax_t)site.starts[0]);
    (void)snprintf(kept[3], 64, "log/%019ju.damaged", (uintmax_t)site.starts[0]);
    for (int i = 0; i < 3; i++)
        temp_put(site.temp.dir, gone[i], "x", 1);
    for (int i = 0; i < 4; i++)
        temp_put(site.temp.dir, kept[i], "x", 1);
    is_int(run_purge(&site, &purge, true), EX_OK, "a dry run with files beside the segments");
    is_int((int)purge.leftovers, 2, "counts them, but no summary: each segment has one");
    is_int(run_purge(&site, &purge, false), EX_OK, "a purge");
    is_int((int)purge.leftovers, 2, "removes them");
    for (int i = 0; i < 3; i++)
        ok(!puts_has(&site.temp, gone[i]), "'%s' goes", gone[i] + 4);
    for (int i = 0; i < 4; i++)
        ok(puts_has(&site.temp, kept[i]), "'%s' stays", kept[i] + 4);
    drop_site(&site);
}

static void leftovers(void)
{
    struct site site;
    struct purge purge;
    static const char *const gone[] = {"log/next", "log/damaged.new", "locks/settled.new",
                                       "locks/forgotten.new", "locks/expired.new",
                                       "consumers/old/cursor.new"};

    make_site(&site);
    move_to(&site, "old", site.starts[5]);
    for (size_t i = 0; i < COUNT(gone); i++)
        temp_put(site.temp.dir, gone[i], "x", 1);
    const struct timespec before[2] = {{.tv_sec = now - 3601}, {.tv_sec = now - 3601}};
    (void)utimensat(site.temp.dir, gone[5], before, 0);
    temp_put(site.temp.dir, "consumers/old/retry.ndjson.new", "x", 1);
    const struct timespec then[2] = {{.tv_sec = now}, {.tv_sec = now}};
    (void)utimensat(site.temp.dir, "consumers/old/retry.ndjson.new", then, 0);
    is_int(run_purge(&site, &purge, false), EX_OK, "files that were begun");
    is_int((int)purge.leftovers, 4, "are counted, but for those that it writes itself");
    for (size_t i = 0; i < COUNT(gone); i++)
        ok(!puts_has(&site.temp, gone[i]), "'%s' goes", gone[i]);
    ok(puts_has(&site.temp, "consumers/old/retry.ndjson.new"), "one of this hour stays");
    drop_site(&site);
}

/* What the disk was told, a letter a call: cursors before segments, one segment after the other. */
static char told[4096];
static size_t told_len;

static int telling_seam(const struct io_call *call)
{
    static const char letters[] = "omwdftlru"; /* in the order of enum io_op */
    const bool segment = call->op == IO_UNLINK && strstr(call->name, ".ndjson") != NULL;

    if (call->done && told_len + 1 < sizeof(told)
        && (call->op == IO_FDATASYNC || call->op == IO_FSYNC || segment)) {
        told[told_len++] = letters[call->op];
        told[told_len] = '\0';
    }
    return 0;
}

static void order(void)
{
    struct site site;
    struct purge purge;

    make_site(&site);
    add_consumer(&site, "billing", 0);
    move_to(&site, "billing", site.starts[5]);
    io_seam = telling_seam;
    is_int(run_purge(&site, &purge, false), EX_OK, "three segments go");
    io_seam = NULL;
    ok(strstr(told, "dufufuf") != NULL, "the cursor is synced before, the directory behind each");
    drop_site(&site);
}

/* The disk refuses: what has not gone stays, and the next purge goes on. */
static void refusals(void)
{
    static const int errors[] = {EROFS, EACCES, EIO};

    for (size_t i = 0; i < COUNT(errors); i++) {
        struct site site;
        struct purge purge;

        make_site(&site);
        fault_clear();
        fault_set(IO_UNLINK, 1, 1, errors[i]);
        const int status = run_purge(&site, &purge, false);
        io_seam = NULL;
        is_int(status, errors[i] == EACCES ? EX_NOPERM : EX_IOERR, "%s: at the second segment",
               strerror(errors[i]));
        is_int(left(&site), 4, "%s: one has gone", strerror(errors[i]));
        is_int(temp_said(strerror(errors[i])), 1, "%s: it is said", strerror(errors[i]));
        is_int(run_purge(&site, &purge, false), EX_OK, "%s: the next time", strerror(errors[i]));
        is_int(left(&site), 2, "%s: the others go", strerror(errors[i]));
        drop_site(&site);
    }
}

/* A full disk: nothing can be written, and what makes room goes all the same. */
static void full_disk(void)
{
    struct site site;
    struct purge purge;

    make_site(&site);
    fault_clear();
    fault_set(IO_WRITE, 0, INT_MAX, ENOSPC);
    is_int(run_purge(&site, &purge, false), EX_TEMPFAIL, "the disk is full");
    io_seam = NULL;
    is_int(left(&site), 2, "old segments go");
    is_int(temp_said("No space left on device"), 1, "it is said what could not be written");
    is_int(run_purge(&site, &purge, false), EX_OK, "then there is room");
    drop_site(&site);
}

/* The last line that proves itself, however long the lines are and whatever stands behind it. */
static void newest(void)
{
    static const struct {
        const char *what;
        const char *spelling; /* a, b: records; B: a long one; x: damage; _: blanks; t: torn */
        int received;         /* seconds behind START; -1: there is none */
    } table[] = {
        {"nothing", "", -1},         {"one record", "a", 1},          {"two", "ab", 2},
        {"a long one", "B", 3},      {"a long one at the end", "aB", 3},
        {"a long one before", "Ba", 1}, {"only damage", "x", -1},     {"only blanks", "__", -1},
        {"damage at the end", "abx", 2}, {"blanks at the end", "ab_", 2},
        {"much at the end", "abx_x_", 2}, {"a torn line", "abt", 2},  {"only a torn line", "t", -1},
        {"long, and torn", "Bt", 3}, {"long, and damage", "aBx_", 3},
        {"a whole line behind one without its end", "atb", 2},
    };
    struct temp temp;
    char *longer = malloc(300001);

    temp_make(&temp);
    memset(longer, 'x', 300000);
    longer[0] = longer[299999] = '"';
    longer[300000] = '\0';
    for (size_t i = 0; i < COUNT(table); i++) {
        char *text = NULL;
        size_t len = 0, line_len;
        FILE *out = open_memstream(&text, &len);
        for (const char *c = table[i].spelling; *c != '\0'; c++) {
            const int64_t second = *c == 'a' ? 1 : *c == 'b' ? 2 : 3;
            struct event event = {.id = "x", .source = "/x", .type = "t", .time = START,
                                  .received = {START + second, 0}, .form = EVENT_JSON};
            event.body = *c == 'B' ? longer : "1";
            event.body_len = strlen(event.body);
            char *line = record_encode(&event, &line_len);
            if (*c == 'x')
                line[30] ^= 1;
            if (*c == '_')
                memset(line, ' ', line_len - 1);
            fwrite(line, 1, *c == 't' ? line_len - 10 : line_len, out);
            free(line);
        }
        fclose(out);
        temp_put(temp.dir, "00000000000000001000.ndjson", text, len);
        int64_t received = 0;
        const int found = age_newest(temp.dir, temp.path, 1000, UINT64_MAX, &received);
        is_int(found, table[i].received >= 0, "%s: is there an event?", table[i].what);
        if (found > 0)
            is_int(received - START, table[i].received, "%s: the newest", table[i].what);
        if (found > 0 && table[i].spelling[1] == '\0')
            is_int(age_newest(temp.dir, temp.path, 1000, 1000 + len - 1, &received), 0,
                   "%s: none, if it ends before that", table[i].what);
        free(text);
    }
    free(longer);
    is_int(age_newest(temp.dir, temp.path, 5, 6, &(int64_t){0}), -1, "a segment that is not there");
    is_int(errno, ENOENT, "errno says so");
    temp_drop(&temp);
}

static void plans(void)
{
    struct site site;
    struct spool spool;
    struct retention retention;
    struct retention_plan plan;

    make_site(&site);
    if (spool_open(&spool, &site.config, &site.spools[0]) < 0
        || retention_open(&retention, &site.config, &spool, true) < 0)
        temp_die("retention_open");
    for (int i = 0; i <= SEGMENTS; i++) {
        const int64_t later = now + 100 * DAY;
        is_int(retention_plan(&retention, site.starts[i], later, &plan), 0, "settled to the %dth",
               i);
        is_int((int)plan.segments, i < SEGMENTS ? i : SEGMENTS - 1, "settled to the %dth: go", i);
        is_int(plan.reason, i < SEGMENTS - 1 ? RETENTION_UNSETTLED : RETENTION_ACTIVE,
               "settled to the %dth: why", i);
    }
    is_int(retention_plan(&retention, UINT64_MAX, INT64_MIN, &plan), 0, "at no time");
    is_int((int)plan.segments, 0, "nothing goes");
    retention_close(&retention);
    spool_close(&spool);
    drop_site(&site);
}

int main(void)
{
    temp_start();
    temp_make(&ground);
    ages();
    holders();
    several();
    replays();
    damage();
    companions();
    leftovers();
    order();
    refusals();
    full_disk();
    newest();
    plans();
    temp_drop(&ground);
    return done_testing();
}
