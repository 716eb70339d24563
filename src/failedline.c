/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "failedline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int failedline_of(const struct failure *failure, struct segment_line *line)
{
    char *text = malloc(failure->event_len + 1);

    if (text == NULL)
        return -1;
    memcpy(text, failure->event, failure->event_len);
    text[failure->event_len] = '\n';
    *line = (struct segment_line){.position = failure->position, .text = text,
                                  .len = failure->event_len + 1};
    if (record_check(text, line->len, &line->view))
        return 0;
    free(text);
    errno = EINVAL;
    return -1;
}
