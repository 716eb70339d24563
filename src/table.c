/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "out.h"
#include "when.h"

enum { HELD_CELLS = 1024, COLUMNS = 16 };

struct table {
    FILE *out;
    const struct table_column *columns;
    size_t count;
    bool heads;       /* are still to be written */
    bool settled;     /* the widths are decided */
    unsigned widths[COLUMNS];
    char *text;       /* of the cells held back, cleaned, one behind the other */
    size_t len, room;
    size_t ends[HELD_CELLS]; /* of the cells in it */
    size_t held;
    unsigned owed; /* blanks before the next text: none at the end of a row */
};

struct table *table_new(FILE *out, const struct table_column *columns, size_t count, bool heads)
{
    struct table *table = calloc(1, sizeof(*table));

    if (table == NULL || count > COLUMNS) {
        free(table);
        log_error("cannot make a table: %s", strerror(ENOMEM));
        return NULL;
    }
    *table = (struct table){.out = out, .columns = columns, .count = count, .heads = heads};
    for (size_t i = 0; i < count && heads; i++)
        table->widths[i] = (unsigned)strlen(columns[i].head);
    return table;
}

/* How many characters these bytes of UTF-8 are. */
static unsigned width_of(const char *text, size_t len)
{
    unsigned width = 0;

    for (size_t i = 0; i < len; i++)
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}

static void put_cell(struct table *table, size_t which, const char *text, size_t len)
{
    const struct table_column *column = &table->columns[which];
    const unsigned width = width_of(text, len);
    const unsigned wanted = table->widths[which];
    const unsigned pad = width < wanted ? wanted - width : 0;

    if (column->right)
        table->owed += pad;
    if (len > 0) {
        fprintf(table->out, "%*s", (int)table->owed, "");
        fwrite(text, 1, len, table->out);
        table->owed = 0;
    }
    table->owed += (column->right ? 0 : pad) + 2;
    if (which + 1 == table->count) {
        putc('\n', table->out);
        table->owed = 0;
    }
}

static void put_heads(struct table *table)
{
    table->heads = false;
    fputs(out_style(table->out, OUT_BOLD), table->out);
    for (size_t i = 0; i < table->count; i++)
        put_cell(table, i, table->columns[i].head, strlen(table->columns[i].head));
    fputs(out_style(table->out, OUT_PLAIN), table->out);
}

void table_flush(struct table *table)
{
    size_t begin = 0;

    if (table->heads)
        put_heads(table);
    for (size_t i = 0; i < table->held; i++) {
        put_cell(table, i % table->count, table->text + begin, table->ends[i] - begin);
        begin = table->ends[i];
    }
    if (table->held > 0)
        table->settled = true;
    table->held = table->len = 0;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    table_flush(table);
    free(table->text);
    free(table);
}

/* Room for a cell: false: there is none, and the cell stays empty. */
static bool make_room(struct table *table, size_t len)
{
    if (table->room - table->len >= len)
        return true;
    const size_t room = (table->room + len) * 2;
    char *grown = realloc(table->text, room);
    if (grown == NULL)
        return false;
    table->text = grown;
    table->room = room;
    return true;
}

static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] > 0x7e)
            return false;
    }
    return true;
}

/* Appends a text, cleaned. */
static void append(struct table *table, const char *text, size_t len)
{
    char *cleaned = NULL;
    size_t cleaned_len = 0;

    if (!is_plain(text, len)) {
        FILE *out = open_memstream(&cleaned, &cleaned_len);
        if (out != NULL) {
            out_clean(out, text, len);
            (void)fclose(out);
        }
        text = cleaned;
        len = cleaned_len;
    }
    if (len > 0 && text != NULL && make_room(table, len)) {
        memcpy(table->text + table->len, text, len);
        table->len += len;
    }
    free(cleaned);
}

/* Takes off the end of a cell what is beyond its column. */
static void cut(struct table *table, size_t begin, unsigned most)
{
    const char *text = table->text + begin;
    size_t len = 0;

    for (unsigned width = 0;; len++) { /* there are more characters than that */
        const bool starts = ((unsigned char)text[len] & 0xc0) != 0x80;
        if (starts && width++ == most - 3)
            break;
    }
    memcpy(table->text + begin + len, "...", 3);
    table->len = begin + len + 3;
}

void table_text(struct table *table, const char *text, size_t len)
{
    const size_t which = table->held % table->count;
    const struct table_column *column = &table->columns[which];
    const size_t begin = table->len;

    append(table, text, len);
    unsigned width = width_of(table->text + begin, table->len - begin);
    if (width > column->most && column->cut)
        cut(table, begin, column->most);
    if (width > column->most)
        width = column->most;
    table->ends[table->held++] = table->len;
    if (!table->settled && width > table->widths[which])
        table->widths[which] = width;
    if (which + 1 == table->count && (table->settled || table->held + table->count > HELD_CELLS))
        table_flush(table);
}

void table_string(struct table *table, const char *text)
{
    table_text(table, text, strlen(text));
}

void table_number(struct table *table, uint64_t number)
{
    char text[24];
    const int len = snprintf(text, sizeof(text), "%" PRIu64, number);

    table_text(table, text, (size_t)len);
}

void table_age(struct table *table, int64_t now, int64_t then)
{
    char age[WHEN_AGE_SIZE];

    table_string(table, then == 0 || then == INT64_MAX ? "-" : when_age(age, now - then));
}
