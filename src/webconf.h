/* SPDX-License-Identifier: ISC */
/*
 * webconf: the configuration of a web server as a tree of directives, whoever
 * parsed it: nginxconf.h or apacheconf.h. What is not known is kept and ignored.
 *
 * A configuration is taken as it comes: broken, huge, including itself. Files,
 * bytes and directives are bounded; at a bound, or without memory, `full` is
 * set, parsing ends, and what was read stays. What is wrong is a problem, a
 * line for people; the first of them are kept.
 *
 * Owns all texts of the tree; webconf_free() frees them together. One thread.
 * Nothing is logged.
 */
#ifndef HOOKSPOOL_WEBCONF_H
#define HOOKSPOOL_WEBCONF_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    WEBCONF_FILES = 2000,
    WEBCONF_INCLUDES = 20, /* how deep they may nest */
    WEBCONF_BLOCKS = 64,   /* likewise */
    WEBCONF_WORDS = 2048,  /* of one directive */
    WEBCONF_PROBLEMS = 10
};

struct webconf_node {
    const char *name;        /* of the directive; of a section of Apache without its brackets */
    const char *const *args; /* ends with NULL */
    size_t count;
    const char *file;
    unsigned line;
    bool block; /* has, or might have, directives in it */
    struct webconf_node *parent, *first, *last, *next;
};

struct webconf {
    struct webconf_node root; /* main context: its children are those of the file */
    char *problems[WEBCONF_PROBLEMS];
    size_t problem_count;
    unsigned files;
    size_t bytes, nodes;
    bool full;
    bool denied; /* something could not be read for want of permission */
    struct webconf_chunk *chunks;
};

struct webconf *webconf_new(void); /* NULL: ENOMEM */
void webconf_free(struct webconf *conf);

/* A copy that lives as long as the tree; NULL: full. */
char *webconf_copy(struct webconf *conf, const char *text, size_t len);

/* A directive at the end of its parent; texts are copied but for the file's name. NULL: full. */
struct webconf_node *webconf_add(struct webconf *conf, struct webconf_node *parent,
                                 const char *file, unsigned line, char *const *words,
                                 size_t count);

void webconf_problem(struct webconf *conf, const char *file, unsigned line, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));

/*
 * A regular file, whole, with a NUL behind it: the caller frees. NULL: a problem was noted, at the
 * place that names it. A file with NUL bytes in it is refused.
 */
char *webconf_read(struct webconf *conf, const char *path, const char *file, unsigned line,
                   size_t *len);

/* ---- looking around */

/* The next node in the order of the file, below `top`; begin with `top` itself. NULL: the end. */
struct webconf_node *webconf_next(const struct webconf_node *top, const struct webconf_node *at);

/* The last child of this name, without case; NULL: none. */
const struct webconf_node *webconf_child(const struct webconf_node *block, const char *name);

/* The innermost block around, or NULL. */
const struct webconf_node *webconf_around(const struct webconf_node *node, const char *name);

bool webconf_is(const struct webconf_node *node, const char *name); /* without case */

/* The argument; "" when there are not as many. */
const char *webconf_arg(const struct webconf_node *node, size_t which);

/*
 * Does the text match a regular expression? 1, 0; -1: it cannot be said, for it is of a kind
 * (Perl's) that is not understood here.
 */
int webconf_matches(const char *regex, const char *text, bool any_case);

/* "FILE:LINE", in out. */
enum { WEBCONF_PLACE = PATH_MAX + 16 };
const char *webconf_place(char out[WEBCONF_PLACE], const struct webconf_node *node);

#endif
