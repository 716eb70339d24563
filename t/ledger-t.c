/* SPDX-License-Identifier: ISC */
/* The ledger: when an event is offered again or given up, and what a crash or an error leaves. */
#include "autoconf.h"

#include "ledger.h"

#include "desk.h"

static struct ledger ledger;

/* As a drain begins: the lock, then the ledger. */
static int open_ledger(void)
{
    uint64_t begin, end;

    desk_open();
    if (consumer_drain(&desk.consumer, false) != 1 || spool_begin(&desk.spool, &begin) < 0
        || spool_end(&desk.spool, &end) < 0)
        temp_die("drain");
    return ledger_open(&ledger, &desk.consumer, begin, end);
}

static void close_ledger(bool well)
{
    if (well && !ledger.doubtful)
        consumer_drain_ended(&desk.consumer);
    ledger_close(&ledger);
    desk_close();
}

static void begin(int events)
{
    desk_make();
    desk_add(events, true);
    if (open_ledger() < 0)
        temp_die("ledger");
}

static void end(void)
{
    close_ledger(true);
    desk_drop();
}

static int fail_event(int event, int64_t now)
{
    struct failure failure = desk_failure(event);

    return ledger_fail(&ledger, &failure, now);
}

static void pass(int from, int to)
{
    if (cursor_done(&ledger.cursor, desk.position[from], desk.position[to]) < 0)
        temp_die("cursor");
}

static int64_t next_of(int event)
{
    const struct retry_entry *entry = retry_find(ledger.retry, desk.position[event]);

    return entry == NULL ? -1 : entry->next;
}

static void backoff(void)
{
    static const int64_t want[] = {30, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600};
    struct config_consumer config = {.backoff_min = 30, .backoff_max = 3600};
    int wrong = 0;

    for (unsigned i = 0; i < COUNT(want); i++)
        wrong += ledger_backoff(&config, i) != want[i];
    is_int(wrong, 0, "each wait is twice the one before, up to the longest");
    is_int(ledger_backoff(&config, UINT32_MAX), 3600, "however many there were");
    config.backoff_min = config.backoff_max = 7;
    is_int(ledger_backoff(&config, 5), 7, "or always the same");
    config.backoff_max = 10;
    is_int(ledger_backoff(&config, 2), 10, "never longer than the longest");
}

/* Attempts and age: both have to be reached. */
static void gives_up(void)
{
    begin(3);
    is_int(fail_event(0, 1000), 0, "an event fails");
    is_int(next_of(0), 1030, "and is due after 30 s");
    pass(0, 1);
    is_int(fail_event(0, 1040), 0, "again");
    is_int(next_of(0), 1100, "after 60 s more");
    is_int(fail_event(0, 1099), 0, "a third time, before its age");
    is_str(desk_failed(), "e0*3 |", "it waits, though it had its attempts");
    is_int(fail_event(0, 1100), 0, "a fourth time, at its age");
    is_str(desk_failed(), "| e0*4", "it is dead");
    is_int(temp_said("attempt 4, given up"), 1, "which is told");

    is_int(fail_event(1, 2000), 0, "another fails");
    pass(1, 2);
    is_int(fail_event(1, 9000), 0, "and again, long after");
    is_str(desk_failed(), "e1*2 | e0*4", "it waits, for it has attempts left");
    is_int(fail_event(1, 8000), 0, "again, after the clock was set back");
    is_str(desk_failed(), "| e0*4 e1*3", "the first failure counts");
    is_int(ledger.failed, 7, "seven failures");
    is_int(ledger.buried, 2, "two are dead");
    is_int(temp_said("failed: exit status 1; attempt"), 7, "each was told");

    desk.consumer_config.max_attempts = 1;
    desk.consumer_config.max_age = 0;
    is_int(fail_event(2, 3000), 0, "where one attempt is all");
    is_str(desk_failed(), "| e0*4 e1*3 e2*1", "an event dies at once");
    end();
}

/* Brought back from the dead it begins anew. */
static void begins_anew(void)
{
    begin(2);
    pass(0, 2);
    struct failure revived = desk_failure(0);
    revived.next = 5;
    is_int(retry_add(ledger.retry, &revived, 1), 0, "one that was brought back");
    is_int(fail_event(0, 50000), 0, "fails");
    is_str(desk_failed(), "e0*1 |", "for the first time");
    is_int(next_of(0), 50030, "and waits as after the first time");
    is_int(fail_event(0, 50050), 0, "again");
    is_int(fail_event(0, 50099), 0, "and again");
    is_str(desk_failed(), "e0*3 |", "its age is counted from then");
    is_int(fail_event(0, 50100), 0, "and again");
    is_str(desk_failed(), "| e0*4", "until it dies once more");
    is_int(ledger_acknowledge(&ledger, (const uint64_t[]){desk.position[1]}, 1), 0,
           "one that never failed is acknowledged");
    is_str(desk_failed(), "| e0*4", "which changes nothing");
    end();
}

/* ---- what a crash leaves */

static void put_dead(int event)
{
    struct failure failure = desk_failure(event);

    failure.attempts = 9;
    if (dead_add(desk.consumer.dir, desk.consumer.path, &failure, 1) < 0)
        temp_die("dead");
}

static void reopen(bool well, const char *what)
{
    close_ledger(well);
    is_int(open_ledger(), 0, "%s: the next drain", what);
}

static void put_right(void)
{
    begin(6);
    pass(0, 2);
    pass(3, 4); /* of another job */
    is_int(fail_event(1, 1000), 0, "passed, fails");
    is_int(fail_event(2, 1000), 0, "not passed, fails");
    is_int(fail_event(3, 1000), 0, "passed by another job, fails");
    reopen(false, "in retry and not passed");
    is_str(desk_failed(), "e1*1 e3*1 |", "is struck out, for the log offers it again");

    put_dead(1);
    put_dead(0);
    put_dead(4);
    reopen(false, "dead, and waiting or not passed");
    is_str(desk_failed(), "e1*1 e3*1 | e0*9", "is not dead; who is passed and waits nowhere is");
    put_dead(1);
    put_dead(4);
    reopen(true, "a drain that ended well");
    is_str(desk_failed(), "e1*1 e3*1 | e0*9 e1*9 e4*9", "has left nothing to look for");
    reopen(false, "one that did not");
    is_str(desk_failed(), "e1*1 e3*1 | e0*9", "has");

    /* Whoever wrote it to retry may have died before his sync. */
    put_dead(1);
    for (enum io_op op = IO_WRITE; op <= IO_FSYNC; op++) {
        close_ledger(false);
        fault_clear();
        /* Before come the syncs of the log and the cursor, and those of two directories' names. */
        fault_set(op, op == IO_WRITE ? 0 : 2, 1, EIO);
        is_int(open_ledger(), -1, "where retry is not known to be durable (%d)", (int)op);
        is_str(desk_failed(), "e1*1 e3*1 | e0*9 e1*9", "no dead copy goes");
    }
    fault_clear();
    reopen(false, "when it is");
    is_str(desk_failed(), "e1*1 e3*1 | e0*9", "it does");

    fault_set(IO_WRITE, 0, 1, ENOSPC);
    is_int(fail_event(5, 1000), -1, "a failure cannot be recorded");
    ok(ledger.doubtful, "which makes the ledger doubtful");
    put_dead(4);
    reopen(true, "though it came to its end, one whose ledger is doubtful");
    is_str(desk_failed(), "e1*1 e3*1 | e0*9", "is looked after");

    temp_remove(desk.consumer.dir, "cursor");
    reopen(true, "a cursor that was removed");
    is_str(desk_failed(), "|", "leaves nothing waiting and nothing dead: all is offered again");
    end();
}

/* A verb whose sync failed cuts off again what it had written, before it lets go of the lock. */
static int cut_retry(const struct io_call *call)
{
    if (call->op == IO_OPEN && call->fd == desk.consumer.dir && strcmp(call->name, "lock") == 0)
        temp_put(desk.consumer.dir, "retry.ndjson", "", 0);
    return 0;
}

static void taken_back(void)
{
    begin(3);
    pass(0, 2);
    put_dead(0);
    const struct failure revived = desk_failure(0);
    is_int(retry_add(ledger.retry, &revived, 1), 0, "a verb brings one back from the dead");
    close_ledger(false);
    io_seam = cut_retry;
    is_int(open_ledger(), 0, "while it takes that back, a drain begins");
    io_seam = NULL;
    is_str(desk_failed(), "| e0*9", "the event is dead");
    is_int(retry_count(ledger.retry), 0, "and nothing waits");

    is_int(fail_event(1, 1000), 0, "one waits");
    temp_put(desk.consumer.dir, "retry.ndjson", "", 0);
    is_int(fail_event(2, 1000), 0, "when the file was cut behind the drain's back");
    is_str(desk_failed(), "e2*1 | e0*9", "the next one stands in it all the same");
    end();
}

static void marks(void)
{
    size_t len = 0;

    begin(1);
    close_ledger(true);
    is_int(open_ledger(), 0, "after a good end");
    ok(desk.consumer.clean, "it is clean");
    close_ledger(false);
    is_int(open_ledger(), 0, "after none");
    ok(!desk.consumer.clean, "it is not");
    close_ledger(true);
    desk_open();
    char *mark = temp_get(desk.consumer.dir, "drain", &len);
    mark[10] = mark[10] == 'a' ? 'b' : 'a';
    temp_put(desk.consumer.dir, "drain", mark, len);
    free(mark);
    desk_close();
    is_int(open_ledger(), 0, "after a good end in another boot");
    ok(!desk.consumer.clean, "it is not");
    end();
}

/* ---- beside `retry --dead`, and under replays */

static void beside_a_verb(void)
{
    begin(5);
    pass(0, 3);
    put_dead(0);
    put_dead(1);
    struct retry *verb = retry_open(desk.consumer.dir, desk.consumer.path, true);
    struct failure revived = desk_failure(0);
    is_int(retry_add(verb, &revived, 1), 0, "a verb brings one back, and dies");
    is_int(ledger_refresh(&ledger), 1, "the drain takes it in");
    is_str(desk_failed(), "e0*0 | e1*9", "and out of the dead");
    is_int(ledger_refresh(&ledger), 0, "there is nothing else");

    /* In the middle of a batch: not yet passed by the cursor, and dead already. */
    put_dead(4);
    revived = desk_failure(1);
    (void)retry_refresh(verb);
    is_int(retry_add(verb, &revived, 1), 0, "a verb brings another back, and dies");
    is_int(fail_event(3, 1000), 0, "while an event fails");
    is_str(desk_failed(), "e0*0 e1*0 e3*1 | e4*9", "one that just died stays dead");
    retry_close(verb);
    end();
}

static bool is_e0(void *context, const struct failure *failure)
{
    (void)context;
    return strcmp(failure->id, "e0") == 0;
}

static void replayed(void)
{
    begin(6);
    pass(0, 6);
    is_int(ledger_holds(&ledger, 0, desk_end()), 0, "no event has failed");
    for (int i = 0; i < 3; i++)
        put_dead(i);
    ledger_close(&ledger);
    if (ledger_open(&ledger, &desk.consumer, 0, desk_end()) < 0)
        temp_die("ledger");
    is_int(fail_event(3, 1000), 0, "one waits");
    is_int(ledger_holds(&ledger, desk.position[1], desk.position[2]), 1, "one is dead");
    is_int(ledger_holds(&ledger, desk.position[3], desk.position[4]), 1, "one waits");
    is_int(ledger_holds(&ledger, desk.position[4], desk.position[6]), 0, "those are neither");
    is_int(fail_event(1, 1000), 0, "a dead one fails when it is replayed");
    is_str(desk_failed(), "e1*1 e3*1 | e0*9 e2*9", "it waits, and is not dead");
    const uint64_t done[] = {desk.position[2], desk.position[3], desk.position[4]};
    is_int(ledger_acknowledge(&ledger, done, COUNT(done)), 0, "three are acknowledged");
    is_str(desk_failed(), "e1*1 | e0*9", "they wait no more, and are not dead");

    desk.consumer_config.max_attempts = 1;
    desk.consumer_config.max_age = 0;
    is_int(fail_event(0, 1000), 0, "a dead one fails, and has no other attempt");
    is_str(desk_failed(), "e1*1 | e0*9", "it is dead, once");
    is_int(fail_event(1, 2000), 0, "one that waits fails for the last time");
    is_str(desk_failed(), "| e0*9 e1*2", "and is dead");
    is_int(fail_event(4, 2000), 0, "one that was acknowledged fails");
    is_str(desk_failed(), "| e0*9 e1*2 e4*1", "and is dead");

    /* What it knows of the dead is not true any more when a verb has been there. */
    is_int(ledger_holds(&ledger, 0, desk_end()), 1, "there are dead ones");
    struct retry *verb = retry_open(desk.consumer.dir, desk.consumer.path, true);
    const struct failure revived = desk_failure(0);
    size_t dropped;
    is_int(retry_add(verb, &revived, 1), 0, "one is brought back");
    is_int(dead_drop(desk.consumer.dir, desk.consumer.path, is_e0, NULL, &dropped), 0, "whole");
    retry_close(verb);
    is_int(ledger_acknowledge(&ledger, &desk.position[0], 1), 0, "and acknowledged");
    is_str(desk_failed(), "| e1*2 e4*1", "it is gone");
    is_int(fail_event(0, 3000), 0, "when it is replayed, and fails");
    is_str(desk_failed(), "| e1*2 e4*1 e0*1", "it is dead");
    end();
}

/* ---- the cursor and the log */

static void places(void)
{
    desk_make();
    desk_add(2, true);
    desk_add(2, true);
    is_int(open_ledger(), 0, "a new consumer");
    is_int(ledger.cursor.position, 0, "begins at 0");
    pass(0, 1);
    close_ledger(true);
    char name[64];
    snprintf(name, sizeof(name), "calls/log/%020d.ndjson", 0);
    temp_remove(desk.temp.dir, name);
    temp_hear();
    is_int(open_ledger(), 0, "when a segment is gone");
    is_int(ledger.cursor.position, desk.position[2], "it goes on at the next");
    is_int(temp_said("never saw"), 1, "and says so");
    close_ledger(true);
    desk_open();
    temp_remove(desk.consumer.dir, "cursor");
    put_dead(0);
    put_dead(2);
    desk_close();
    temp_hear();
    is_int(open_ledger(), 0, "a consumer that never saw it");
    ok(ledger.cursor.position == desk.position[2] && temp_said("never saw") == 0, "says nothing");
    is_str(desk_failed(), "| e0*9", "of the dead only those stay that it will not be offered");
    pass(2, 4);
    close_ledger(true);

    snprintf(name, sizeof(name), "calls/log/%020ju.ndjson", (uintmax_t)desk.segment);
    temp_put(desk.temp.dir, name, "", 0);
    is_int(open_ledger(), -1, "before what it has read");
    is_int(errno, ESTALE, "a log is not its own");
    is_int(temp_said("this is not the log"), 1, "it says what to do");
    desk_drop();
}

int main(void)
{
    temp_start();
    backoff();
    gives_up();
    begins_anew();
    put_right();
    taken_back();
    marks();
    beside_a_verb();
    replayed();
    places();
    return done_testing();
}
