/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "check_socket.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "fcgiclient.h"
#include "io.h"

enum { PATIENCE = 10 /* seconds, when there is no configuration to tell */, SHOWN = 120 };

static const char what[] = "socket";

/* A request that hookspoold refuses before it looks for an endpoint: it takes POST alone. */
static const char *const question[] = {
    "GATEWAY_INTERFACE", "CGI/1.1", "SERVER_PROTOCOL", "HTTP/1.1", "REQUEST_METHOD", "GET",
    "SCRIPT_NAME", "/hookspool-check", "REQUEST_URI", "/hookspool-check", "CONTENT_LENGTH", "0",
    "REMOTE_ADDR", "127.0.0.1", NULL};

/* ---- may the web server connect */

/* Whom its processes run as, where its configuration has not told: the first of the usual names. */
static bool guess_web_user(struct check *check)
{
    static const char *const names[] = {"www-data", "nginx", "apache", "http", "www"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (identity_by_name(&check->web, names[i]) == 0)
            return true;
    }
    return false;
}

static void refuse_web_user(struct check *check, const struct identity_walk *walk)
{
    char owner[IDENTITY_NAME], group[IDENTITY_NAME];
    const char *user = check->web.name;

    const char *what_not = walk->directory ? "pass" : "connect to";
    const unsigned mode = (unsigned)walk->st.st_mode & 07777U;

    (void)identity_user(walk->st.st_uid, owner);
    (void)identity_group(walk->st.st_gid, group);
    if (check->web_known)
        finding_fail(check->findings, EX_CONFIG, what, "the web server, which runs as %s, cannot "
                     "%s '%s' (mode %04o, %s:%s)", user, what_not, walk->path, mode, owner, group);
    else
        finding_warn(check->findings, what, "if the web server runs as %s, it cannot %s '%s' "
                     "(mode %04o, %s:%s)", user, what_not, walk->path, mode, owner, group);
    if (walk->directory)
        finding_advise(check->findings, "chmod o+x '%s': who may connect is decided by the socket",
                       walk->path);
    else
        finding_advise(check->findings, "set SocketGroup=%s and SocketMode=0660 with: systemctl "
                       "edit hookspoold.socket; without systemd: install -d -o %s -g %s -m 2750 "
                       "\"$(dirname '%s')\" and restart hookspoold", user,
                       check->user_known ? check->user.name : "hookspool", user, walk->path);
}

static void check_web_user(struct check *check, const char *path)
{
    struct identity_walk walk;

    if (!check->web_known && !guess_web_user(check))
        return;
    const int reached = identity_walk(&check->web, path, W_OK, &walk);
    if (reached < 0)
        check_unseen(check, what, walk.path);
    else if (reached == 0 && !walk.acl)
        refuse_web_user(check, &walk);
    else if (reached > 0)
        finding_ok(check->findings, what, "'%s', the web server's user %s may connect", path,
                   check->web.name);
}

/* Is it there, and a socket? False after a finding. */
static bool is_socket(struct check *check, const char *path)
{
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && stat(path, &st) < 0 && errno == ENOENT) {
        finding_fail(check->findings, EX_CONFIG, what, "'%s' is a symbolic link to nothing", path);
        finding_advise(check->findings, "rm '%s', and: systemctl restart hookspoold.socket", path);
        return false;
    }
    if (stat(path, &st) < 0 && errno != ENOENT) {
        check_unseen(check, what, path);
        return false;
    }
    if (access(path, F_OK) < 0) {
        finding_fail(check->findings, EX_UNAVAILABLE, what, "there is no '%s': hookspoold does "
                     "not run, or listens elsewhere", path);
        finding_advise(check->findings, "systemctl start hookspoold.socket; or: hookspoold -s "
                       "'%s'; or name the socket that is in use: --socket", path);
        return false;
    }
    if (!S_ISSOCK(st.st_mode)) {
        finding_fail(check->findings, EX_CONFIG, what, "'%s' is no socket", path);
        finding_advise(check->findings, "see what it is: ls -ld '%s'; move it away, and: "
                       "systemctl restart hookspoold.socket", path);
        return false;
    }
    return true;
}

/* ---- does hookspoold answer */

static void tell_unreachable(struct check *check, const char *path)
{
    const int error = errno;

    if (error == EACCES || error == EPERM) {
        finding_warn(check->findings, what, "we may not connect to '%s' to try it", path);
        finding_advise(check->findings, "run it as root: sudo hookspool check");
        return;
    }
    if (error == ECONNREFUSED)
        finding_fail(check->findings, EX_UNAVAILABLE, what, "nobody listens at '%s': a process "
                     "that died has left it", path);
    else if (error == EAGAIN || error == ETIMEDOUT)
        finding_fail(check->findings, EX_UNAVAILABLE, what, "the queue of '%s' is full, and stays "
                     "so: hookspoold accepts no connection", path);
    else
        finding_fail(check->findings, EX_UNAVAILABLE, what, "cannot connect to '%s': %s", path,
                     strerror(error));
    finding_advise(check->findings, "systemctl restart hookspoold.socket hookspoold; journalctl "
                   "-u hookspoold -n 20");
}

static bool is_ours(const struct fcgiclient_answer *answer)
{
    static const char body[] = "{\"status\":\"refused\"}";
    const char *allow;
    const int len = fcgiclient_header(answer, "Allow", &allow);

    return answer->status == 405 && len == 4 && memcmp(allow, "POST", 4) == 0
        && strncmp(answer->body, body, sizeof(body) - 1) == 0;
}

/* The rest of the line of /proc/PID/limits; -1: not known, or without a limit. */
static long open_files(pid_t pid)
{
    static const char name[] = "Max open files";
    char path[64], line[256];
    long limit = -1;

    snprintf(path, sizeof(path), "/proc/%ld/limits", (long)pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, name, sizeof(name) - 1) == 0
            && sscanf(line + sizeof(name) - 1, "%ld", &limit) != 1)
            limit = -1;
    }
    if (file != NULL)
        fclose(file);
    return limit;
}

/* Is the process that made the socket hookspoold itself? Under systemd it is systemd. */
static bool is_hookspoold(pid_t pid)
{
    char path[64], name[32] = "";

    snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    const bool same = fgets(name, sizeof(name), file) != NULL
                      && strcmp(name, "hookspoold\n") == 0;
    fclose(file);
    return same;
}

/* What the kernel knows of the process that listens. */
static void check_process(struct check *check, const struct fcgiclient_answer *answer)
{
    char name[IDENTITY_NAME];

    if (answer->pid == 0 || !is_hookspoold(answer->pid))
        return;
    if (check->user_known && answer->uid != check->user.uid) {
        finding_fail(check->findings, EX_CONFIG, what, "hookspoold (process %ld) runs as %s, and "
                     "not as %s, whom the spool belongs to", (long)answer->pid,
                     identity_user(answer->uid, name), check->user.name);
        finding_advise(check->findings, "set User=%s with: systemctl edit hookspoold.service; or "
                       "say whom it is to run as: --user", check->user.name);
    }
    /* A connection a thread, as many again that wait, and the files of each spool. */
    const long limit = open_files(answer->pid);
    const long wanted = check->config == NULL ? 0
                        : 2 * (long)check->config->threads + 16 * (long)check->config->spool_count
                              + 32;
    if (limit >= 0 && limit < wanted) {
        finding_warn(check->findings, what, "hookspoold (process %ld) may have %ld files open, and "
                     "%u threads want some %ld", (long)answer->pid, limit, check->config->threads,
                     wanted);
        finding_advise(check->findings, "set LimitNOFILE=8192 with: systemctl edit "
                       "hookspoold.service; without systemd: ulimit -n 8192 before it starts");
    }
}

static void tell_answer(struct check *check, const char *path,
                        const struct fcgiclient_answer *answer, int64_t nanoseconds)
{
    if (is_ours(answer)) {
        finding_ok(check->findings, what, "hookspoold answers at '%s', in %.1f ms", path,
                   (double)nanoseconds / 1e6);
        check_process(check, answer);
        return;
    }
    finding_fail(check->findings, EX_CONFIG, what, "another program than hookspoold answers at "
                 "'%s', with status %d: %.*s", path, answer->status, SHOWN, answer->body);
    finding_advise(check->findings, "give each its own socket, in hookspoold.socket (or hookspoold "
                   "-s) and in the web server's configuration");
}

static void ask(struct check *check, const char *path)
{
    const int64_t seconds = check->config == NULL ? PATIENCE
                            : (check->config->deadline + 999) / 1000 + 1;
    struct fcgiclient_answer answer;
    const int64_t start = io_now();

    switch (fcgiclient_ask(path, question, start + seconds * 1000000000, &answer)) {
    case FCGICLIENT_ANSWERED:
        tell_answer(check, path, &answer, io_now() - start);
        return;
    case FCGICLIENT_UNREACHABLE:
        tell_unreachable(check, path);
        return;
    case FCGICLIENT_SILENT:
        finding_fail(check->findings, EX_UNAVAILABLE, what, "'%s' takes a connection and does not "
                     "answer within %" PRId64 " s", path, seconds);
        finding_advise(check->findings, "see what it waits for: journalctl -u hookspoold -n 20; "
                       "dmesg | tail; then: systemctl restart hookspoold");
        return;
    case FCGICLIENT_CLOSED:
        finding_fail(check->findings, EX_UNAVAILABLE, what, "'%s' is closed without an answer",
                     path);
        break;
    case FCGICLIENT_FOREIGN:
        finding_fail(check->findings, EX_CONFIG, what, "what answers at '%s' does not speak "
                     "FastCGI: it is not hookspoold", path);
        break;
    case FCGICLIENT_REFUSED:
        finding_fail(check->findings, EX_UNAVAILABLE, what, "what listens at '%s' takes no "
                     "request: it is overloaded, or not hookspoold", path);
        break;
    case FCGICLIENT_FAILED:
        finding_fail(check->findings, errno == EINVAL ? EX_CONFIG : EX_UNAVAILABLE, what, "cannot "
                     "ask at '%s': %s", path, errno == EINVAL ? "it is no socket's name: want a "
                     "path with a '/' in it, or 127.0.0.1:PORT" : strerror(errno));
        break;
    }
    finding_advise(check->findings, "see who listens: ss -lxp | grep '%s'; journalctl -u "
                   "hookspoold -n 20", path);
}

void check_socket(struct check *check)
{
    const char *path = check_socket_path(check);

    if (check->starts_it && check->socket == NULL && access(path, F_OK) < 0) {
        finding_ok(check->findings, what, "not needed: Apache starts hookspoold itself");
        return;
    }
    if (strchr(path, '/') != NULL) {
        if (!is_socket(check, path))
            return;
        check_web_user(check, path);
    }
    ask(check, path);
}
