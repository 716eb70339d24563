/* SPDX-License-Identifier: ISC */
/*
 * payload: the body of a test event: a phone call that has ended, as Levers
 * tells of one, on one line of strict JSON. It says that it is a test; each
 * has a call id of its own. The numbers are of those that nobody has.
 *
 * Pure but for getrandom(2); any thread. The caller frees.
 */
#ifndef HOOKSPOOL_PAYLOAD_H
#define HOOKSPOOL_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

/* The type when none is asked for. */
#define PAYLOAD_TYPE "phone_call.ended"

/*
 * A body of at least so many bytes, and not one more unless it is that long anyway. NULL after a
 * message: no memory.
 */
char *payload_make(const char *type, int64_t now, size_t least, size_t *len);

#endif
