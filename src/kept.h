/* SPDX-License-Identifier: ISC */
/*
 * kept: one request as a ring keeps it (ring.h): what was answered and why,
 * its headers as CGI variables, its body or the beginning of it.
 *
 * As bytes it is a struct kept_head, text_len bytes of strings, each with its
 * NUL (the word of the answer, the reason, then NAME=value), and the body. Two
 * XXH3-64 prove it: one that was torn or written over is none. The bytes are
 * those of this machine and this version, for nobody else to read.
 *
 * Of the environment only what describes the request is taken; the values of
 * Authorization, Proxy-Authorization and Cookie are left out. Signatures are
 * there, for without them nothing could be verified again.
 *
 * Pure but for what it allocates; any thread. Times are Unix seconds.
 */
#ifndef HOOKSPOOL_KEPT_H
#define HOOKSPOOL_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEPT_TEXT = 32 * 1024 }; /* bytes of strings at most; headers beyond are left out */

enum kept_flags {
    KEPT_BODY = 1,   /* the body was read */
    KEPT_MISSING = 2 /* there were more headers */
};

struct kept_head {
    char magic[8];
    uint64_t hash;      /* of the rest of the head, and of the text */
    uint64_t body_hash; /* of the body, as far as it is kept */
    uint64_t number;
    int64_t came;
    uint64_t sent; /* length of the body as it came */
    uint32_t nanoseconds;
    uint32_t status;
    uint32_t secret_line; /* of the secret that signed it; 0: none */
    uint32_t flags;
    uint32_t text_len;
    uint32_t body_len; /* as far as it is kept */
};

/* What was made of a request. */
struct kept_facts {
    int64_t came; /* by the clock that its timestamp was compared with */
    uint32_t nanoseconds;
    unsigned status;
    unsigned secret_line;
    const char *word, *reason; /* reason may be NULL */
};

/*
 * Head and text of a request, in memory of its own, *len bytes, to be kept after env is gone: the
 * caller frees. NULL: ENOMEM.
 */
struct kept_head *kept_note(const struct kept_facts *facts, char *const *env, size_t *len);

/*
 * Completes it with a number and the body, of which so much is taken that all of it has room:
 * head->body_len bytes. body NULL: it was not read. room is at least 2 * KEPT_TEXT. How long the
 * body was when it came, the caller has put into head->sent.
 */
void kept_seal(struct kept_head *head, uint64_t number, const void *body, size_t len, size_t room);

/* A request that was read back. Everything points into memory, which kept_release() frees. */
struct kept {
    const struct kept_head *head;
    const char *word, *reason; /* reason may be "" */
    char **variables;          /* ends with NULL */
    const char *body;          /* NULL: it was not read; a NUL follows it */
    void *memory;
};

/* How many bytes the rest has, when this is the head of a request that fits in room; 0: is none. */
size_t kept_rest(const struct kept_head *head, size_t room);

/*
 * Takes memory (malloc()ed: a head, its rest, and a byte to spare) over: 0, or -1 with errno,
 * memory freed: EINVAL when it does not prove itself, ENOMEM.
 */
int kept_read(struct kept *kept, void *memory);
void kept_release(struct kept *kept);

/* Is less of the body known than was sent? */
bool kept_is_cut(const struct kept *kept);

/* A variable's value; NULL: there is none. */
const char *kept_variable(const struct kept *kept, const char *name);

/* The name of the header that a variable holds, "Svix-Id" for HTTP_SVIX_ID; false: holds none. */
enum { KEPT_NAME = 128 };
bool kept_header(const char *variable, char name[KEPT_NAME], const char **value);

#endif
