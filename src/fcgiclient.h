/* SPDX-License-Identifier: ISC */
/*
 * fcgiclient: asks a FastCGI program once, as a web server does, to find out
 * who listens at a socket. A responder's request without a body; its answer is
 * read within a bound and a deadline, whatever the other side is or sends.
 *
 * No state, any thread. Nothing is logged: what happened is the result.
 * Specification: FastCGI 1.0, sections 3 and 5.
 */
#ifndef HOOKSPOOL_FCGICLIENT_H
#define HOOKSPOOL_FCGICLIENT_H

#include <stdint.h>
#include <sys/types.h>

enum fcgiclient_result {
    FCGICLIENT_ANSWERED,    /* a whole answer, with the record that ends it */
    FCGICLIENT_UNREACHABLE, /* no connection: errno (ECONNREFUSED, EACCES, EAGAIN, ENOENT, …) */
    FCGICLIENT_SILENT,      /* the deadline came first */
    FCGICLIENT_CLOSED,      /* the connection ended before an answer did */
    FCGICLIENT_FOREIGN,     /* what came is not FastCGI */
    FCGICLIENT_REFUSED,     /* it ended the request without an answer: overloaded, unknown role */
    FCGICLIENT_FAILED       /* errno: out of memory, say, or EINVAL for a socket that is none */
};

enum { FCGICLIENT_TEXT = 8192 };

struct fcgiclient_answer {
    char text[FCGICLIENT_TEXT]; /* the first of it, a CGI response with headers; NUL-terminated */
    size_t len;
    int status;                 /* of the HTTP response; 0: it has none */
    const char *body;           /* in text, behind the headers; "" */
    pid_t pid;                  /* who listens, by the kernel; 0: not known */
    uid_t uid;
};

/*
 * where: a path with a slash in it, or ADDRESS:PORT, [ADDRESS]:PORT. params: NAME, VALUE, …, NULL.
 * deadline: io_now().
 */
enum fcgiclient_result fcgiclient_ask(const char *where, const char *const *params,
                                      int64_t deadline, struct fcgiclient_answer *answer);

/* The value of a header of the answer, by name without case: its length, or -1: it has none. */
int fcgiclient_header(const struct fcgiclient_answer *answer, const char *name,
                      const char **value);

#endif
