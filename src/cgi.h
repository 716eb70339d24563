/* SPDX-License-Identifier: ISC */
/*
 * cgi: the one request of a plain CGI program (RFC 3875): variables in the
 * environment, the body on standard input, the answer on standard output.
 *
 * Main thread only. Standard output is closed with the answer, so that the
 * web server need not wait for what is done after it.
 */
#ifndef HOOKSPOOL_CGI_H
#define HOOKSPOOL_CGI_H

#include <stdbool.h>

#include "service.h"

/* Does the environment say that a web server started this program as CGI? */
bool cgi_is_request(void);

void cgi_serve(struct service_slot *slot);

#endif
