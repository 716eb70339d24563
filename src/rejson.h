/* SPDX-License-Identifier: ISC */
/*
 * rejson: a JSON text written again as another library would write it: its
 * blanks, and the escapes in its strings. Numbers, names and their order stay
 * as they are, since nobody can tell what they were.
 *
 * Pure but for what it allocates; any thread.
 */
#ifndef HOOKSPOOL_REJSON_H
#define HOOKSPOOL_REJSON_H

#include <stddef.h>

enum rejson_blanks {
    REJSON_AS_IT_IS,
    REJSON_COMPACT,  /* {"a":1,"b":[]}: JSON.stringify, Go, PHP */
    REJSON_SPACED,   /* {"a": 1, "b": []}: json.dumps of Python */
    REJSON_INDENT_2, /* JSON.stringify(x, null, 2), jq */
    REJSON_INDENT_4
};

enum rejson_escapes {
    REJSON_KEPT,
    REJSON_PLAIN, /* \/ and \uXXXX as the characters they stand for */
    REJSON_ASCII, /* what is not ASCII as \uXXXX: json.dumps of Python */
    REJSON_PHP,   /* the same, and / as \/: json_encode */
    REJSON_HTML   /* <, > and & as \uXXXX: encoding/json of Go */
};

/*
 * The text, which strictjson.h has found strict, written in that way: *made bytes, malloc()ed.
 * NULL with errno: ENOMEM, or EFBIG when it would be longer than `most`.
 */
char *rejson_write(const char *text, size_t len, enum rejson_blanks blanks,
                   enum rejson_escapes escapes, size_t most, size_t *made);

#endif
