/* SPDX-License-Identifier: ISC */
/*
 * table: rows for people, in columns. Widths are those of the first rows,
 * within bounds, so that a table of millions of rows goes out as it is made;
 * a cell that is wider pushes its row to the right, unless its column is cut.
 * What stands in cells is cleaned (out.h).
 *
 * Memory: the first rows. One thread. Failed writes: out_flush() tells.
 */
#ifndef HOOKSPOOL_TABLE_H
#define HOOKSPOOL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct table_column {
    const char *head;
    unsigned most; /* it is never made wider than this */
    bool right;    /* aligned there */
    bool cut;      /* what is wider ends in "..." */
};

struct table;

/* columns are borrowed; heads: a first row of their names. NULL after a message: no memory. */
struct table *table_new(FILE *out, const struct table_column *columns, size_t count, bool heads);

/* The cells of a row, from left to right; the last one ends it. */
void table_text(struct table *table, const char *text, size_t len);
void table_string(struct table *table, const char *text);
void table_number(struct table *table, uint64_t number);
/* How long ago that was; "-" for 0 and INT64_MAX, which mean never. */
void table_age(struct table *table, int64_t now, int64_t then);

/* What has been held back so far is written. */
void table_flush(struct table *table);
void table_free(struct table *table); /* flushes it */

#endif
