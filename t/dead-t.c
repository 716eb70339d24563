/* SPDX-License-Identifier: ISC */
/* Dead letters: they are added, seen and taken out, and no error loses one. */
#include "autoconf.h"

#include "dead.h"

#include "tap.h"
#include "temp.h"

#define NAME "dead.ndjson"

static struct temp temp;

static int add(uint64_t position)
{
    struct failure failure = {.position = position, .attempts = 10, .first = 1, .last = 2,
                              .status = 1, .event = "{\"a\":1}", .event_len = 7};

    snprintf(failure.id, sizeof(failure.id), "msg_%ju", (uintmax_t)position);
    return dead_add(temp.dir, temp.path, &failure, 1);
}

static int note(void *context, const struct failure *failure)
{
    char *text = context;

    sprintf(text + strlen(text), "%s%ju", text[0] != '\0' ? " " : "", (uintmax_t)failure->position);
    return failure->position == 666;
}

static void hold(const char *want, const char *what)
{
    char text[512] = "";

    is_int(dead_scan(temp.dir, temp.path, note, text), 0, "%s: they are read", what);
    is_str(text, want, "%s", what);
}

static bool is_odd(void *context, const struct failure *failure)
{
    (void)context;
    return failure->position % 2 == 1;
}

static void lives(void)
{
    uint64_t *positions;
    size_t count, dropped = 99;

    temp_make(&temp);
    hold("", "without a file");
    is_int(dead_drop(temp.dir, temp.path, is_odd, NULL, &dropped), 0, "none can be taken out");
    is_int(dropped, 0, "of none");
    is_int(temp_size(temp.dir, NAME), -1, "and no file is made");
    is_int(dead_positions(temp.dir, temp.path, &positions, &count), 0, "no positions");
    is_int(count, 0, "either");
    free(positions);

    for (uint64_t i = 7; i > 0; i--)
        is_int(add(i), 0, "one dies");
    hold("7 6 5 4 3 2 1", "in the order in which they died");
    is_int(dead_positions(temp.dir, temp.path, &positions, &count), 0, "their positions");
    bool ascending = count == 7;
    for (size_t i = 0; i < count; i++)
        ascending &= positions[i] == i + 1;
    ok(ascending, "ascend");
    free(positions);
    is_int(dead_drop(temp.dir, temp.path, is_odd, NULL, &dropped), 0, "some are taken out");
    is_int(dropped, 4, "four");
    hold("6 4 2", "the others stay");
    const off_t size = temp_size(temp.dir, NAME);
    fault_clear();
    is_int(dead_drop(temp.dir, temp.path, is_odd, NULL, &dropped), 0, "when there is none to take");
    ok(dropped == 0 && fault_calls(IO_WRITE) == 0 && temp_size(temp.dir, NAME) == size,
       "nothing is written");
    is_int(add(666), 0, "another");
    is_int(add(8), 0, "and another");
    char text[64] = "";
    is_int(dead_scan(temp.dir, temp.path, note, text), 1, "who visits can stop");
    temp_drop(&temp);
}

static void damaged(void)
{
    size_t len = 0, dropped;

    temp_make(&temp);
    for (uint64_t i = 1; i <= 3; i++)
        (void)add(i);
    char *bytes = temp_get(temp.dir, NAME, &len);
    const size_t line = (size_t)(strchr(bytes, '\n') - bytes) + 1;
    bytes[line + 20] ^= 1;
    temp_put(temp.dir, NAME, bytes, len - 5);
    hold("1", "a damaged line, and a torn one");
    is_int(temp_said("damaged line"), 1, "damage is told");
    is_int(add(4), 0, "the next one");
    hold("1 4", "takes the place of the torn one");
    is_int(dead_drop(temp.dir, temp.path, is_odd, NULL, &dropped), 0, "one is taken out");
    hold("4", "and the others are there");
    char *after = temp_get(temp.dir, NAME, &len);
    ok(memmem(after, len, bytes + line, line) != NULL, "damage stays as it is");
    free(after);
    free(bytes);
    temp_drop(&temp);
}

static void faults(void)
{
    size_t dropped;
    int failed = 0;

    temp_make(&temp);
    fault_clear();
    for (uint64_t i = 1; i <= 4; i++)
        (void)add(i);
    fault_set(IO_WRITE, 0, 1, ENOSPC);
    is_int(add(5), -1, "no room for one more");
    is_int(errno, ENOSPC, "errno says so");
    hold("1 2 3 4", "the others are there");
    for (int call = 1; call < 20; call++) {
        fault_burst(call, call);
        const int result = dead_drop(temp.dir, temp.path, is_odd, NULL, &dropped);
        fault_clear();
        char text[64] = "";
        (void)dead_scan(temp.dir, temp.path, note, text);
        if (result == 0) {
            is_str(text, "2 4", "at last they are taken out");
            break;
        }
        failed++;
        ok((strcmp(text, "1 2 3 4") == 0 || strcmp(text, "2 4") == 0) && dropped == 0,
           "call %d of taking out fails: all of it or nothing", call);
        temp_remove(temp.dir, NAME);
        for (uint64_t i = 1; i <= 4; i++)
            (void)add(i);
    }
    ok(failed > 5, "that were %d", failed);
    temp_drop(&temp);
}

int main(void)
{
    temp_start();
    lives();
    damaged();
    faults();
    return done_testing();
}
