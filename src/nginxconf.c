/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "nginxconf.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands at a place of the text. */
enum token { WORD, SEMICOLON, OPEN, CLOSE, END, BROKEN };

struct parser {
    struct webconf *conf;
    const char *base; /* the directory that relative names start at; NULL: nothing is included */
    unsigned includes;
};

struct scanner {
    const char *file; /* lives as long as the tree */
    const char *at;
    unsigned line;
    char *words[WEBCONF_WORDS + 1];
    size_t count;
};

static void parse_file(struct parser *parser, struct webconf_node *parent, const char *path,
                       const char *file, unsigned line);

/* ---- words */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct scanner *scanner)
{
    for (;; scanner->at++) {
        if (*scanner->at == '#')
            scanner->at += strcspn(scanner->at, "\n");
        if (!is_blank(*scanner->at))
            return;
        scanner->line += *scanner->at == '\n';
    }
}

/* A word without its quotes, its escapes resolved. */
static char *copy_word(const char *text, size_t len)
{
    char *word = malloc(len + 1), *out = word;

    for (size_t i = 0; word != NULL && i < len; i++) {
        const char next = text[i] == '\\' && i + 1 < len ? text[i + 1] : '\0';
        if (next != '\0' && strchr("\"'\\trn", next) != NULL) {
            *out++ = next == 't' ? '\t' : next == 'r' ? '\r' : next == 'n' ? '\n' : next;
            i++;
        } else {
            *out++ = text[i];
        }
    }
    if (word != NULL)
        *out = '\0';
    return word;
}

/* Where a word ends that begins here, behind its quote if it has one. NULL: nowhere. */
static const char *end_of_word(struct scanner *scanner, char quote)
{
    const char *at = scanner->at;

    for (; *at != '\0'; at++) {
        if (quote != '\0' ? *at == quote : is_blank(*at) || *at == ';' || *at == '{')
            return at;
        if (at[0] == '$' && at[1] == '{' && quote == '\0')
            at++; /* ${variable} */
        else if (at[0] == '\\' && at[1] != '\0')
            at++;
        scanner->line += *at == '\n';
    }
    return quote != '\0' ? NULL : at;
}

static enum token take_word(struct parser *parser, struct scanner *scanner)
{
    const unsigned line = scanner->line;
    const char quote = *scanner->at == '"' || *scanner->at == '\'' ? *scanner->at : '\0';

    scanner->at += quote != '\0';
    const char *end = end_of_word(scanner, quote);
    if (end == NULL) {
        webconf_problem(parser->conf, scanner->file, line, "a quote is never closed");
        return BROKEN;
    }
    if (scanner->count == WEBCONF_WORDS) {
        webconf_problem(parser->conf, scanner->file, line, "more than %d words", WEBCONF_WORDS);
        return BROKEN;
    }
    char *word = copy_word(scanner->at, (size_t)(end - scanner->at));
    if (word == NULL) {
        parser->conf->full = true;
        return BROKEN;
    }
    scanner->words[scanner->count++] = word;
    scanner->at = end + (quote != '\0');
    return WORD;
}

static enum token take_token(struct parser *parser, struct scanner *scanner)
{
    skip_blanks(scanner);
    switch (*scanner->at) {
    case '\0':
        return END;
    case ';':
        scanner->at++;
        return SEMICOLON;
    case '{':
        scanner->at++;
        return OPEN;
    case '}':
        scanner->at++;
        return CLOSE;
    default:
        return take_word(parser, scanner);
    }
}

static void drop_words(struct scanner *scanner)
{
    while (scanner->count > 0)
        free(scanner->words[--scanner->count]);
}

/* ---- includes */

static void include_one(struct parser *parser, const struct scanner *scanner,
                        struct webconf_node *parent, const char *path)
{
    if (parser->includes == WEBCONF_INCLUDES) {
        webconf_problem(parser->conf, scanner->file, scanner->line,
                        "'%s' is included more than %d deep: does it include itself?", path,
                        WEBCONF_INCLUDES);
        return;
    }
    parser->includes++;
    parse_file(parser, parent, path, scanner->file, scanner->line);
    parser->includes--;
}

static void include_all(struct parser *parser, const struct scanner *scanner,
                        struct webconf_node *parent, const char *pattern)
{
    glob_t found;

    const int result = glob(pattern, 0, NULL, &found);
    if (result == GLOB_NOSPACE)
        parser->conf->full = true;
    for (size_t i = 0; result == 0 && i < found.gl_pathc && !parser->conf->full; i++)
        include_one(parser, scanner, parent, found.gl_pathv[i]);
    if (result == 0)
        globfree(&found);
}

static void include(struct parser *parser, const struct scanner *scanner,
                    struct webconf_node *parent)
{
    const char *name = scanner->words[1];
    char *path = NULL;

    if (parser->base == NULL || scanner->count != 2)
        return;
    if (name[0] != '/' && asprintf(&path, "%s/%s", parser->base, name) < 0) {
        parser->conf->full = true;
        return;
    }
    if (strpbrk(name, "*?[") != NULL)
        include_all(parser, scanner, parent, path != NULL ? path : name);
    else
        include_one(parser, scanner, parent, path != NULL ? path : name);
    free(path);
}

/* ---- directives */

/* Lua up to its closing brace; braces in its strings are taken to be in pairs. */
static void skip_raw(struct scanner *scanner)
{
    for (unsigned depth = 1; *scanner->at != '\0' && depth > 0; scanner->at++) {
        depth += *scanner->at == '{';
        depth -= *scanner->at == '}';
        scanner->line += *scanner->at == '\n';
    }
}

static bool is_raw(const struct webconf_node *node)
{
    static const char end[] = "_by_lua_block";
    const size_t len = strlen(node->name);

    return len >= sizeof(end) && strcmp(node->name + len + 1 - sizeof(end), end) == 0;
}

/*
 * The words that were read are a directive, ended by a semicolon or with a block. The block that
 * goes on is returned: this one, or the new one. NULL: stop.
 */
static struct webconf_node *take_directive(struct parser *parser, struct scanner *scanner,
                                           struct webconf_node *block, unsigned line,
                                           enum token end)
{
    if (scanner->count == 0)
        return block;
    struct webconf_node *node = webconf_add(parser->conf, block, scanner->file, line,
                                            scanner->words, scanner->count);
    if (node == NULL)
        return NULL;
    node->block = end == OPEN;
    if (end == SEMICOLON && strcmp(node->name, "include") == 0)
        include(parser, scanner, block);
    if (node->block && is_raw(node)) {
        skip_raw(scanner);
        return block;
    }
    return node->block ? node : block;
}

/* A closing brace: the block around, or NULL after a problem. */
static struct webconf_node *close_block(struct parser *parser, const struct scanner *scanner,
                                        struct webconf_node *block, const struct webconf_node *top)
{
    if (scanner->count > 0)
        webconf_problem(parser->conf, scanner->file, scanner->line, "'%s' lacks its semicolon",
                        scanner->words[0]);
    else if (block == top)
        webconf_problem(parser->conf, scanner->file, scanner->line, "a '}' too many");
    else
        return block->parent;
    return NULL;
}

static void parse(struct parser *parser, struct scanner *scanner, struct webconf_node *top)
{
    struct webconf_node *block = top;
    unsigned depth = 0, line = scanner->line;

    while (block != NULL && !parser->conf->full) {
        const enum token token = take_token(parser, scanner);
        if (token == WORD) {
            line = scanner->count == 1 ? scanner->line : line;
        } else if (token == SEMICOLON || token == OPEN) {
            depth += token == OPEN;
            if (depth > WEBCONF_BLOCKS) {
                webconf_problem(parser->conf, scanner->file, scanner->line,
                                "blocks are nested more than %d deep", WEBCONF_BLOCKS);
                break;
            }
            struct webconf_node *then = take_directive(parser, scanner, block, line, token);
            depth -= token == OPEN && then == block;
            block = then;
            drop_words(scanner);
        } else if (token == CLOSE) {
            block = close_block(parser, scanner, block, top);
            depth--;
        } else {
            if (token == END && (block != top || scanner->count > 0))
                webconf_problem(parser->conf, scanner->file, scanner->line,
                                "the file ends before '%s' does",
                                scanner->count > 0 ? scanner->words[0] : block->name);
            break;
        }
    }
    drop_words(scanner);
}

static void parse_text(struct parser *parser, struct webconf_node *parent, const char *file,
                       const char *text)
{
    struct scanner *scanner = calloc(1, sizeof(*scanner));

    if (scanner == NULL) {
        parser->conf->full = true;
        return;
    }
    scanner->file = file;
    scanner->at = text;
    scanner->line = 1;
    parse(parser, scanner, parent);
    free(scanner);
}

static void parse_file(struct parser *parser, struct webconf_node *parent, const char *path,
                       const char *file, unsigned line)
{
    size_t len;
    char *text = webconf_read(parser->conf, path, file, line, &len);
    const char *name = text == NULL ? NULL : webconf_copy(parser->conf, path, strlen(path));

    if (name != NULL)
        parse_text(parser, parent, name, text);
    free(text);
}

struct webconf *nginxconf_load(const char *path)
{
    struct parser parser = {.conf = webconf_new()};
    const char *slash = strrchr(path, '/');
    char *base = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path));

    parser.base = base;
    if (parser.conf == NULL || base == NULL) {
        webconf_free(parser.conf);
        free(base);
        errno = ENOMEM;
        return NULL;
    }
    parse_file(&parser, &parser.conf->root, path, "", 0);
    free(base);
    return parser.conf;
}

struct webconf *nginxconf_parse(const char *file, const char *text)
{
    struct parser parser = {.conf = webconf_new()};

    if (parser.conf == NULL)
        return NULL;
    parse_text(&parser, &parser.conf->root, file, text);
    return parser.conf;
}
