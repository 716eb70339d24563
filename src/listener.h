/* SPDX-License-Identifier: ISC */
/*
 * listener: the socket that the web server connects to.
 *
 * Bound by ourselves, because libfcgi's FCGX_OpenSocket() exits when it
 * cannot bind and unlinks whatever is at the path. A unix socket that a dead
 * process left is taken over; one that somebody answers on is refused. FastCGI
 * knows no authentication, so an internet socket is bound to the loopback
 * interface or not at all; a unix socket has mode 0660.
 *
 * The main thread's, before others run (umask). Errors: -1 with errno, logged.
 */
#ifndef HOOKSPOOL_LISTENER_H
#define HOOKSPOOL_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

struct listener {
    int fd;
    const char *path; /* of a unix socket that we bound, borrowed; else NULL */
    dev_t device;     /* and what it was then */
    ino_t inode;
};

/* where: a path with a slash in it, or ADDRESS:PORT, [ADDRESS]:PORT. EINVAL: neither. */
int listener_bind(struct listener *listener, const char *where);

/* Is this descriptor a socket that listens? (As mod_fcgid, spawn-fcgi and systemd pass fd 0.) */
bool listener_inherited(int fd);

/* Lets nobody else in by a path that is still ours; who has connected can be accepted. */
void listener_withdraw(struct listener *listener);

/* Withdraws and closes it. Harmless when repeated. */
void listener_close(struct listener *listener);

#endif
