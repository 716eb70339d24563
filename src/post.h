/* SPDX-License-Identifier: ISC */
/*
 * post: HTTP POST by libcurl, whose only user this is: bodies sent as a
 * webhook sender does, answers kept within a bound.
 *
 * libcurl is loaded by post_open() and not when the program starts: it brings
 * some thirty libraries, 4 ms and 6 MiB, which every drain of a crontab would
 * wait and pay for. Without it only `send` and `check --url` cannot work.
 *
 * HTTP/1.1 and HTTPS only. Redirects are not followed, no file of the user's
 * home is read, a proxy is used only when the environment names one (http_proxy
 * and so on) and the target is not this machine. Connections are kept from one
 * POST to the next. Certificates are checked unless told otherwise.
 *
 * One thread. Nothing is logged of headers or bodies.
 */
#ifndef HOOKSPOOL_POST_H
#define HOOKSPOOL_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct post; /* where to, and the connection */

enum { POST_BODY = 4096, POST_TEXT = 512 };

/* Why there was no answer, as far as something can be done about it. */
enum post_fault { POST_OTHER, POST_CERTIFICATE, POST_TLS };

struct post_answer {
    long status;               /* 0: there was none */
    char body[POST_BODY];      /* the first of it, NUL-terminated; it may hold other NULs */
    size_t body_len;
    char location[POST_TEXT];  /* where a redirect points, or "" */
    int64_t date;              /* of its header, Unix seconds; 0: none */
    int64_t nanoseconds;       /* until the answer was complete */
    char why[POST_TEXT];       /* where status is 0: what happened */
    enum post_fault fault;     /* ... in short */
};

/*
 * NULL after a message, with errno: EINVAL (that is no URL to send to), ELIBACC (no libcurl),
 * ENOMEM. A URL with a user name or a password is refused: the list of processes shows it.
 */
struct post *post_open(const char *url, bool insecure);
void post_close(struct post *post);

/* Headers are lines "Name: value". 0; -1 with errno ENOMEM. No answer is an answer, too. */
int post_send(struct post *post, const char *const *headers, size_t header_count,
              const void *body, size_t len, struct post_answer *answer);

#endif
