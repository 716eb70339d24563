/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "webconf.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BYTES_MAX = 64 * 1024 * 1024, /* of all files */
    FILE_MAX = 16 * 1024 * 1024,
    NODES_MAX = 200 * 1000,
    CHUNK = 64 * 1024,
    REGEX_MAX = 256
};

struct webconf_chunk {
    struct webconf_chunk *next;
    size_t used, size;
    max_align_t bytes[];
};

/* ---- memory */

struct webconf *webconf_new(void)
{
    struct webconf *conf = calloc(1, sizeof(*conf));

    if (conf == NULL)
        return NULL;
    conf->root.name = conf->root.file = "";
    conf->root.block = true;
    return conf;
}

void webconf_free(struct webconf *conf)
{
    if (conf == NULL)
        return;
    while (conf->chunks != NULL) {
        struct webconf_chunk *chunk = conf->chunks;
        conf->chunks = chunk->next;
        free(chunk);
    }
    for (size_t i = 0; i < conf->problem_count; i++)
        free(conf->problems[i]);
    free(conf);
}

static void *take_memory(struct webconf *conf, size_t size)
{
    struct webconf_chunk *chunk = conf->chunks;

    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (chunk == NULL || chunk->size - chunk->used < size) {
        const size_t room = size > CHUNK ? size : CHUNK;
        chunk = malloc(sizeof(*chunk) + room);
        if (chunk == NULL) {
            conf->full = true;
            return NULL;
        }
        *chunk = (struct webconf_chunk){.next = conf->chunks, .size = room};
        conf->chunks = chunk;
    }
    void *memory = (char *)chunk->bytes + chunk->used;
    chunk->used += size;
    return memory;
}

char *webconf_copy(struct webconf *conf, const char *text, size_t len)
{
    char *copy = take_memory(conf, len + 1);

    if (copy != NULL) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

/* ---- the tree */

struct webconf_node *webconf_add(struct webconf *conf, struct webconf_node *parent,
                                 const char *file, unsigned line, char *const *words,
                                 size_t count)
{
    struct webconf_node *node = NULL;

    if (++conf->nodes > NODES_MAX)
        conf->full = true;
    if (!conf->full)
        node = take_memory(conf, sizeof(*node));
    const char **texts = node == NULL ? NULL : take_memory(conf, (count + 1) * sizeof(*texts));
    for (size_t i = 0; texts != NULL && i < count; i++) {
        texts[i] = webconf_copy(conf, words[i], strlen(words[i]));
        if (texts[i] == NULL)
            return NULL;
    }
    if (texts == NULL)
        return NULL;
    texts[count] = NULL;
    *node = (struct webconf_node){.name = texts[0], .args = texts + 1, .count = count - 1,
                                  .file = file, .line = line, .parent = parent};
    if (parent->last == NULL)
        parent->first = node;
    else
        parent->last->next = node;
    parent->last = node;
    return node;
}

void webconf_problem(struct webconf *conf, const char *file, unsigned line, const char *format,
                     ...)
{
    char text[512];
    char *whole;
    va_list args;

    if (conf->problem_count == WEBCONF_PROBLEMS)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    const int len = line > 0 ? asprintf(&whole, "%s:%u: %s", file, line, text)
                             : asprintf(&whole, "%s", text);
    if (len >= 0)
        conf->problems[conf->problem_count++] = whole;
}

/* ---- files */

static char *read_open(struct webconf *conf, int fd, size_t *len)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return NULL;
    if (!S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        return NULL;
    }
    const size_t room = (size_t)st.st_size + 1;
    if (st.st_size > FILE_MAX || conf->bytes + room > BYTES_MAX) {
        conf->full = conf->full || st.st_size <= FILE_MAX;
        errno = EFBIG;
        return NULL;
    }
    char *text = malloc(room);
    ssize_t n = 1;
    for (*len = 0; text != NULL && *len < room - 1 && n != 0; *len += n > 0 ? (size_t)n : 0) {
        n = read(fd, text + *len, room - 1 - *len);
        if (n < 0 && errno != EINTR) {
            free(text);
            return NULL;
        }
    }
    if (text == NULL)
        return NULL;
    text[*len] = '\0';
    conf->bytes += room;
    return text;
}

char *webconf_read(struct webconf *conf, const char *path, const char *file, unsigned line,
                   size_t *len)
{
    if (++conf->files > WEBCONF_FILES) {
        if (!conf->full)
            webconf_problem(conf, file, line, "more than %d files: do they include each other?",
                            WEBCONF_FILES);
        conf->full = true;
        return NULL;
    }
    /* O_NONBLOCK: a FIFO is to be refused, not waited for. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    char *text = fd < 0 ? NULL : read_open(conf, fd, len);
    if (text == NULL) {
        conf->denied = conf->denied || errno == EACCES || errno == EPERM;
        webconf_problem(conf, file, line, "cannot read '%s': %s", path, strerror(errno));
    }
    if (fd >= 0)
        close(fd);
    if (text != NULL && memchr(text, '\0', *len) != NULL) {
        webconf_problem(conf, file, line, "'%s' holds NUL bytes", path);
        free(text);
        return NULL;
    }
    return text;
}

/* ---- looking around */

struct webconf_node *webconf_next(const struct webconf_node *top, const struct webconf_node *at)
{
    if (at->first != NULL)
        return at->first;
    while (at != top && at->next == NULL)
        at = at->parent;
    return at == top ? NULL : at->next;
}

bool webconf_is(const struct webconf_node *node, const char *name)
{
    return strcasecmp(node->name, name) == 0;
}

const struct webconf_node *webconf_child(const struct webconf_node *block, const char *name)
{
    const struct webconf_node *found = NULL;

    for (const struct webconf_node *node = block->first; node != NULL; node = node->next) {
        if (webconf_is(node, name))
            found = node;
    }
    return found;
}

const struct webconf_node *webconf_around(const struct webconf_node *node, const char *name)
{
    for (node = node->parent; node != NULL; node = node->parent) {
        if (webconf_is(node, name))
            return node;
    }
    return NULL;
}

const char *webconf_arg(const struct webconf_node *node, size_t which)
{
    return which < node->count ? node->args[which] : "";
}

const char *webconf_place(char out[WEBCONF_PLACE], const struct webconf_node *node)
{
    snprintf(out, WEBCONF_PLACE, "%s:%u", node->file, node->line);
    return out;
}

/*
 * Of Perl's syntax only what POSIX has as well, and \d. Counted repetitions are left out, too, for
 * a few of them, nested, take all memory.
 */
static bool translate(const char *regex, char out[2 * REGEX_MAX])
{
    size_t len = 0;
    bool bracket = false; /* a backslash in it means another thing */

    for (; *regex != '\0'; regex++) {
        if (len + 8 > 2 * REGEX_MAX || *regex == '{' || (unsigned char)*regex >= 0x80
            || (regex[0] == '(' && regex[1] == '?') || (bracket && *regex == '\\')
            || (strchr("*+?", regex[0]) != NULL && regex[1] != '\0'
                && strchr("?+", regex[1]) != NULL))
            return false;
        bracket = *regex == '[' || (bracket && *regex != ']');
        if (*regex != '\\') {
            out[len++] = *regex;
            continue;
        }
        regex++;
        if (*regex == 'd') {
            memcpy(out + len, "[0-9]", 5);
            len += 5;
        } else if (*regex == '\0' || strchr("wWsSb./-_+*?()[]{}^$|\\", *regex) == NULL) {
            return false;
        } else if (strchr("/-_", *regex) != NULL) {
            out[len++] = *regex;
        } else {
            out[len++] = '\\';
            out[len++] = *regex;
        }
    }
    out[len] = '\0';
    return true;
}

int webconf_matches(const char *regex, const char *text, bool any_case)
{
    char posix[2 * REGEX_MAX];
    regex_t compiled;

    if (strlen(regex) >= REGEX_MAX || strlen(text) >= REGEX_MAX || !translate(regex, posix)
        || regcomp(&compiled, posix, REG_EXTENDED | REG_NOSUB | (any_case ? REG_ICASE : 0)) != 0)
        return -1;
    const int result = regexec(&compiled, text, 0, NULL, 0);
    regfree(&compiled);
    return result == 0 ? 1 : result == REG_NOMATCH ? 0 : -1;
}
