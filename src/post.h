/* SPDX-License-Identifier: ISC */
/*
 * post: HTTP POST by libcurl, whose only user this is: bodies sent as a
 * webhook sender does, answers kept within a bound.
 *
 * HTTP and HTTPS only. Redirects are not followed, no file of the user's home
 * is read, a proxy is used only when the environment names one (http_proxy and
 * so on) and the target is not this machine. Connections are kept from one
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

enum { POST_BODY = 4096, POST_WHY = 512 };

struct post_answer {
    long status;          /* 0: there was none */
    char body[POST_BODY]; /* the first of it, NUL-terminated; it may hold other NULs */
    size_t body_len;
    int64_t nanoseconds;  /* until the answer was complete */
    char why[POST_WHY];   /* where status is 0: what happened, or "" */
    bool certificate;     /* ... and that the server's certificate is the reason */
};

/* NULL after a message: the URL is none, or no memory. local: never by a proxy. */
struct post *post_open(const char *url, bool insecure, bool local);
void post_close(struct post *post);

/* Headers are lines "Name: value". 0; -1 with errno ENOMEM. No answer is an answer, too. */
int post_send(struct post *post, const char *const *headers, size_t header_count,
              const void *body, size_t len, struct post_answer *answer);

#endif
