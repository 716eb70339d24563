/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "near.h"

#include <stddef.h>
#include <string.h>

enum { LENGTH = 32 };

/* One row at a time. */
unsigned near_distance(const char *from, const char *to)
{
    const size_t from_len = strlen(from), to_len = strlen(to);
    unsigned row[LENGTH + 1];

    if (from_len > LENGTH || to_len > LENGTH)
        return NEAR_FAR;
    for (unsigned j = 0; j <= to_len; j++)
        row[j] = j;
    for (size_t i = 0; i < from_len; i++) {
        unsigned corner = row[0]++;
        for (size_t j = 0; j < to_len; j++) {
            const unsigned above = row[j + 1];
            unsigned best = corner + (from[i] != to[j]);
            if (best > above + 1)
                best = above + 1;
            if (best > row[j] + 1)
                best = row[j] + 1;
            row[j + 1] = best;
            corner = above;
        }
    }
    return row[to_len];
}
