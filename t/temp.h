/* SPDX-License-Identifier: ISC */
/*
 * temp: what the tests of the modules that write to disk share.
 *
 * temp_start() comes first: it makes a directory with a blank in its name,
 * which is gone when the program ends, and keeps what the library writes to
 * standard error in a file of it: temp_said() looks there, and it is shown
 * when a check has failed. Each case works in a directory of its own below,
 * a struct temp. What a test itself cannot do ends it.
 *
 * fault_*() make system calls of the library fail, through the seam of io.h.
 * Threads: fault_*() any, the rest belongs in one. Forked children: _exit().
 */
#ifndef TEMP_H
#define TEMP_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io.h"
#include "record.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline _Noreturn void temp_die(const char *what)
{
    diag("the test cannot go on: %s: %s", what, strerror(errno));
    exit(99);
}

/* Files and directories */

static inline void temp_put(int dir, const char *name, const void *bytes, size_t len)
{
    const int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || close(fd) != 0)
        temp_die(name);
}

/* The whole file and a NUL, to be freed; NULL when there is none. */
static inline char *temp_get(int dir, const char *name, size_t *len)
{
    const int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) < 0)
        temp_die(name);
    char *bytes = malloc((size_t)st.st_size + 1);
    if (bytes == NULL || read(fd, bytes, (size_t)st.st_size) != (ssize_t)st.st_size)
        temp_die(name);
    bytes[st.st_size] = '\0';
    *len = (size_t)st.st_size;
    close(fd);
    return bytes;
}

static inline off_t temp_size(int dir, const char *name) /* -1: there is none */
{
    struct stat st;

    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -1 : st.st_size;
}

/* How many names stand in a directory; each is given to visit, unless that is NULL. */
static inline int temp_names(int dir, const char *name, void (*visit)(int, const char *))
{
    const int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    int count = 0;

    if (stream == NULL)
        temp_die(name);
    while ((entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        count++;
        if (visit != NULL)
            visit(fd, entry->d_name);
    }
    closedir(stream);
    return count;
}

static inline void temp_remove(int dir, const char *name)
{
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return;
    (void)temp_names(dir, name, temp_remove);
    (void)unlinkat(dir, name, AT_REMOVEDIR);
}

/* The directory of the program, and what the library said */

static struct {
    char path[PATH_MAX];
    int dir;
    int messages;
    off_t heard; /* so much of the messages is of no interest any more */
    pid_t owner;
} temp_top;

/* Messages since temp_hear(), to be freed. */
static inline char *temp_messages(void)
{
    struct stat st;

    if (fstat(temp_top.messages, &st) < 0)
        temp_die("messages");
    const size_t len = (size_t)(st.st_size - temp_top.heard);
    char *text = calloc(len + 1, 1);
    if (text == NULL || pread(temp_top.messages, text, len, temp_top.heard) != (ssize_t)len)
        temp_die("messages");
    return text;
}

/* In how many lines of them does this stand? */
static inline int temp_said(const char *what)
{
    char *text = temp_messages();
    int count = 0;

    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        count += strstr(line, what) != NULL;
    free(text);
    return count;
}

static inline void temp_hear(void)
{
    temp_top.heard = lseek(temp_top.messages, 0, SEEK_END);
}

static inline void temp_end(void)
{
    if (getpid() != temp_top.owner)
        return;
    if (tap.failed > 0) {
        temp_top.heard = 0;
        char *text = temp_messages();
        for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
            diag("said: %s", line);
        free(text);
    }
    temp_remove(AT_FDCWD, temp_top.path);
}

/* A sanitizer's report must not go to the messages. */
extern void __sanitizer_set_report_fd(void *fd) __attribute__((weak));

static inline void temp_start(void)
{
    const char *parent = getenv("TMPDIR");

    (void)snprintf(temp_top.path, sizeof(temp_top.path), "%s/hookspool test XXXXXX",
                   parent != NULL && parent[0] != '\0' ? parent : "/tmp");
    if (mkdtemp(temp_top.path) == NULL)
        temp_die(temp_top.path);
    temp_top.dir = open(temp_top.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    temp_top.messages = openat(temp_top.dir, "messages", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC,
                               0600);
    temp_top.owner = getpid();
    atexit(temp_end);

    /* diag() keeps the real standard error, the library's descriptor 2 is the file. */
    const int terminal = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    FILE *stream = terminal < 0 ? NULL : fdopen(terminal, "w");
    if (stream == NULL || temp_top.messages < 0 || dup2(temp_top.messages, STDERR_FILENO) < 0)
        temp_die("standard error");
    (void)setvbuf(stream, NULL, _IOLBF, 0);
    stderr = stream;
    if (__sanitizer_set_report_fd != NULL)
        __sanitizer_set_report_fd((void *)(intptr_t)terminal);
}

/* A directory for one case. */
struct temp {
    int dir;
    char name[32];
    char path[PATH_MAX + 32];
};

static inline void temp_make(struct temp *temp)
{
    static int number;

    (void)snprintf(temp->name, sizeof(temp->name), "spool %d", ++number);
    (void)snprintf(temp->path, sizeof(temp->path), "%s/%s", temp_top.path, temp->name);
    if (mkdirat(temp_top.dir, temp->name, 0750) < 0)
        temp_die(temp->path);
    temp->dir = openat(temp_top.dir, temp->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (temp->dir < 0)
        temp_die(temp->path);
    temp_hear();
}

static inline void temp_drop(struct temp *temp)
{
    close(temp->dir);
    temp_remove(temp_top.dir, temp->name);
}

/* Records, and what a process has open */

/* The line of an event with this id and a JSON body, and a NUL; to be freed. */
static inline char *temp_line(const char *id, const char *body, size_t *len)
{
    struct event event = {.id = id, .source = "/webhooks/test", .type = "test.made",
                          .time = 1764000000, .received = {1764000001, 0}, .body = body,
                          .body_len = strlen(body), .form = EVENT_JSON};
    char *line = record_encode(&event, len);
    char *longer = line == NULL ? NULL : realloc(line, *len + 1);

    if (longer == NULL)
        temp_die("record");
    longer[*len] = '\0';
    return longer;
}

/* How many descriptors are open: a leak shows as a difference. */
static inline int temp_descriptors(void)
{
    return temp_names(AT_FDCWD, "/proc/self/fd", NULL);
}

/* Deadlines of the tests' own: only a test that fails ever waits for them. */
static inline int64_t temp_deadline(void)
{
    return io_now() + INT64_C(60) * 1000000000;
}

static inline void temp_pause(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = 200 * 1000}, NULL);
}

/* System calls that fail */

enum { FAULT_OPS = IO_UNLINK + 1 };

static struct {
    _Atomic int skip[FAULT_OPS];  /* let so many of this kind pass */
    _Atomic int times[FAULT_OPS]; /* then let so many fail */
    _Atomic int error[FAULT_OPS];
    _Atomic int calls[FAULT_OPS]; /* attempts since fault_clear() */
    _Atomic int total;
    _Atomic int from, to; /* calls of any kind, counted by total, that fail; from 1 */
} fault;

static inline int fault_seam(const struct io_call *call)
{
    if (call->done)
        return 0;
    const int number = atomic_fetch_add(&fault.total, 1) + 1;
    atomic_fetch_add(&fault.calls[call->op], 1);
    if (number >= atomic_load(&fault.from) && number <= atomic_load(&fault.to))
        return EIO;
    if (atomic_load(&fault.times[call->op]) == 0)
        return 0;
    if (atomic_fetch_sub(&fault.skip[call->op], 1) > 0)
        return 0;
    atomic_fetch_sub(&fault.times[call->op], 1);
    return atomic_load(&fault.error[call->op]);
}

static inline void fault_clear(void)
{
    for (int op = 0; op < FAULT_OPS; op++) {
        atomic_store(&fault.skip[op], 0);
        atomic_store(&fault.times[op], 0);
        atomic_store(&fault.calls[op], 0);
    }
    atomic_store(&fault.total, 0);
    atomic_store(&fault.from, INT_MAX);
    atomic_store(&fault.to, 0);
    io_seam = fault_seam;
}

/* After `skip` more calls of this kind, `times` of them fail. */
static inline void fault_set(enum io_op op, int skip, int times, int error)
{
    atomic_store(&fault.skip[op], skip);
    atomic_store(&fault.error[op], error);
    atomic_store(&fault.times[op], times);
}

/* The calls with these numbers fail, whatever they are; the first is 1. */
static inline void fault_burst(int from, int to)
{
    fault_clear();
    atomic_store(&fault.from, from);
    atomic_store(&fault.to, to);
}

static inline int fault_calls(enum io_op op)
{
    return atomic_load(&fault.calls[op]);
}

#endif
