/* SPDX-License-Identifier: ISC */
/* Requests to replay: written, found in their order, and removed, whatever fails. */
#include "autoconf.h"

#include "replay.h"

#include "desk.h"

static int request(uint64_t from, const char *type)
{
    struct filter filter = FILTER_ALL;

    filter.type = type;
    return replay_request(&desk.consumer, from, from + 10, &filter);
}

static void finds(int want, uint64_t from, const char *what)
{
    struct replay replay;

    const int found = replay_first(&desk.consumer, &replay);
    ok(found == want && (found <= 0 || replay.from == from), "%s", what);
    if (found > 0)
        replay_release(&replay);
}

static void removes(void)
{
    struct replay replay;

    if (replay_first(&desk.consumer, &replay) != 1)
        temp_die("no request");
    is_int(replay_remove(&desk.consumer, &replay), 0, "it is removed");
    replay_release(&replay);
}

static void lives(void)
{
    static char one[] = "msg_1", two[] = "msg_2";
    char *const ids[] = {one, two};
    const struct filter filter = {.since = -5, .until = 1764000000, .type = "phone call.*",
                                  .ids = ids, .id_count = 2};
    struct replay replay;

    desk_make();
    desk_open();
    finds(0, 0, "there is none");
    is_int(replay_request(&desk.consumer, 7, 18446744073709551615u, &filter), 0, "a request");
    is_int(replay_first(&desk.consumer, &replay), 1, "is found");
    ok(replay.from == 7 && replay.to == UINT64_MAX && replay.filter.since == -5
           && replay.filter.until == 1764000000 && replay.filter.id_count == 2,
       "as it was made");
    is_str(replay.filter.type, "phone call.*", "with its pattern");
    ok(strcmp(replay.filter.ids[0], "msg_1") == 0 && strcmp(replay.filter.ids[1], "msg_2") == 0,
       "and its ids");
    replay_release(&replay);
    removes();
    finds(0, 0, "there is none any more");

    for (uint64_t i = 1; i <= 12; i++)
        (void)request(i, NULL);
    for (uint64_t i = 1; i <= 12; i++) {
        finds(1, i, "they are found in the order in which they were made");
        removes();
    }
    is_int(replay_request(&desk.consumer, 3, 4, &FILTER_ALL), 0, "a request for everything");
    finds(1, 3, "is found");
    temp_put(desk.consumer.dir, "replay-0", "1 2\n", 4);
    temp_put(desk.consumer.dir, "replay-1.cursor.new", "1 2\n", 4);
    temp_put(desk.consumer.dir, "replay-x", "1 2\n", 4);
    finds(1, 3, "files that look like one are none");
    desk_drop();
}

static void refused(void)
{
    static char bad[] = "a\nid b";
    char *const ids[] = {bad};
    struct filter filter = {.since = INT64_MIN, .until = INT64_MAX, .ids = ids, .id_count = 1};

    desk_make();
    desk_open();
    is_int(request(1, "a\nid b"), -1, "a pattern of two lines");
    is_int(errno, EINVAL, "is refused");
    is_int(replay_request(&desk.consumer, 1, 2, &filter), -1, "so is an id");
    filter.id_count = 3 * 1024 * 1024;
    char **many = calloc(filter.id_count, sizeof(*many));
    for (size_t i = 0; i < filter.id_count; i++)
        many[i] = (char *)"msg_1234";
    filter.ids = many;
    is_int(replay_request(&desk.consumer, 1, 2, &filter), -1, "and more than can be read again");
    free(many);
    finds(0, 0, "nothing is there");

    static const char *const wrong[] = {"", "x\n", "1\n", "1 2\nsinse 4\n", "1 2\ntype\n",
                                        "1 2\nid x"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        temp_put(desk.consumer.dir, "replay-1", wrong[i], strlen(wrong[i]));
        (void)request(50, NULL);
        finds(-1, 0, "what is no request is told");
        is_int(errno, EINVAL, "as that");
        ok(temp_size(desk.consumer.dir, "replay-1") < 0
               && temp_size(desk.consumer.dir, "replay-1.damaged") >= 0, "and moved aside");
        finds(1, 50, "so that the next one has its turn");
        removes();
    }
    desk_drop();
}

/* Each call fails once; a cursor that is left never shortens another request. */
static void faults(void)
{
    int failed = 0;

    desk_make();
    desk_open();
    for (int call = 1; call < 20; call++) {
        fault_burst(call, call);
        const int result = request(1, NULL);
        fault_clear();
        struct replay replay;
        const int found = replay_first(&desk.consumer, &replay);
        if (result == 0) {
            is_int(found, 1, "at last it is made");
            replay_release(&replay);
            break;
        }
        failed++;
        if (found == 0)
            continue;
        replay_release(&replay); /* only its name may not be durable */
        removes();
    }
    ok(failed > 4, "%d calls of a request can fail", failed);
    removes();

    for (int call = 1; call < 20; call++) {
        struct replay replay;
        (void)request(5, NULL);
        temp_put(desk.consumer.dir, "replay-1.cursor", "stale", 5);
        (void)replay_first(&desk.consumer, &replay);
        fault_burst(call, call);
        const int result = replay_remove(&desk.consumer, &replay);
        fault_clear();
        replay_release(&replay);
        if (replay_first(&desk.consumer, &replay) == 1) {
            ok(temp_size(desk.consumer.dir, "replay-1.cursor") == 5,
               "what is not removed has its cursor: call %d", call);
            is_int(replay_remove(&desk.consumer, &replay), 0, "it is removed");
            replay_release(&replay);
        }
        (void)request(5, NULL);
        is_int(temp_size(desk.consumer.dir, "replay-1.cursor"), -1, "a new request has none");
        removes();
        if (result == 0)
            break;
    }
    desk_drop();
}

int main(void)
{
    temp_start();
    lives();
    refused();
    faults();
    return done_testing();
}
