/* SPDX-License-Identifier: ISC */
/*
 * ring: the last requests of an endpoint, whatever was answered, as the
 * responder keeps them for `hookspool inspect`: SPOOL/inspect/ENDPOINT.
 *
 * A debugging aid that must not be felt. Nothing of the spool rests on it: it
 * is written after the answer, never synced, in place, within RINGFILE_BYTES.
 * Who would have to wait for it longer than RING_PATIENCE, because another
 * thread or process is stuck in a write, does without, and for RING_HASTE after
 * that nobody of the process waits at all; so does who finds less than min_free.
 * Failures are told once in RING_SILENCE.
 *
 * Opened at the first request. A file with another number of slots is made
 * into one with ours then, and keeps the newest that have room in it; later it
 * is taken as it is found, so that processes with two configurations do not
 * fight over it.
 *
 * Threads and processes: any. A crash leaves every slot readable but, perhaps,
 * the one that was being written.
 */
#ifndef HOOKSPOOL_RING_H
#define HOOKSPOOL_RING_H

#include <stddef.h>
#include <stdint.h>

#include "kept.h"

/* Nanoseconds. */
#define RING_PATIENCE (INT64_C(50) * 1000 * 1000)
#define RING_HASTE (INT64_C(1) * 1000 * 1000 * 1000)
#define RING_SILENCE (INT64_C(60) * 1000 * 1000 * 1000)

struct ring;

/* The ring of an endpoint below the spool's directory; no file is touched. NULL: ENOMEM. */
struct ring *ring_new(const char *spool_path, const char *endpoint, unsigned slots,
                      uint64_t min_free);
void ring_free(struct ring *ring);

/* Keeps a request: its note (kept_note(), len bytes), and its body; NULL: it was not read. */
void ring_put(struct ring *ring, struct kept_head *note, size_t len, const void *body,
              size_t body_len);

#endif
