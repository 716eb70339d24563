/* SPDX-License-Identifier: ISC */
/*
 * claim: what `sign` and `send` sign beside the body, as their options say it:
 * --id, --timestamp, --family.
 *
 * Strings live as long as the command line. Times are Unix seconds.
 */
#ifndef HOOKSPOOL_CLAIM_H
#define HOOKSPOOL_CLAIM_H

#include <stdint.h>

#include "cli.h"

struct claim {
    const char *id;     /* one that hookspoold takes; NULL: not given */
    int64_t stamp;      /* 0: not given */
    const char *family; /* "svix" or "webhook" */
};

/* EX_OK, or EX_USAGE after a message. */
int claim_read(struct claim *claim, struct cli *cli);

#endif
