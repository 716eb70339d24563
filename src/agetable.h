/* SPDX-License-Identifier: ISC */
/*
 * agetable: a tally (tally.h) as qshape(1) prints one: types down, ages in
 * minutes across, the total first; or as JSON.
 *
 * One thread. Failed writes: out_flush() tells.
 */
#ifndef HOOKSPOOL_AGETABLE_H
#define HOOKSPOOL_AGETABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "tally.h"
#include "types.h"

/* The types with the most events; unless `all`, so many of them that they fit on a screen. */
void agetable_put(FILE *out, const struct tally *tally, const struct types *types, bool all);

/* {"minutes":[5,...],"types":[{"type":…,"events":N,"bytes":N,"ages":[N,...]},...]} */
void agetable_json(FILE *out, const struct tally *tally, const struct types *types);

#endif
