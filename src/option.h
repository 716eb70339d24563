/* SPDX-License-Identifier: ISC */
/*
 * option: what can be configured: a struct for each kind of section, and the
 * one table that says for each key its type, its field, its default and its
 * bounds.
 *
 * Defaults and bounds are text in the syntax of the file and go through the
 * same parser, so hookspool.conf(5) can be compared with the table word for
 * word. The structs are for everyone, by way of config.h; the functions are
 * for config.c only. They keep no state: any thread may call them.
 *
 * Errors: option_set() returns false and leaves the reason as text in `why`;
 * nothing is logged. A field holds zero or a checked value. What a field
 * points to is its own, until option_clear().
 *
 * Units: bytes and seconds, unless a field says otherwise.
 */
#ifndef HOOKSPOOL_OPTION_H
#define HOOKSPOOL_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* [spool NAME], or the defaults if an endpoint names one without a section. */
struct config_spool {
    char *name;
    unsigned line;         /* of the header, or where the name was found */
    int64_t dedupe_window; /* how long an id is remembered */
    uint64_t segment_size;
    int64_t keep;      /* how long consumed events stay for replay */
    uint64_t min_free; /* room that is left to others on the file system */
};

struct config_endpoint {
    char *name;
    unsigned line;
    char *path;        /* [A-Za-z0-9/_.~-]: the CloudEvents source, unescaped */
    char *url;         /* what the sender calls; perhaps empty */
    char *secret_file; /* absolute */
    char *spool;       /* its name */
    const struct config_spool *spool_config;
    char **events; /* shell patterns of the types wanted; NULL ends the list */
    char *default_type;
    char *description; /* printable ASCII, perhaps empty */
    int64_t tolerance;
    uint64_t max_body;
    unsigned inspect; /* requests kept */
};

struct config_consumer {
    char *name;
    unsigned line;
    char *spool; /* its name */
    const struct config_spool *spool_config;
    unsigned max_attempts;
    int64_t max_age;
    int64_t backoff_min;
    int64_t backoff_max; /* set together with backoff_min */
};

/* [hookspool], and all the others. */
struct config {
    char *file;      /* as given to config_load() */
    char *spool_dir; /* absolute */
    unsigned threads;
    int64_t deadline; /* milliseconds */
    struct config_endpoint *endpoints;
    size_t endpoint_count; /* at least 1 */
    struct config_spool *spools;
    size_t spool_count;
    struct config_consumer *consumers;
    size_t consumer_count;
};

/* The rule of option_is_name() in words. */
#define OPTION_NAME "a name (1 to 64 of A-Z a-z 0-9 _ -, not '-' first)"

enum option_section {
    OPTION_HOOKSPOOL,
    OPTION_ENDPOINT,
    OPTION_SPOOL,
    OPTION_CONSUMER
};

enum { OPTION_SECTIONS = OPTION_CONSUMER + 1, OPTION_ROWS = 21, OPTION_WHY = 512 };

struct option_type; /* name, parser and destructor of one kind of value */

struct option_row {
    enum option_section section;
    const char *key;
    const struct option_type *type;
    size_t offset;      /* of the field in the section's struct */
    const char *preset; /* default; NULL: the key is required */
    const char *min;    /* value or length in bytes; NULL: no bound */
    const char *max;
    const char *reason; /* why the bounds are where they are, if not plain */
};

extern const struct option_row option_table[OPTION_ROWS];

/* The words of the section headers. */
extern const char *const option_sections[OPTION_SECTIONS];

/* NULL: the section has no such key. */
const struct option_row *option_find(enum option_section section, const char *key);

/* What was probably meant, at most two edits away; NULL: nothing is near. */
const char *option_near(enum option_section section, const char *key);

/* [A-Za-z0-9_-]{1,64}, not starting with '-': names of sections and spools. */
bool option_is_name(const char *text);

/*
 * Sets the option's field in the struct of a section, which must be unset.
 * A relative file name is taken to be below `directory`.
 */
bool option_set(const struct option_row *option, void *section, const char *directory,
                const char *text, char why[OPTION_WHY]);

/* The same with the default. NAME in it stands for the section's name. */
bool option_preset(const struct option_row *option, void *section, const char *name,
                   char why[OPTION_WHY]);

/* Frees what the options' fields of a section point to. */
void option_clear(enum option_section section, void *fields);

/* See config_print_options(). */
void option_print(FILE *out);

#endif
