/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "apachevars.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { VARS = 512, VALUE_MAX = 4096 };

struct var {
    char *name, *value;
    bool exported;
};

struct apachevars {
    struct var list[VARS];
    size_t count;
};

struct apachevars *apachevars_new(void)
{
    return calloc(1, sizeof(struct apachevars));
}

static void drop(struct var *var)
{
    free(var->name);
    free(var->value);
}

void apachevars_free(struct apachevars *vars)
{
    for (size_t i = 0; vars != NULL && i < vars->count; i++)
        drop(&vars->list[i]);
    free(vars);
}

/* NULL: there is none. */
static struct var *find(const struct apachevars *vars, const char *name, size_t len)
{
    for (size_t i = 0; vars != NULL && i < vars->count; i++) {
        const struct var *var = &vars->list[i];
        if (strncmp(var->name, name, len) == 0 && var->name[len] == '\0')
            return (struct var *)var;
    }
    return NULL;
}

static void set(struct apachevars *vars, const char *name, size_t len, const char *value,
                bool exported)
{
    struct var *var = find(vars, name, len);

    if (vars == NULL || strlen(value) > VALUE_MAX || (var == NULL && vars->count == VARS))
        return;
    const struct var anew = {strndup(name, len), strdup(value), exported};
    if (anew.name == NULL || anew.value == NULL) {
        free(anew.name);
        free(anew.value);
        return;
    }
    if (var == NULL)
        var = &vars->list[vars->count++];
    else
        drop(var);
    *var = anew;
}

void apachevars_set(struct apachevars *vars, const char *name, const char *value)
{
    set(vars, name, strlen(name), value, false);
}

void apachevars_unset(struct apachevars *vars, const char *name)
{
    struct var *var = find(vars, name, strlen(name));

    if (var == NULL)
        return;
    drop(var);
    *var = vars->list[--vars->count];
}

bool apachevars_defined(const struct apachevars *vars, const char *name)
{
    const struct var *var = find(vars, name, strlen(name));

    return var != NULL && !var->exported;
}

/* ---- envvars */

/* VALUE of a shell, without its quotes and $SUFFIX, which is empty as a rule. NULL: not plain. */
static char *plain_value(const char *text, size_t len)
{
    static const char suffix[] = "$SUFFIX";
    char *value = malloc(len + 1);
    size_t at = 0;

    for (size_t i = 0; value != NULL && i < len; i++) {
        if (len - i >= sizeof(suffix) - 1 && memcmp(text + i, suffix, sizeof(suffix) - 1) == 0) {
            i += sizeof(suffix) - 2;
        } else if (strchr("$`\\;&|(){}<>*?", text[i]) != NULL) {
            free(value);
            return NULL;
        } else if (text[i] != '"' && text[i] != '\'') {
            value[at++] = text[i];
        }
    }
    if (value != NULL)
        value[at] = '\0';
    return value;
}

void apachevars_read_exports(struct apachevars *vars, const char *text)
{
    static const char word[] = "export ";

    for (size_t len; *text != '\0'; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        const size_t blanks = strspn(text, " \t");
        if (len < blanks + sizeof(word) || memcmp(text + blanks, word, sizeof(word) - 1) != 0)
            continue;
        const char *name = text + blanks + sizeof(word) - 1;
        const size_t name_len = strcspn(name, "= \t\n");
        if (name[name_len] != '=')
            continue;
        const char *start = name + name_len + 1;
        char *value = plain_value(start, strcspn(start, " \t\n"));
        if (value != NULL)
            set(vars, name, name_len, value, true);
        free(value);
    }
}

/* ---- in a line */

char *apachevars_expand(const struct apachevars *vars, const char *line, size_t len)
{
    char *out = malloc(APACHEVARS_LINE + 1);
    size_t at = 0;

    for (size_t i = 0; out != NULL && i < len;) {
        const char *end = i + 1 < len && line[i] == '$' && line[i + 1] == '{'
                              ? memchr(line + i + 2, '}', len - i - 2)
                              : NULL;
        const struct var *var =
            end == NULL ? NULL : find(vars, line + i + 2, (size_t)(end - line) - i - 2);
        const char *piece = var != NULL ? var->value : line + i;
        const size_t piece_len = var != NULL ? strlen(var->value) : 1;
        if (at + piece_len > APACHEVARS_LINE) {
            free(out);
            errno = E2BIG;
            return NULL;
        }
        memcpy(out + at, piece, piece_len);
        at += piece_len;
        i = var != NULL ? (size_t)(end - line) + 1 : i + 1;
    }
    if (out == NULL)
        return NULL;
    out[at] = '\0';
    char *fitting = realloc(out, at + 1);
    return fitting != NULL ? fitting : out;
}
