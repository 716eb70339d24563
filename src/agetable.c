/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "agetable.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "jsonc.h"
#include "out.h"

enum { SHOWN = 20, WIDTH = 80, LEAST_LABEL = 18, COLUMNS = TALLY_AGES + 1, NUMBER = 24 };

#define OTHERS "(other types)" /* no type has such characters */

struct agetable {
    FILE *out;
    const struct tally *tally;
    const struct types *types;
    int order[TALLY_TYPES + 1]; /* the rows that have events, most events first */
    int count;
    int label;            /* its width */
    int widths[COLUMNS];  /* with the blanks before them */
};

/* Most events first; else in the order in which they were met. */
static int compare(const void *a, const void *b, void *context)
{
    const struct tally *tally = context;
    const int x = *(const int *)a;
    const int y = *(const int *)b;
    const uint64_t at_x = tally->rows[x].events;
    const uint64_t at_y = tally->rows[y].events;

    return at_x != at_y ? (at_x < at_y) - (at_x > at_y) : x - y;
}

static void sort(struct agetable *table)
{
    table->count = 0;
    for (int i = 0; i <= TALLY_TYPES; i++) {
        if (table->tally->rows[i].events > 0)
            table->order[table->count++] = i;
    }
    qsort_r(table->order, (size_t)table->count, sizeof(table->order[0]), compare,
            (void *)table->tally);
}

static const char *name_of(const struct types *types, int row)
{
    return (size_t)row < types->count ? types->names[row] : OTHERS;
}

/* ---- for people */

/* The head of a column: 0 is the total, then the ages. */
static const char *head(int column, char text[NUMBER])
{
    if (column == 0)
        return "T";
    if (column < TALLY_AGES)
        snprintf(text, NUMBER, "%u", tally_minutes[column - 1]);
    else
        snprintf(text, NUMBER, "%u+", tally_minutes[TALLY_AGES - 2]);
    return text;
}

/* Wide enough for the totals, which are the largest; the rest of the line is for the types. */
static void measure(struct agetable *table)
{
    const struct tally_row *total = &table->tally->total;

    table->label = WIDTH;
    for (int i = 0; i < COLUMNS; i++) {
        char text[NUMBER], number[NUMBER];
        const int named = (int)strlen(head(i, text));
        const int counted = snprintf(number, sizeof(number), "%" PRIu64,
                                     i == 0 ? total->events : total->ages[i - 1]);
        const int wider = named > counted ? named : counted;
        table->widths[i] = wider > 2 ? wider + 1 : 3;
        table->label -= table->widths[i];
    }
    if (table->label < LEAST_LABEL)
        table->label = LEAST_LABEL;
}

/* To the right; what is too long loses its beginning. */
static void put_label(const struct agetable *table, const char *name)
{
    const int len = (int)strlen(name);
    const int lost = len > table->label ? len - table->label + 1 : 0;

    fprintf(table->out, "%*s", lost > 0 ? 1 : table->label - len, lost > 0 ? "+" : "");
    out_clean(table->out, name + lost, (size_t)(len - lost));
}

static void put_row(const struct agetable *table, const char *name, const struct tally_row *row)
{
    put_label(table, name);
    fprintf(table->out, "%*" PRIu64, table->widths[0], row->events);
    for (int i = 0; i < TALLY_AGES; i++)
        fprintf(table->out, "%*" PRIu64, table->widths[i + 1], row->ages[i]);
    putc('\n', table->out);
}

static void put_heads(const struct agetable *table)
{
    char text[NUMBER];

    fputs(out_style(table->out, OUT_BOLD), table->out);
    put_label(table, "");
    for (int i = 0; i < COLUMNS; i++)
        fprintf(table->out, "%*s", table->widths[i], head(i, text));
    fputs(out_style(table->out, OUT_PLAIN), table->out);
    putc('\n', table->out);
}

/* Those that are not shown, as one. */
static void put_rest(const struct agetable *table, int from)
{
    struct tally_row rest = {0};
    char name[NUMBER + sizeof("( more types)")];

    if (from >= table->count)
        return;
    for (int i = from; i < table->count; i++) {
        const struct tally_row *row = &table->tally->rows[table->order[i]];
        rest.events += row->events;
        for (int j = 0; j < TALLY_AGES; j++)
            rest.ages[j] += row->ages[j];
    }
    snprintf(name, sizeof(name), "(%d more types)", table->count - from);
    put_row(table, name, &rest);
}

void agetable_put(FILE *out, const struct tally *tally, const struct types *types, bool all)
{
    struct agetable table = {.out = out, .tally = tally, .types = types};

    sort(&table);
    measure(&table);
    put_heads(&table);
    put_row(&table, "TOTAL", &tally->total);
    const int shown = all || table.count <= SHOWN ? table.count : SHOWN - 1;
    for (int i = 0; i < shown; i++)
        put_row(&table, name_of(types, table.order[i]), &tally->rows[table.order[i]]);
    put_rest(&table, shown);
}

/* ---- JSON */

void agetable_json(FILE *out, const struct tally *tally, const struct types *types)
{
    struct agetable table = {.out = out, .tally = tally, .types = types};

    sort(&table);
    fputs("{\"minutes\":[", out);
    for (int i = 0; i < TALLY_AGES - 1; i++)
        fprintf(out, i > 0 ? ",%u" : "%u", tally_minutes[i]);
    fputs("],\"types\":[", out);
    for (int i = 0; i < table.count; i++) {
        const struct tally_row *row = &tally->rows[table.order[i]];
        const char *name = name_of(types, table.order[i]);
        fputs(i > 0 ? ",{\"type\":" : "{\"type\":", out);
        if (strcmp(name, OTHERS) == 0)
            fputs("null", out); /* of more types than are told apart */
        else
            jsonc_put(out, name, strlen(name));
        fprintf(out, ",\"events\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"ages\":[", row->events,
                row->bytes);
        for (int j = 0; j < TALLY_AGES; j++)
            fprintf(out, j > 0 ? ",%" PRIu64 : "%" PRIu64, row->ages[j]);
        fputs("]}", out);
    }
    fputs("]}", out);
}
