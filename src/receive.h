/* SPDX-License-Identifier: ISC */
/*
 * receive: one request, from its first byte to its answer. The order of the
 * steps in take_in() is the promise: nothing touches the disk before the
 * signature holds, and nothing is answered 2xx before the event is durable.
 *
 * What a client can write is answered 4xx or 2xx; 503 is for what is ours:
 * the disk, memory, an id that another request is storing. The client gets
 * one generic word, the log the reason: one line a request, key=value, with
 * no body, secret or signature in it.
 *
 * Threads: any, a request each. Errors: answered and logged; none returned.
 */
#ifndef HOOKSPOOL_RECEIVE_H
#define HOOKSPOOL_RECEIVE_H

#include "request.h"
#include "service.h"

void receive(struct service_slot *slot, struct request *request);

#endif
