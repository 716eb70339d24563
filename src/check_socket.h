/* SPDX-License-Identifier: ISC */
/*
 * check_socket: the socket between the web server and hookspoold: is it there,
 * may the web server connect, and does hookspoold answer? Asks for real, with a
 * request that no endpoint gets to see.
 */
#ifndef HOOKSPOOL_CHECK_SOCKET_H
#define HOOKSPOOL_CHECK_SOCKET_H

#include "check.h"

void check_socket(struct check *check);

#endif
