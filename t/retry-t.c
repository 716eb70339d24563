/* SPDX-License-Identifier: ISC */
/* What waits to be offered again: what supersedes what, who is due, two writers, a new file. */
#include "autoconf.h"

#include "retry.h"

#include "tap.h"
#include "temp.h"

#define NAME "retry.ndjson"

static struct temp temp;
static const struct retry_clock noon = {1000, 3600};

static struct failure make(uint64_t position, unsigned attempts, int64_t next, const char *event)
{
    struct failure failure = {.position = position, .attempts = attempts, .first = 900,
                              .last = 950, .next = next, .status = 1, .event = event,
                              .event_len = strlen(event)};

    snprintf(failure.id, sizeof(failure.id), "msg_%ju", (uintmax_t)position);
    strcpy(failure.type, "test");
    return failure;
}

static int add(struct retry *retry, uint64_t position, unsigned attempts, int64_t next)
{
    const struct failure failure = make(position, attempts, next, "{\"small\":1}");

    return retry_add(retry, &failure, 1);
}

/* What stands: "POSITION*ATTEMPTS ...". */
static void stands(const struct retry *retry, const char *want, const char *what)
{
    char text[1024] = "";

    for (size_t i = 0; i < retry_count(retry); i++) {
        const struct retry_entry *entry = retry_at(retry, i);
        const size_t at = strlen(text);
        snprintf(text + at, sizeof(text) - at, "%s%ju*%u", i > 0 ? " " : "",
                 (uintmax_t)entry->position, entry->attempts);
        if (retry_find(retry, entry->position) != entry)
            strcat(text, "(not found)");
    }
    is_str(text, want, "%s", what);
}

/* The same as somebody else finds it. */
static void kept(const char *want, const char *what)
{
    struct retry *retry = retry_open(temp.dir, temp.path, false);

    stands(retry, want, what);
    retry_close(retry);
}

static int lines(void)
{
    size_t len = 0;
    char *bytes = temp_get(temp.dir, NAME, &len);
    int count = 0;

    for (const char *at = bytes; (at = memchr(at, '\n', len - (size_t)(at - bytes))) != NULL; at++)
        count++;
    free(bytes);
    return count;
}

static void supersedes(void)
{
    temp_make(&temp);
    struct retry *retry = retry_open(temp.dir, temp.path, true);
    stands(retry, "", "nothing waits");
    is_int(add(retry, 50, 1, 1), 0, "a failure");
    is_int(add(retry, 10, 1, 1), 0, "of an event before it");
    is_int(add(retry, 90, 1, 1), 0, "and behind it");
    stands(retry, "10*1 50*1 90*1", "they stand by position");
    is_int(add(retry, 50, 2, 1), 0, "one fails again");
    stands(retry, "10*1 50*2 90*1", "and stands once");
    is_int(retry_done(retry, (const uint64_t[]){10, 70}, 2), 0, "one is done; one never was there");
    stands(retry, "50*2 90*1", "it is gone");
    kept("50*2 90*1", "all of it is in the file");
    is_int(add(retry, 10, 1, 1), 0, "it fails again");
    is_int(retry_done(retry, (const uint64_t[]){50, 90}, 2), 0, "two are done at once");
    stands(retry, "10*1", "one is left");
    kept("10*1", "in the file too");
    ok(retry_find(retry, 50) == NULL && retry_find(retry, 11) == NULL, "the others are not found");
    retry_close(retry);
    temp_drop(&temp);
}

static void due(void)
{
    struct retry_entry out[8];

    temp_make(&temp);
    struct retry *retry = retry_open(temp.dir, temp.path, true);
    is_int(retry_next(retry, noon), INT64_MAX, "nothing is ever due");
    (void)add(retry, 1, 1, 1001);
    (void)add(retry, 2, 1, 1000);
    (void)add(retry, 3, 1, 4600);
    (void)add(retry, 4, 1, 4601); /* longer than a backoff */
    (void)add(retry, 5, 1, 5);
    (void)add(retry, 6, 1, INT64_C(4000000000));
    is_int(retry_due(retry, noon, 0, 8, out), 4, "those are due");
    ok(out[0].position == 2 && out[1].position == 4 && out[2].position == 5
           && out[3].position == 6, "whose time has come, or was written by a wrong clock");
    is_int(retry_due(retry, noon, 3, 2, out), 2, "two of them, from a position on");
    ok(out[0].position == 4 && out[1].position == 5, "in the order of the log");
    is_int(retry_when(retry_find(retry, 6), noon), 1000, "one from the future is due now");
    is_int(retry_next(retry, noon), 5, "the next one has been due for long");
    is_int(retry_done(retry, (const uint64_t[]){2, 4, 5, 6}, 4), 0, "they are done");
    is_int(retry_next(retry, noon), 1001, "the next one is soon");
    retry_close(retry);
    temp_drop(&temp);
}

static void loads(void)
{
    static const char event[] = "{\"specversion\":\"1.0\",\"data\":\"\xe2\x82\xac\"}";
    struct failure loaded;
    char bytes[64], *line;

    temp_make(&temp);
    struct retry *retry = retry_open(temp.dir, temp.path, true);
    (void)add(retry, 10, 1, 1);
    const struct failure failure = make(20, 4, 77, event);
    is_int(retry_add(retry, &failure, 1), 0, "a failure");
    const struct retry_entry entry = *retry_find(retry, 20);
    is_int(retry_load(retry, &entry, &loaded, &line), 0, "is loaded");
    ok(loaded.attempts == 4 && loaded.next == 77 && strcmp(loaded.id, "msg_20") == 0, "whole");
    is_mem(loaded.event, loaded.event_len, event, strlen(event), "with its event");
    free(line);
    ok(pread(retry_descriptor(retry), bytes, entry.event_len, (off_t)entry.event_offset)
               == (ssize_t)strlen(event) && memcmp(bytes, event, strlen(event)) == 0,
       "which stands in the file where the entry says");

    struct retry_entry wrong = entry;
    wrong.offset = retry_find(retry, 10)->offset;
    wrong.len = retry_find(retry, 10)->len;
    is_int(retry_load(retry, &wrong, &loaded, &line), -1, "another line in its place");
    ok(errno == EIO && line == NULL, "is not taken for it");
    retry_close(retry);
    temp_drop(&temp);
}

/* A drain and `retry`, in turn. */
static void two_writers(void)
{
    temp_make(&temp);
    struct retry *drain = retry_open(temp.dir, temp.path, true);
    struct retry *verb = retry_open(temp.dir, temp.path, true);
    (void)add(drain, 10, 1, 2000);
    is_int(retry_refresh(drain), 0, "what it wrote itself is no news");
    is_int(retry_refresh(verb), 1, "for the other it is");
    (void)add(verb, 10, 1, 5);
    (void)add(verb, 20, 0, 5);
    is_int(retry_refresh(drain), 1, "and the reverse");
    stands(drain, "10*1 20*0", "it knows both");
    is_int(retry_at(drain, 0)->next, 5, "one is due earlier");
    is_int(retry_refresh(drain), 0, "nothing since");

    /* Written anew by the drain: the other one finds the new file. */
    char *event = malloc(300 * 1024);
    memset(event, 'x', 300 * 1024 - 1);
    event[300 * 1024 - 1] = '\0';
    const struct failure large = make(30, 1, 1, event);
    is_int(retry_add(drain, &large, 1), 0, "a large one");
    is_int(retry_compact(drain), 0, "when most stands");
    stands(drain, "10*1 20*0 30*1", "nothing is done");
    is_int(retry_done(drain, (const uint64_t[]){30, 20}, 2), 0, "it is done");
    const off_t before = temp_size(temp.dir, NAME);
    is_int(retry_compact(drain), 0, "when little stands");
    ok(temp_size(temp.dir, NAME) < before / 100, "the file is written anew");
    stands(drain, "10*1", "with that");
    is_int(lines(), 1, "and nothing else");
    is_int(add(drain, 40, 1, 1), 0, "it goes on");
    is_int(retry_refresh(verb), 1, "the other one");
    stands(verb, "10*1 40*1", "goes on with the new file");
    is_int(add(verb, 50, 1, 1), 0, "and writes to it");
    kept("10*1 40*1 50*1", "as is seen");

    /* Without room for it. */
    (void)retry_refresh(drain);
    ok(retry_add(drain, &large, 1) == 0 && retry_done(drain, (const uint64_t[]){30}, 1) == 0,
       "once more");
    fault_clear();
    fault_set(IO_WRITE, 0, 1, ENOSPC);
    is_int(retry_compact(drain), -1, "there is no room to write it anew");
    fault_clear();
    is_int(add(drain, 60, 1, 1), 0, "but for another failure there is");
    kept("10*1 40*1 50*1 60*1", "and nothing is lost");
    free(event);
    retry_close(drain);
    retry_close(verb);
    temp_drop(&temp);
}

/* Damage is told and kept; an error leaves things as they were. */
static void damaged(void)
{
    size_t len = 0;

    temp_make(&temp);
    struct retry *retry = retry_open(temp.dir, temp.path, true);
    for (uint64_t i = 1; i <= 3; i++)
        (void)add(retry, i, 1, 1);
    const uint64_t second = retry_find(retry, 2)->offset;
    retry_close(retry);
    char *bytes = temp_get(temp.dir, NAME, &len);
    bytes[second + 30] ^= 1;
    temp_put(temp.dir, NAME, bytes, len);
    free(bytes);
    retry = retry_open(temp.dir, temp.path, true);
    is_int(temp_said("damaged line"), 1, "damage is told");
    stands(retry, "1*1 3*1", "the others stand");
    fault_clear();
    fault_set(IO_FDATASYNC, 0, 1, EIO);
    is_int(add(retry, 4, 1, 1), -1, "a failure cannot be written");
    stands(retry, "1*1 3*1", "and does not stand");
    fault_set(IO_FDATASYNC, 0, 1, EIO);
    is_int(retry_done(retry, (const uint64_t[]){1}, 1), -1, "nor can one be struck out");
    stands(retry, "1*1 3*1", "which stands");
    fault_clear();
    kept("1*1 3*1", "in the file too");

    struct failure many[40];
    for (uint64_t i = 0; i < COUNT(many); i++)
        many[i] = make(100 + i, 1, 1, "{}");
    is_int(retry_add(retry, many, COUNT(many)), 0, "many at once");
    is_int(retry_count(retry), 42, "stand");
    size_t loaded = 0;
    for (size_t i = 0; i < COUNT(many); i++) {
        struct failure failure;
        char *line;
        loaded += retry_load(retry, retry_find(retry, 100 + i), &failure, &line) == 0;
        free(line);
    }
    is_int(loaded, COUNT(many), "and each is loaded from its place");
    retry_close(retry);
    retry = retry_open(temp.dir, temp.path, false);
    is_int(retry_count(retry), 42, "and are in the file");
    retry_close(retry);

    /* Damage that is kept is no reason to write the file anew each time. */
    char *large = calloc(1, 600 * 1024);
    memset(large, 'x', 600 * 1024 - 1);
    large[600 * 1024 - 1] = '\n';
    temp_put(temp.dir, NAME, large, 600 * 1024);
    free(large);
    retry = retry_open(temp.dir, temp.path, true);
    fault_clear();
    ok(retry_compact(retry) == 0 && fault_calls(IO_RENAME) == 0, "nor are 600 KiB of damage moved");
    retry_close(retry);
    temp_drop(&temp);
}

int main(void)
{
    temp_start();
    supersedes();
    due();
    loads();
    two_writers();
    damaged();
    return done_testing();
}
