/* SPDX-License-Identifier: ISC */
/*
 * request: one HTTP request as a CGI program sees it (RFC 3875), whoever
 * brought it: FastCGI (fastcgi.h) or plain CGI (cgi.h) fill in the struct.
 *
 * Everything in it is a stranger's: variables are only compared or copied
 * within bounds, a body is read up to a limit and no further, and is taken as
 * complete only when the stream ended in good order and was as long as
 * CONTENT_LENGTH said, where there is one (Apache's mod_proxy_fcgi and CGI
 * leave it out for chunked requests).
 *
 * One request belongs to one thread. env is gone once it is answered.
 */
#ifndef HOOKSPOOL_REQUEST_H
#define HOOKSPOOL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct request {
    char *const *env; /* NAME=value, NULL at the end */
    bool reads_to_end; /* may read behind CONTENT_LENGTH; a CGI program must not */
    /* Up to len bytes: their number, 0 at the end of the body, -1 when the stream broke. */
    ssize_t (*read)(struct request *request, void *buffer, size_t len);
    /* Sends the whole response and ends the request. */
    void (*respond)(struct request *request, const char *text, size_t len);
};

/* NULL when absent or empty; the first of several. */
const char *request_variable(const struct request *request, const char *name);

enum { REQUEST_PATH_SIZE = 1024 };

/* The path asked for, without a query; "" when it is longer than any endpoint's. */
void request_path(const struct request *request, char path[REQUEST_PATH_SIZE]);

enum request_body {
    REQUEST_BODY,
    REQUEST_TOO_LARGE,
    REQUEST_BROKEN,   /* not as long as announced, a bad CONTENT_LENGTH, or the stream broke */
    REQUEST_NO_MEMORY
};

/* Reads the body: on REQUEST_BODY the caller frees *body, which is never NULL. */
enum request_body request_body(struct request *request, uint64_t max, int64_t deadline,
                               char **body, size_t *len);

/* Answers with a status and {"status":"WORD"}; 405 and 503 get the header they need. */
void request_answer(struct request *request, int status, const char *word);

#endif
