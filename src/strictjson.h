/* SPDX-License-Identifier: ISC */
/*
 * strictjson: is a text strict JSON (RFC 8259), and which strings do members of its
 * top-level object hold? One pass, no tree, no allocation: a body of a
 * megabyte of "{}," costs json-c 270 MB, and a shared heap's locks.
 *
 * Stricter than the RFC where readers differ or fail: nesting is bounded, and
 * an escaped surrogate must be one of a pair (jq 1.6 stops at a lone one, and
 * so never reads what is behind it).
 *
 * Pure: no I/O, no state, any thread. The caller owns everything.
 */
#ifndef HOOKSPOOL_STRICTJSON_H
#define HOOKSPOOL_STRICTJSON_H

#include <stdbool.h>
#include <stddef.h>

enum { STRICTJSON_DEPTH = 100, STRICTJSON_MEMBERS = 8 };

/* A string of the text, with its quotes and escapes; text is NULL for none. */
struct strictjson_string {
    const char *text;
    size_t len;
};

/*
 * Is it? Then strings[i] is the value of the top-level member names[i], count
 * of them (at most STRICTJSON_MEMBERS), if that is a string; of members with one
 * name the last counts. Names are compared as they are written.
 */
bool strictjson_scan(const char *text, size_t len, const char *const *names, size_t count,
               struct strictjson_string *strings);

#endif
