/* SPDX-License-Identifier: ISC */
/*
 * puts: what the tests of those who look after a spool share: a spool in a
 * struct temp (temp.h), events put into it, and processes that are ended before
 * or after each system call of what they do.
 */
#ifndef PUTS_H
#define PUTS_H

#include <sys/wait.h>

#include "reader.h"
#include "segment.h"
#include "store.h"
#include "temp.h"

/* No power is cut in these tests, and directories are synced by the hundred. */
int fsync(int fd);
int fsync(int fd)
{
    (void)fd;
    return 0;
}

int fdatasync(int fd);
int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

enum { PUTS_CRASHED = 99, PUTS_STEPS = 3000 };

/* Removes all files and keeps the directories: making 256 of them anew takes long. */
static inline void puts_empty_one(int dir, const char *name)
{
    if (unlinkat(dir, name, 0) < 0)
        (void)temp_names(dir, name, puts_empty_one);
}

static inline void puts_empty(struct temp *temp)
{
    temp_remove(temp->dir, "consumers");
    (void)temp_names(temp->dir, ".", puts_empty_one);
    temp_hear();
}

static inline struct store *puts_open(const struct temp *temp, uint64_t segment_size)
{
    const struct store_limits limits = {.segment_size = segment_size};
    struct store *store = store_open(temp->path, &limits);

    if (store == NULL)
        temp_die("store_open");
    return store;
}

/* An event with this id that arrived at this time; settles behind it, as a responder does. */
static inline enum store_verdict puts_put_at(struct store *store, const char *id, int64_t received)
{
    struct event event = {.id = id, .source = "/webhooks/test", .type = "test.made",
                          .time = received, .received = {received, 0}, .body = "{\"n\":1}",
                          .body_len = 7, .form = EVENT_JSON};
    struct store_ticket ticket;
    size_t len;
    char *line = record_encode(&event, &len);

    if (line == NULL)
        temp_die("record");
    const enum store_verdict verdict = store_put(store, id, line, len, temp_deadline(), &ticket);
    if (verdict == STORE_LATE)
        store_finish(store, id, &ticket);
    store_settle(store);
    free(line);
    return verdict;
}

static inline enum store_verdict puts_put(struct store *store, const char *id)
{
    return puts_put_at(store, id, 1764000001);
}

struct puts_tally {
    const char *id;
    int times, lines, damaged;
};

static inline int puts_count_line(void *context, const struct segment_line *line)
{
    struct puts_tally *tally = context;

    tally->damaged += line->damaged && !reader_blank(line);
    tally->lines++;
    if (!line->damaged && line->view.id_len == strlen(tally->id)
        && memcmp(line->view.id, tally->id, line->view.id_len) == 0)
        tally->times++;
    return 0;
}

/* How often the id stands in the log; -1: a line of it is damaged. */
static inline int puts_times(const struct temp *temp, const char *id)
{
    struct puts_tally tally = {.id = id};
    char path[PATH_MAX + 64];

    (void)snprintf(path, sizeof(path), "%s/log", temp->path);
    const int dir = openat(temp->dir, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || segment_scan(dir, path, 0, UINT64_MAX, puts_count_line, &tally) < 0)
        temp_die(path);
    close(dir);
    return tally.damaged > 0 ? -1 : tally.times;
}

/* The path of an id's entry, or of its pending name, below the spool. */
static inline const char *puts_path(const char *id, bool pending)
{
    static char path[320];

    (void)snprintf(path, sizeof(path), "locks/%02x/%s%s",
                   (unsigned)(record_id_hash(id, strlen(id)) & 0xff), pending ? "." : "", id);
    return path;
}

static inline bool puts_has(const struct temp *temp, const char *path)
{
    return faccessat(temp->dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static struct {
    int countdown; /* calls until the process is ended; negative: never */
    bool after;    /* on the far side of the call */
} puts_end_at;

static inline int puts_ending_seam(const struct io_call *call)
{
    if (puts_end_at.countdown >= 0 && call->done == puts_end_at.after
        && puts_end_at.countdown-- == 0)
        _exit(PUTS_CRASHED);
    return 0;
}

/*
 * Runs act() in a process of its own, which is ended before or after the call with this number,
 * counted from the beginning: PUTS_CRASHED, or what act() returned.
 */
static inline int puts_run(int (*act)(const struct temp *), const struct temp *temp, int step,
                           bool after)
{
    int status;

    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        puts_end_at.countdown = step;
        puts_end_at.after = after;
        io_seam = puts_ending_seam;
        _exit(act(temp));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        temp_die("fork");
    return WEXITSTATUS(status);
}

/* Lets act() begin: only the calls from here on are counted. */
static inline void puts_from_here(int step)
{
    puts_end_at.countdown = step;
}

/* Every step, but not each of the 256 directories that are made or synced one like the other. */
static inline int puts_next(int step)
{
    return step < 60 ? step + 1 : step + 53;
}

#endif
