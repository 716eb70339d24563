/* SPDX-License-Identifier: ISC */
/*
 * fastcgi: serves a listening socket with a fixed number of threads.
 *
 * The only file that knows libfcgi. libfcgi alone would tie a thread to each
 * connection that a web server keeps, so that with more of them than threads
 * the rest wait for ever; and its threads sleep in accept() through SIGTERM.
 * So the threads wait in one epoll set for new connections, for bytes on kept
 * ones, and for the end; libfcgi is called only for a connection that has
 * something to read.
 *
 * Owns the connections; listen_fd is borrowed and made non-blocking.
 * Threads: start and stop belong to the main thread, with all signals of the
 * others blocked. Errors: logged here; -1 with errno.
 */
#ifndef HOOKSPOOL_FASTCGI_H
#define HOOKSPOOL_FASTCGI_H

#include "service.h"

struct fastcgi;

/* Returns with the threads running. NULL: not started. */
struct fastcgi *fastcgi_start(int listen_fd, unsigned threads, struct service_slot *slot);

/*
 * Takes in every request that has begun to arrive before this call, lets each
 * end, and joins the threads. Connections without one are closed.
 */
void fastcgi_stop(struct fastcgi *fastcgi);

#endif
