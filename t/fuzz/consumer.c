/* SPDX-License-Identifier: ISC */
/*
 * The files of a consumer: the parts are cursor, retry.ndjson, dead.ndjson and a request to replay,
 * whatever was left of them. They are read, changed and read again; what was appended stands.
 */
#include "fuzz.h"

#include "consumer.h"
#include "cursor.h"
#include "dead.h"
#include "replay.h"
#include "retry.h"

static void put(int dir, const char *name, const char *bytes, size_t len)
{
    const int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    FUZZ_CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
    close(fd);
}

static const struct failure example = {
    .position = 1234567, .id = "msg_x", .type = "a.b", .attempts = 3, .first = 10, .last = 20,
    .next = 30, .status = 1, .reason = "exit status 1", .stderr_text = "no \"luck\"\n",
    .event = "{\"specversion\":\"1.0\"}", .event_len = 21};

static void try_cursor(int dir)
{
    struct cursor cursor;

    if (cursor_open(&cursor, dir, "c", "cursor") < 0)
        return;
    const uint64_t position = cursor.position;
    for (size_t i = 0; i < cursor.count; i++)
        FUZZ_CHECK(cursor.done[i].from < cursor.done[i].to && cursor.done[i].from > position);
    if (position < UINT64_MAX / 2) {
        FUZZ_CHECK(cursor_done(&cursor, position, position + 10) == 0);
        FUZZ_CHECK(cursor.position >= position + 10 && cursor_sync(&cursor) == 0);
    }
    const uint64_t moved = cursor.position;
    cursor_close(&cursor);
    FUZZ_CHECK(cursor_read(&cursor, dir, "c", "cursor") == 1 && cursor.position == moved);
}

static void try_retry(int dir)
{
    struct failure found;
    char *line;

    struct retry *retry = retry_open(dir, "c", true);
    FUZZ_CHECK(retry != NULL);
    const size_t before = retry_count(retry);
    FUZZ_CHECK(retry_add(retry, &example, 1) == 0);
    const struct retry_entry *entry = retry_find(retry, example.position);
    FUZZ_CHECK(entry != NULL && retry_load(retry, entry, &found, &line) == 0);
    FUZZ_CHECK(strcmp(found.id, example.id) == 0 && found.attempts == example.attempts
               && strcmp(found.stderr_text, example.stderr_text) == 0
               && found.event_len == example.event_len);
    free(line);
    FUZZ_CHECK(retry_compact(retry) == 0);
    const size_t count = retry_count(retry);
    FUZZ_CHECK(count == before || count == before + 1);
    retry_close(retry);
    retry = retry_open(dir, "c", true);
    FUZZ_CHECK(retry != NULL && retry_count(retry) == count
               && retry_find(retry, example.position) != NULL);
    FUZZ_CHECK(retry_done(retry, &example.position, 1) == 0
               && retry_find(retry, example.position) == NULL);
    retry_close(retry);
}

static int count_dead(void *context, const struct failure *failure)
{
    FUZZ_CHECK(strlen(failure->id) <= FAILURE_ID && failure->event_len > 0);
    ++*(unsigned *)context;
    return 0;
}

static bool is_example(void *context, const struct failure *failure)
{
    (void)context;
    return failure->position == example.position;
}

static void try_dead(int dir)
{
    unsigned before = 0, after = 0;
    size_t dropped;

    FUZZ_CHECK(dead_scan(dir, "c", count_dead, &before) == 0);
    FUZZ_CHECK(dead_add(dir, "c", &example, 1) == 0);
    FUZZ_CHECK(dead_drop(dir, "c", is_example, NULL, &dropped) == 0 && dropped >= 1);
    FUZZ_CHECK(dead_scan(dir, "c", count_dead, &after) == 0 && after + dropped == before + 1);
}

static void try_replay(int dir)
{
    const struct consumer consumer = {.name = (char *)"c", .path = (char *)"c", .dir = dir,
                                      .drain_fd = -1, .lock_fd = -1};
    struct replay replay;

    if (replay_first(&consumer, &replay) > 0) {
        FUZZ_CHECK(replay.from <= replay.to);
        replay_release(&replay);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"cursor", "retry.ndjson", "dead.ndjson", "replay-1"};
    const char *part;
    size_t len;

    const int dir = fuzz_directory();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && fuzz_part(&data, &size, &part, &len);
         i++)
        put(dir, names[i], part, len);
    try_cursor(dir);
    try_retry(dir);
    try_dead(dir);
    try_replay(dir);
    return 0;
}
