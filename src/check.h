/* SPDX-License-Identifier: ISC */
/*
 * check: what the checks of `hookspool check` share: the configuration, whom it
 * is about, and what one of them found out that another one asks for.
 *
 * Checks only read. They run in the order of the table in verb_check.c, each in
 * a module of its theme: check_config, check_files, check_disk, check_clock,
 * check_nginx, check_apache, check_socket, check_url. What they say goes to
 * `findings`; none of them ends the program, and none waits without a bound.
 *
 * One thread. The strings are borrowed for the life of the command line.
 */
#ifndef HOOKSPOOL_CHECK_H
#define HOOKSPOOL_CHECK_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "finding.h"
#include "identity.h"

#define CHECK_SOCKET "/run/hookspool/hookspool.sock"

enum { CHECK_SOCKET_SIZE = PATH_MAX };

struct check {
    struct findings *findings;
    const struct config *config; /* NULL: it could not be loaded */
    int64_t now;                 /* Unix seconds */

    /* What was asked for; NULL: nothing. */
    const char *socket, *nginx, *apache, *url, *user_name;

    /* The user that hookspoold runs as: --user, or whom the spool directory belongs to. */
    struct identity user;
    bool user_known;

    /* Found in the configuration of a web server. */
    bool passed;                  /* it hands requests to hookspoold */
    bool starts_it;               /* and starts it, too: there is no socket */
    struct identity web;          /* whom its processes run as */
    bool web_known;
    char found[CHECK_SOCKET_SIZE]; /* the socket that it names; "": none */
};

/* The socket that is looked at: asked for, found, or the usual one. */
const char *check_socket_path(const struct check *check);

/* Seconds as a configuration has them: "30d", "90m". */
enum { CHECK_DURATION = 24 };
const char *check_duration(char out[CHECK_DURATION], int64_t seconds);

/* The directory of a spool, in out. */
const char *check_spool_path(const struct check *check, const struct config_spool *spool,
                             char out[PATH_MAX]);

/* A file could not be looked at, errno says why: a warning that tells who can. */
void check_unseen(const struct check *check, const char *what, const char *path);

/* Finds out the user: false after a finding, when there is none of that name. */
bool check_find_user(struct check *check);

#endif
