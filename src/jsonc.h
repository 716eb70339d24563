/* SPDX-License-Identifier: ISC */
/*
 * jsonc: small JSON texts read, and strings written, by json-c, whose only user
 * this is. For heads, options and reports: a whole body never goes through it,
 * for as a tree it takes hundreds of times its size (HACKING).
 *
 * No state, any thread. What jsonc_parse() returns is the caller's to free.
 */
#ifndef HOOKSPOOL_JSONC_H
#define HOOKSPOOL_JSONC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct jsonc;

/* An object out of len bytes. NULL with errno: EINVAL (no JSON, or no object), ENOMEM. */
struct jsonc *jsonc_parse(const char *text, size_t len);
void jsonc_free(struct jsonc *json);

/* A member's string, NUL-terminated, *len bytes (len may be NULL); NULL: none of that name. */
const char *jsonc_text(const struct jsonc *json, const char *name, size_t *len);
/* A member's whole number; false: none of that name. */
bool jsonc_number(const struct jsonc *json, const char *name, int64_t *number);

/*
 * Visits every string and whole number of a text, at any depth: its member's name ("" for none),
 * its place if it stands in an array, else 0, and the name of the member that holds its object.
 * 0, or -1 with errno: EINVAL (no JSON), ENOMEM.
 */
typedef void jsonc_visit(void *context, const char *parent, const char *name, size_t index,
                         const char *value, size_t len);
int jsonc_each(const char *text, size_t len, jsonc_visit *visit, void *context);

/*
 * A string without its quotes, its escapes resolved, for text with its quotes: 0, or -1 with errno.
 * *out is malloc()ed, *len bytes, NUL-terminated.
 */
int jsonc_unquote(const char *text, size_t len, char **out, size_t *out_len);

/* The length of the UTF-8 character that text begins with (RFC 3629); 0: it begins with none. */
size_t jsonc_character(const char *text, size_t len);

/* Writes text as a JSON string, with its quotes. Bytes that are no UTF-8 become '?'. */
void jsonc_put(FILE *out, const char *text, size_t len);
/* The same, malloc()ed; NULL: ENOMEM. */
char *jsonc_quote(const char *text, size_t len);

#endif
