/* SPDX-License-Identifier: ISC */
/*
 * hint: what to look at when a test event was not answered as it must be.
 * The cases are those of README, "When the answer is not 200".
 *
 * Pure; any thread. Texts hold what a server wrote: log_warn() cleans them.
 */
#ifndef HOOKSPOOL_HINT_H
#define HOOKSPOOL_HINT_H

#include <stddef.h>
#include <stdint.h>

#include "post.h"

enum { HINT_SIZE = POST_TEXT + 256 };

/*
 * Writes it. word is hookspoold's, or "": then it was the web server that answered. sent is when,
 * by this machine's clock, in Unix seconds.
 */
void hint_write(char out[HINT_SIZE], const struct post_answer *answer, const char *word,
                int64_t sent);

#endif
