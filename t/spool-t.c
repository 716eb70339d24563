/* SPDX-License-Identifier: ISC */
/* Where a log ends for who reads it: with its state, after a boot, while it is repaired. */
#include "autoconf.h"

#include "spool.h"

#include <sys/file.h>

#include "desk.h"
#include "logstate.h"
#include "store.h"

static void ends(uint64_t want, const char *what)
{
    uint64_t end = 99;

    is_int(spool_end(&desk.spool, &end), 0, "%s: the end is known", what);
    is_int(end, want, "%s: and where it is", what);
    const int again = openat(desk.spool.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    is_int(flock(again, LOCK_EX | LOCK_NB), 0, "%s: nobody is kept out", what);
    close(again);
}

static void put_behind(const char *bytes, size_t len)
{
    char path[64];

    snprintf(path, sizeof(path), "calls/log/%020ju.ndjson", (uintmax_t)desk.segment);
    const int fd = openat(desk.temp.dir, path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (write(fd, bytes, len) != (ssize_t)len || close(fd) != 0)
        temp_die(path);
}

/* No responder has opened it since the machine was started. */
static void after_a_boot(void)
{
    uint64_t begin;

    desk_make();
    desk_open();
    is_int(spool_begin(&desk.spool, &begin), 0, "a log without segments");
    ok(begin == UINT64_MAX, "has no beginning");
    ends(0, "without segments");
    desk_add(3, true);
    ends(desk_end(), "one segment");
    desk_add(2, true);
    desk_add(2, true);
    ends(desk_end(), "three segments");
    is_int(spool_begin(&desk.spool, &begin), 0, "its first segment");
    is_int(begin, 0, "is where it begins");
    put_behind("{\"torn", 6);
    ends(desk_end(), "a torn line");
    put_behind("\n", 1);
    ends(desk_end(), "a line that does not prove itself, at the end");
    const uint64_t damage = desk_end() + 7;
    desk.position[desk.events] = damage;
    desk_add(1, false);
    ends(desk_end(), "the same before a whole line");
    desk_add(0, true);
    ends(desk_end(), "an empty segment at the end");
    put_behind("x", 1);
    ends(desk_end(), "with a torn line in it");
    fault_clear();
    ends(desk_end(), "again");
    is_int(fault_calls(IO_FDATASYNC), 1, "what it says is on the disk is synced first");
    fault_set(IO_FDATASYNC, 0, 1, EIO);
    uint64_t end;
    is_int(spool_end(&desk.spool, &end), -1, "when that fails");
    is_int(errno, EIO, "the end is not known");
    desk_drop();
}

/* The page of those who append, in a state of our making. */
static void with_a_state(void)
{
    struct logstate state;
    uint64_t end;

    desk_make();
    desk_add(2, true);
    desk_open();
    if (logstate_open(&state, desk.spool.log_dir, desk.spool.log_path) < 0)
        temp_die("state");
    ends(desk_end(), "a page that was never written");
    logstate_begin(&state);
    state.page->written = desk_end();
    state.page->synced = desk.position[1];
    state.page->phase = LOGSTATE_IN_USE;
    ends(desk.position[1], "one that is: as far as it is synced");
    state.page->phase = LOGSTATE_CLEAN;
    ends(desk.position[1], "also when it was closed");
    temp_hear();
    state.page->phase = LOGSTATE_DOUBTFUL;
    is_int(spool_end(&desk.spool, &end), -1, "when its repair has not come to its end");
    is_int(errno, EWOULDBLOCK, "it is to be tried again");
    is_int(temp_said("is being repaired"), 1, "which is said");
    state.page->boot[3] ^= 1;
    ends(desk_end(), "in another boot: what is on the disk");

    /* Somebody repairs it now. */
    const int repair = openat(desk.spool.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)flock(repair, LOCK_EX);
    is_int(spool_end(&desk.spool, &end), -1, "while it is repaired");
    is_int(errno, EWOULDBLOCK, "it is to be tried again");
    (void)flock(repair, LOCK_SH);
    is_int(spool_end(&desk.spool, &end), 0, "others who read are in nobody's way");
    close(repair);
    logstate_close(&state);
    desk_drop();
}

/* The real thing. */
static void with_a_store(void)
{
    const struct store_limits limits = {.segment_size = 1024};
    struct store_ticket ticket;
    char path[PATH_MAX + 64];
    size_t len;

    desk_make();
    desk_add(2, true);
    desk_open();
    snprintf(path, sizeof(path), "%s/calls", desk.temp.path);
    struct store *store = store_open(path, &limits);
    for (int i = 0; i < 10; i++) {
        char id[16];
        uint64_t end;
        snprintf(id, sizeof(id), "new%d", i);
        char *line = temp_line(id, "{\"a\":1}", &len);
        if (store_put(store, id, line, len, temp_deadline(), &ticket) != STORE_STORED)
            temp_die("put");
        free(line);
        desk.position[desk.events + 1] = desk_end() + len;
        desk.events++;
        if (spool_end(&desk.spool, &end) < 0 || end != desk_end())
            ok(false, "event %d is at the end", i);
    }
    store_close(store);
    ends(desk_end(), "after it was closed");
    desk_drop();
}

static void opens(void)
{
    struct spool spool;

    desk_make();
    ok(spool_exists(&desk.config, &desk.spool_config), "a spool");
    temp_remove(desk.temp.dir, "calls");
    ok(!spool_exists(&desk.config, &desk.spool_config), "that is gone");
    is_int(spool_open(&spool, &desk.config, &desk.spool_config), -1, "is not opened");
    is_int(errno, ENOENT, "for it is not there");
    is_int(temp_said("hookspoold makes it"), 1, "and who makes it is said");
    desk_drop();
}

int main(void)
{
    temp_start();
    after_a_boot();
    with_a_state();
    with_a_store();
    opens();
    return done_testing();
}
