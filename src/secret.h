/* SPDX-License-Identifier: ISC */
/*
 * The secret file of an endpoint, and the question whether one of its secrets signed a message.
 *
 * A secret a line, `#` comments, and after a secret perhaps ` expires=2026-12-01T00:00:00Z`; CRLF
 * and a byte order mark are tolerated. Rotation is two lines. Any fault refuses the whole file,
 * because a secret left out means refused events later. So does a file that anybody but its
 * owner and group can use, or that its group can change: a writer could sign as the sender.
 * The mode is that of the opened file; symbolic links are followed, as configuration tools make
 * them. No message holds a secret's text, and the memory that held it is wiped.
 * struct secrets is constant after loading, so threads share it; secrets_release() frees it.
 * Times are Unix seconds. Specification: hookspool.conf(5).
 */
#ifndef HOOKSPOOL_SECRET_H
#define HOOKSPOOL_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "signature.h"

enum {
    SECRETS_MAX = 16,
    SECRET_FILE_MAX = 64 * 1024 /* bytes */
};

struct secret {
    struct signature_key key;
    int64_t expires; /* from this second on it is not used; 0: never */
    unsigned line;
    uint64_t fingerprint; /* names it in statistics */
};

/* In the order of the file: 1 to SECRETS_MAX of them. Only secrets_load() makes a list. */
struct secrets {
    struct secret *list;
    size_t count;
};

/*
 * Returns 0, or -1 with *secrets empty and in err one message, as `FILE:LINE: secret is empty` or
 * `cannot open 'FILE': No such file or directory`. Warns through log_warn() of secrets outside
 * the 24 to 64 bytes that senders use, and when all have expired: that is no failure.
 */
int secrets_load(struct secrets *secrets, const char *path, char *err, size_t errlen);

/* Wipes and frees; harmless on an empty struct and when repeated. */
void secrets_release(struct secrets *secrets);

/*
 * Returns the first secret in the file's order, unexpired at `now`, whose signature of
 * id.timestamp.body is in the list, or NULL. With the newest secret in the first line, matches
 * of an older one are the events that still need it.
 * *error is 0, or the errno when NULL is due to a failure of ours: then nothing is known about
 * the message, and it is not to be called forged.
 */
const struct secret *secrets_verify(const struct secrets *secrets, int64_t now, const char *id,
                                    const char *timestamp, const void *body, size_t len,
                                    const char *list, size_t list_len, int *error);

#endif
