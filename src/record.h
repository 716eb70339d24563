/* SPDX-License-Identifier: ISC */
/*
 * record: one stored event as one line of NDJSON, a CloudEvents 1.0 event in
 * JSON format (CloudEvents JSON Event Format 1.0.2), and back.
 *
 *   {"specversion":"1.0","id":…,"source":…,"type":…,"time":…,"datacontenttype":…,
 *    "received":…,"data":…|"data_base64":…[,"bodybase64":…],"xxh3":"<16 hex digits>"}\n
 *
 * The fields stand in this order; id, source and type hold no character that
 * JSON would escape (delivery.h, config.h and event.h see to that), so id can
 * be read without a JSON parser. xxh3 is XXH3-64 (seed 0) of the line up to
 * the comma before it: a line that was torn, zero-filled or altered does not
 * prove itself. The body's bytes can always be had back exactly: data as it
 * stands, or, where they are present, bodybase64 or data_base64 decoded.
 *
 * Pure: no I/O, no clock, any thread. The only file that knows xxhash.
 */
#ifndef HOOKSPOOL_RECORD_H
#define HOOKSPOOL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"

/* A new line with its newline, *len bytes; the caller frees. NULL: ENOMEM. */
char *record_encode(const struct event *event, size_t *len);

/* What a line says of itself; all of it points into the line. */
struct record_view {
    const char *id;
    size_t id_len;
    const char *source;
    size_t source_len;
    const char *type;
    size_t type_len;
    const char *time;     /* when_parse_stamp() reads it, and received */
    size_t time_len;
    const char *received;
    size_t received_len;
};

/* Does this line (len bytes, newline included) prove itself? Then *view is set. */
bool record_check(const char *line, size_t len, struct record_view *view);

/*
 * Where in a line that does not prove itself another begins that does and goes
 * to its end; 0: nowhere.
 */
size_t record_find(const char *line, size_t len);

/*
 * The same proof for lines of other kinds (failure.h): writes it behind len bytes, for which there
 * is room of RECORD_SEAL; the new length. And: does a line end in its proof? Then *content is how
 * long it was before.
 */
enum { RECORD_SEAL = 28 };
size_t record_seal(char *line, size_t len);
bool record_sealed(const char *line, size_t len, size_t *content);

/* XXH3-64 of bytes, for what is no line. */
uint64_t record_hash(const void *bytes, size_t len);

/* The hash that places an id: its shard and its claim byte (lockdir.h). */
uint64_t record_id_hash(const char *id, size_t len);

#endif
