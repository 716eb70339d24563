/* SPDX-License-Identifier: ISC */
/*
 * failedline: an event that a consumer has kept because it failed (failure.h), as
 * the line of the log that it was. No I/O; any thread.
 */
#ifndef HOOKSPOOL_FAILEDLINE_H
#define HOOKSPOOL_FAILEDLINE_H

#include <stdbool.h>

#include "failure.h"
#include "segment.h"

/* 0, and a line whose text the caller frees; -1 with errno: ENOMEM, EINVAL (it is no record). */
int failedline_of(const struct failure *failure, struct segment_line *line);

#endif
