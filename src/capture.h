/* SPDX-License-Identifier: ISC */
/*
 * capture: the headers of a request as people have them: a raw request, the
 * output of curl -v, "copy as cURL" and the header list of a browser, nginx's
 * debug log, a CGI environment, a dump of PHP or Python, the JSON of an
 * inspection site, a Lambda event or a HAR file. Read into CGI variables, as a
 * web server would hand them over.
 *
 * Pure but for what it allocates; any thread.
 */
#ifndef HOOKSPOOL_CAPTURE_H
#define HOOKSPOOL_CAPTURE_H

#include <stddef.h>

enum { CAPTURE_HEADERS = 512 };

struct capture {
    char **variables; /* "HTTP_SVIX_ID=msg_1", ends with NULL; all names that were understood */
    size_t count;
    char *body; /* when the text holds it too; NULL: not */
    size_t body_len;
};

/* 0, or -1 with errno: EINVAL when there is no header in it, E2BIG for too many, ENOMEM. */
int capture_read(struct capture *capture, const char *text, size_t len);

void capture_release(struct capture *capture);

#endif
