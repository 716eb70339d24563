/* SPDX-License-Identifier: ISC */
/* The cursor: extents that are decided in any order, two slots, and what damage costs. */
#include "autoconf.h"

#include "cursor.h"

#include "tap.h"
#include "temp.h"

static void extents_are(const struct cursor *cursor, const char *want, const char *what)
{
    char text[1024];
    int len = snprintf(text, sizeof(text), "%ju", (uintmax_t)cursor->position);

    for (size_t i = 0; i < cursor->count; i++)
        len += snprintf(text + len, sizeof(text) - (size_t)len, " %ju-%ju",
                        (uintmax_t)cursor->done[i].from, (uintmax_t)cursor->done[i].to);
    is_str(text, want, "%s", what);
}

static void reread(const struct temp *temp, const char *want, const char *what)
{
    struct cursor cursor;

    is_int(cursor_read(&cursor, temp->dir, temp->path, "cursor"), 1, "it is read");
    extents_are(&cursor, want, what);
}

static void moves(void)
{
    static const struct {
        uint64_t from, to;
        const char *then;
    } steps[] = {
        {0, 10, "10"},
        {20, 30, "10 20-30"},
        {40, 50, "10 20-30 40-50"},
        {30, 40, "10 20-50"},
        {60, 70, "10 20-50 60-70"},
        {55, 58, "10 20-50 55-58 60-70"},
        {10, 20, "50 55-58 60-70"},
        {50, 60, "70"},
        {5, 30, "70"},
        {60, 80, "80"},
    };
    struct cursor cursor;
    struct temp temp;

    temp_make(&temp);
    is_int(cursor_read(&cursor, temp.dir, temp.path, "cursor"), 0, "there is none");
    is_int(cursor_open(&cursor, temp.dir, temp.path, "cursor"), 0, "one is made");
    is_int(temp_size(temp.dir, "cursor"), 2 * CURSOR_SLOT, "of two slots");
    reread(&temp, "0", "it begins at 0");
    for (size_t i = 0; i < COUNT(steps); i++) {
        is_int(cursor_done(&cursor, steps[i].from, steps[i].to), 0, "step %zu", i);
        extents_are(&cursor, steps[i].then, "in memory");
        reread(&temp, steps[i].then, "and in the file, without a sync");
    }
    ok(cursor.dirty && cursor_sync(&cursor) == 0 && !cursor.dirty, "it is synced");
    cursor_close(&cursor);
    is_int(cursor_open(&cursor, temp.dir, temp.path, "cursor"), 0, "it is opened again");
    extents_are(&cursor, "80", "and stands where it stood");
    cursor_close(&cursor);
    temp_drop(&temp);
}

static void passes(void)
{
    struct cursor cursor;
    struct temp temp;

    temp_make(&temp);
    is_int(cursor_open(&cursor, temp.dir, temp.path, "cursor"), 0, "a cursor");
    (void)cursor_done(&cursor, 0, 10);
    (void)cursor_done(&cursor, 20, 30);
    ok(cursor_passed(&cursor, 0) && cursor_passed(&cursor, 9), "what lies before it is passed");
    ok(!cursor_passed(&cursor, 10) && !cursor_passed(&cursor, 19), "the gap is not");
    ok(cursor_passed(&cursor, 20) && cursor_passed(&cursor, 29), "an extent behind it is");
    ok(!cursor_passed(&cursor, 30), "what follows is not");

    (void)cursor_done(&cursor, 10, 20);
    for (uint64_t i = 0; i < CURSOR_EXTENTS; i++)
        is_int(cursor_done(&cursor, 1000000000000 + i * 20, 1000000000000 + i * 20 + 10), 0,
               "extent %ju apart", (uintmax_t)i);
    errno = 0;
    is_int(cursor_done(&cursor, 5, 6), 0, "what is passed needs no room");
    is_int(cursor_done(&cursor, 2000000000000, 2000000000001), -1, "one more has no room");
    is_int(errno, ENOBUFS, "and says so");
    is_int(cursor_done(&cursor, 1000000000010, 1000000000020), 0, "one that closes a gap has");
    struct cursor again;
    is_int(cursor_read(&again, temp.dir, temp.path, "cursor"), 1, "all of it is read");
    ok(again.count == CURSOR_EXTENTS - 1 && again.done[0].from == 1000000000000
           && again.done[0].to == 1000000000030, "as it was written");
    cursor_close(&cursor);
    temp_drop(&temp);
}

/* What an earlier drain with several jobs has left is not offered again. */
static void gaps(void)
{
    static const struct {
        uint64_t from, to, gap_from, gap_to; /* gap_to 0: all is decided */
    } cases[] = {{10, 100, 10, 20}, {0, 100, 10, 20}, {20, 100, 30, 40}, {15, 18, 15, 18},
                 {25, 100, 30, 40}, {30, 35, 30, 35}, {40, 100, 50, 100}, {45, 48, 0, 0},
                 {20, 30, 0, 0}, {0, 10, 0, 0}, {50, 50, 0, 0}, {60, 70, 60, 70}};
    struct cursor cursor;
    struct temp temp;

    temp_make(&temp);
    is_int(cursor_open(&cursor, temp.dir, temp.path, "cursor"), 0, "a cursor");
    (void)cursor_done(&cursor, 0, 10);
    (void)cursor_done(&cursor, 20, 30);
    (void)cursor_done(&cursor, 40, 50);
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t from = cases[i].from, to = cases[i].to;
        const bool found = cursor_gap(&cursor, &from, &to);
        ok(found == (cases[i].gap_to != 0)
               && (!found || (from == cases[i].gap_from && to == cases[i].gap_to)),
           "the first gap of %ju-%ju", (uintmax_t)cases[i].from, (uintmax_t)cases[i].to);
    }
    is_int(cursor_ahead(&cursor, 0), 2, "two extents lie ahead of 0");
    is_int(cursor_ahead(&cursor, 20), 2, "and of where the first begins");
    is_int(cursor_ahead(&cursor, 21), 1, "one of what follows");
    is_int(cursor_ahead(&cursor, 41), 0, "and none at last");
    cursor_close(&cursor);
    temp_drop(&temp);
}

/* What was synced stands, however many steps were written since and wherever the last one tore. */
static void torn(void)
{
    struct cursor cursor;
    struct temp temp;
    size_t before_len, len;
    int wrong = 0;

    temp_make(&temp);
    is_int(cursor_open(&cursor, temp.dir, temp.path, "cursor"), 0, "a cursor");
    (void)cursor_done(&cursor, 0, 111);
    is_int(cursor_sync(&cursor), 0, "a step that is synced");
    (void)cursor_done(&cursor, 111, 1000);
    (void)cursor_done(&cursor, 1000, 2000);
    char *before = temp_get(temp.dir, "cursor", &before_len);
    (void)cursor_done(&cursor, 2000, 22222);
    cursor_close(&cursor);
    char *after = temp_get(temp.dir, "cursor", &len);
    is_int(len, before_len, "the file keeps its length");
    size_t first = 0;
    while (before[first] == after[first])
        first++;
    size_t last = len;
    while (before[last - 1] == after[last - 1])
        last--;
    ok(last - first < CURSOR_SLOT, "a step changes one slot");
    for (size_t cut = first; cut <= last; cut++) {
        char *torn = malloc(len);
        memcpy(torn, after, cut);
        memcpy(torn + cut, before + cut, len - cut);
        temp_put(temp.dir, "cursor", torn, len);
        free(torn);
        const bool read = cursor_read(&cursor, temp.dir, temp.path, "cursor") == 1;
        if (!read || (cursor.position != 111 && cursor.position != 2000
                      && cursor.position != 22222)
            || (cut == last && cursor.position != 22222))
            wrong++;
    }
    is_int(wrong, 0, "torn at any byte it is the synced position or a later one");

    memset(after, 'x', len);
    temp_put(temp.dir, "cursor", after, len);
    is_int(cursor_open(&cursor, temp.dir, temp.path, "cursor"), -1, "with both slots damaged");
    is_int(errno, EUCLEAN, "it is not opened");
    is_int(temp_said("remove the file"), 1, "and what to do is said");
    temp_put(temp.dir, "cursor", "", 0);
    is_int(cursor_read(&cursor, temp.dir, temp.path, "cursor"), -1, "nor is an empty file");
    free(before);
    free(after);
    temp_drop(&temp);
}

static void faults(void)
{
    struct cursor cursor;
    struct temp temp;

    temp_make(&temp);
    is_int(cursor_open(&cursor, temp.dir, temp.path, "cursor"), 0, "a cursor");
    fault_clear();
    fault_set(IO_WRITE, 0, 1, EIO);
    is_int(cursor_done(&cursor, 0, 10), -1, "a write fails");
    fault_clear();
    extents_are(&cursor, "0", "and nothing has moved");
    is_int(cursor_done(&cursor, 0, 10), 0, "the next one does");
    fault_set(IO_FDATASYNC, 0, 1, EIO);
    is_int(cursor_sync(&cursor), -1, "a sync fails");
    fault_clear();
    is_int(cursor_sync(&cursor), 0, "and is not repeated");
    cursor_close(&cursor);

    static const enum io_op steps[] = {IO_WRITE, IO_FSYNC, IO_RENAME};
    for (size_t i = 0; i < COUNT(steps); i++) {
        fault_set(steps[i], 0, 1, EIO);
        is_int(cursor_open(&cursor, temp.dir, temp.path, "new"), -1, "one that cannot be made");
        fault_clear();
        is_int(temp_names(temp.dir, ".", NULL), 1, "leaves nothing behind");
    }
    /* Whoever made it may have died before its name was durable. */
    is_int(cursor_open(&cursor, temp.dir, temp.path, "cursor"), 0, "it is opened again");
    ok(fault_calls(IO_FDATASYNC) == 1 && fault_calls(IO_FSYNC) == 1, "it is synced, as its name");
    cursor_close(&cursor);
    fault_set(IO_FSYNC, 0, 1, EIO);
    is_int(cursor_open(&cursor, temp.dir, temp.path, "cursor"), -1, "else it is not to be moved");
    temp_drop(&temp);
}

int main(void)
{
    temp_start();
    moves();
    passes();
    gaps();
    torn();
    faults();
    return done_testing();
}
