/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "apacheline.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* One line of the file behind what there is of it. *more: it goes on. -1: too long. */
static int join(struct apacheline *lines, char **line, size_t *len, bool *more)
{
    const char *text = lines->at;
    size_t part = strcspn(text, "\n");
    const bool ended = text[part] == '\n';

    lines->at += part + ended;
    lines->next++;
    part -= part > 0 && text[part - 1] == '\r';
    *more = ended && part > 0 && text[part - 1] == '\\';
    part -= *more;
    char *longer = *len + part > APACHEVARS_LINE ? NULL : realloc(*line, *len + part + 1);
    if (longer == NULL)
        return -1;
    *line = longer;
    memcpy(longer + *len, text, part);
    *len += part;
    longer[*len] = '\0';
    return 0;
}

char *apacheline_next(struct apacheline *lines, const struct apachevars *vars, bool *too_long)
{
    char *line = NULL;
    size_t len = 0;
    bool more = true;

    *too_long = false;
    lines->line = lines->next;
    while (more && *lines->at != '\0') {
        if (join(lines, &line, &len, &more) < 0) {
            *too_long = true;
            free(line);
            return NULL;
        }
    }
    if (line == NULL)
        return NULL;
    char *expanded = apachevars_expand(vars, line, len);
    *too_long = expanded == NULL;
    free(line);
    return expanded;
}

/* The next word, its quotes taken off in place. NULL: there is none. */
static char *take_word(char **rest)
{
    char *at = *rest + strspn(*rest, " \t\v\f\r");
    const char quote = *at == '"' || *at == '\'' ? *at : '\0';

    if (*at == '\0')
        return NULL;
    at += quote != '\0';
    char *word = at, *out = at;
    while (*at != '\0' && (quote != '\0' ? *at != quote : isspace((unsigned char)*at) == 0)) {
        if (at[0] == '\\' && (at[1] == '\\' || (quote != '\0' && at[1] == quote)))
            at++;
        *out++ = *at++;
    }
    *rest = at + (*at != '\0');
    *out = '\0';
    return word;
}

size_t apacheline_split(char *line, char **words, size_t most)
{
    size_t count = 0;

    while (count < most && (words[count] = take_word(&line)) != NULL)
        count++;
    return count;
}
