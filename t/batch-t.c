/* SPDX-License-Identifier: ISC */
/* Batches: which lines of the log they take, as pieces of which files, and where they end. */
#include "autoconf.h"

#include "batch.h"

#include "desk.h"

static struct batch batch;
static struct batch_damage damage;
static struct reader *reader;

static void begin(void)
{
    desk_make();
    desk_open();
    reader = reader_new(desk.spool.log_dir, desk.spool.log_path);
    damage = (struct batch_damage){0};
}

static void end(void)
{
    batch_release(&batch);
    reader_free(reader);
    desk_drop();
}

/* Reads a batch between two events: its extent, how many, in how many pieces. */
static void takes(const struct filter *filter, int from, int to, size_t most, int ends,
                  size_t count, size_t pieces, const char *what)
{
    const int result = batch_read(&batch, reader, filter, desk.position[from], desk.position[to],
                                  most, &damage);

    ok(result == 0 && batch.from == desk.position[from] && batch.to == desk.position[ends]
           && batch.count == count && batch.piece_count == pieces,
       "%s: %zu events in %zu pieces", what, count, pieces);
    if (batch.to != desk.position[ends] || batch.count != count || batch.piece_count != pieces)
        diag("%zu in %zu, up to %ju", batch.count, batch.piece_count, (uintmax_t)batch.to);
}

static void extents(void)
{
    static const struct filter all = {.since = INT64_MIN, .until = INT64_MAX};
    static char first[] = "e1", second[] = "e3", third[] = "e4", other[] = "e5";
    char *const ids[] = {first, second, third, other};
    const struct filter some = {.since = INT64_MIN, .until = INT64_MAX, .ids = ids, .id_count = 4};

    begin();
    takes(&all, 0, 0, 10, 0, 0, 0, "nothing");
    desk_add(3, true);
    desk_add(4, true);
    const int before = temp_descriptors();
    takes(&all, 0, 7, 2, 2, 2, 1, "the first two");
    takes(&all, 2, 7, 3, 5, 3, 2, "three in two segments");
    takes(&all, 5, 7, 10, 7, 2, 1, "what is left");
    takes(&all, 0, 2, 10, 2, 2, 1, "up to a position");
    takes(&some, 0, 7, 10, 7, 4, 2, "some of them, in a piece a segment");
    takes(&some, 0, 7, 2, 4, 2, 2, "two of them");
    is_str(batch.first.id, "e1", "the first one is described");
    ok(strcmp(batch.first.type, "test.made") == 0 && batch.first.position == desk.position[1]
           && strcmp(batch.first.time, "2025-11-24T16:00:00Z") == 0, "whole");
    takes(&some, 6, 7, 10, 7, 0, 0, "none of them");
    batch_clear(&batch);
    is_int(temp_descriptors(), before + 1, "no descriptor is kept but the reader's own");
    static char wide[] = "e3", apart[] = "e6";
    char *const two[] = {wide, apart};
    takes(&(struct filter){.since = INT64_MIN, .until = INT64_MAX, .ids = two, .id_count = 2}, 0, 7,
          10, 7, 2, 2, "two that are not together");
    is_int(temp_descriptors(), before + 2, "have one descriptor, of their segment");
    end();
}

static void damaged(void)
{
    static const struct filter all = {.since = INT64_MIN, .until = INT64_MAX};
    char name[64];

    begin();
    desk_add(4, true);
    snprintf(name, sizeof(name), "calls/log/%020d.ndjson", 0);
    const int fd = openat(desk.temp.dir, name, O_WRONLY | O_CLOEXEC);
    if (pwrite(fd, "?", 1, (off_t)desk.position[1] + 50) != 1)
        temp_die(name);
    desk_add(2, true);
    takes(&all, 0, 6, 10, 6, 5, 3, "a damaged line is passed over");
    takes(&all, 0, 6, 10, 6, 5, 3, "and again");
    is_int(damage.count, 1, "it is counted once");
    is_int(temp_said("damaged line"), 1, "and told once");
    takes(&all, 1, 2, 10, 2, 0, 0, "a batch of damage alone");
    if (ftruncate(fd, (off_t)desk.position[3]) < 0)
        temp_die(name);
    close(fd);
    takes(&all, 2, 6, 10, 6, 3, 2, "a segment that is too short");
    char said[64];
    snprintf(said, sizeof(said), "%ju bytes of the log before position %ju",
             (uintmax_t)(desk.position[4] - desk.position[3]), (uintmax_t)desk.position[4]);
    is_int(temp_said(said), 1, "what is missing is told");
    takes(&all, 2, 6, 10, 6, 3, 2, "and again");
    is_int(damage.count, 2, "once");
    desk.position[7] = desk.position[6] + 1000;
    takes(&all, 5, 7, 10, 7, 1, 1, "a log that ends before it should");
    is_int(damage.count, 3, "is told too");
    end();
}

/* What is not wanted is passed over a portion at a time, so that signals are heard meanwhile. */
static void portions(void)
{
    enum { LINE = 1024 * 1024, LINES = 66 };
    char *body = malloc(LINE + 3), name[64];
    const struct filter none = {.since = INT64_MIN, .until = INT64_MAX, .type = "other"};
    size_t len;

    begin();
    memset(body, 'x', LINE);
    body[0] = '"';
    strcpy(body + LINE, "\"");
    char *line = temp_line("large", body, &len);
    snprintf(name, sizeof(name), "calls/log/%020d.ndjson", 0);
    const int fd = openat(desk.temp.dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    for (int i = 0; i < LINES; i++) {
        if (write(fd, line, len) != (ssize_t)len)
            temp_die(name);
        desk.position[desk.events + 1] = desk_end() + len;
        desk.events++;
    }
    close(fd);
    takes(&none, 0, LINES, 10, 64, 0, 0, "64 MiB that are not wanted");
    takes(&none, 64, LINES, 10, LINES, 0, 0, "the rest");
    const struct filter all = FILTER_ALL;
    takes(&all, 0, LINES, LINES, LINES, LINES, 1, "what is wanted is one batch");
    free(line);
    free(body);
    end();
}

int main(void)
{
    temp_start();
    extents();
    damaged();
    portions();
    return done_testing();
}
