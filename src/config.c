/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "config.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inifile.h"
#include "log.h"

enum { SECTION_LIMIT = 1000, PROBLEM_LIMIT = 100 };

/* A section as it stands in the file. */
struct section {
    enum option_section kind;
    const char *name; /* "": it has none */
    void *data;       /* its struct in the config */
    unsigned line;
    unsigned key_line[OPTION_ROWS]; /* by row of the option table; 0: not there */
};

struct loader {
    const char *file;
    char *directory; /* where relative file names start */
    struct config *config;
    struct section *sections;
    size_t section_count;
    struct section *section; /* being read; NULL: none, or one with a faulty header */
    bool header_seen;
    bool header_fault; /* what is missing may be below a header that was not understood */
    unsigned problems;
};

__attribute__((format(printf, 3, 4)))
static void problem(struct loader *loader, unsigned line, const char *format, ...)
{
    char text[OPTION_WHY + 256];
    va_list args;

    if (++loader->problems > PROBLEM_LIMIT)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log_error("%s:%u: %s", loader->file, line, text);
    if (loader->problems == PROBLEM_LIMIT)
        log_error("%s: too many problems, the rest is not shown", loader->file);
}

static void take_problem(void *user, unsigned line, const char *text)
{
    problem(user, line, "%s", text);
}

/* Sections. */

/* A struct at the end of its array, which has room for every section. Owns the name. */
static void *new_data(struct config *config, enum option_section kind, char *name, unsigned line)
{
    if (kind == OPTION_ENDPOINT) {
        struct config_endpoint *endpoint = &config->endpoints[config->endpoint_count++];
        *endpoint = (struct config_endpoint){.name = name, .line = line};
        return endpoint;
    }
    if (kind == OPTION_SPOOL) {
        struct config_spool *spool = &config->spools[config->spool_count++];
        *spool = (struct config_spool){.name = name, .line = line};
        return spool;
    }
    if (kind == OPTION_CONSUMER) {
        struct config_consumer *consumer = &config->consumers[config->consumer_count++];
        *consumer = (struct config_consumer){.name = name, .line = line};
        return consumer;
    }
    return config;
}

/* NULL: out of memory. */
static struct section *add_section(struct loader *loader, enum option_section kind,
                                   const char *name, unsigned line)
{
    struct section *section = &loader->sections[loader->section_count];
    char *copy = NULL;

    if (kind != OPTION_HOOKSPOOL && (copy = strdup(name)) == NULL) {
        problem(loader, line, "out of memory");
        return NULL;
    }
    loader->section_count++;
    *section = (struct section){.kind = kind, .name = copy != NULL ? copy : "", .line = line};
    section->data = new_data(loader->config, kind, copy, line);
    return section;
}

static bool check_header(struct loader *loader, unsigned line, enum option_section kind,
                         const char *name)
{
    const char *word = option_sections[kind];
    const bool named = kind != OPTION_HOOKSPOOL;
    const unsigned before = loader->problems;

    if (!named && name[0] != '\0')
        problem(loader, line, "section [%s] takes no name", word);
    else if (named && name[0] == '\0')
        problem(loader, line, "section [%s] needs a name: [%s NAME]", word, word);
    else if (named && !option_is_name(name))
        problem(loader, line, "section [%s]: '%s' is not " OPTION_NAME, word, name);
    else if (loader->section_count == SECTION_LIMIT)
        problem(loader, line, "more than %d sections", SECTION_LIMIT);
    for (size_t i = 0; i < loader->section_count && loader->problems == before; i++) {
        const struct section *other = &loader->sections[i];
        if (other->kind == kind && strcmp(other->name, name) == 0)
            problem(loader, line, "duplicate section [%s%s%s] (first on line %u)", word,
                    named ? " " : "", name, other->line);
    }
    return loader->problems == before;
}

static void take_section(void *user, unsigned line, const char *word, const char *name)
{
    struct loader *loader = user;
    int kind = 0;

    loader->header_seen = true;
    loader->section = NULL;
    while (word != NULL && kind < OPTION_SECTIONS && strcmp(word, option_sections[kind]) != 0)
        kind++;
    if (kind == OPTION_SECTIONS)
        problem(loader, line, "unknown section [%s]: expected hookspool, endpoint, spool or "
                "consumer", word);
    else if (word != NULL && check_header(loader, line, (enum option_section)kind, name))
        loader->section = add_section(loader, (enum option_section)kind, name, line);
    loader->header_fault |= loader->section == NULL;
}

static void unknown_key(struct loader *loader, unsigned line, enum option_section kind,
                        const char *key)
{
    const char *word = option_sections[kind];
    const char *near = option_near(kind, key);

    for (int other = 0; near == NULL && other < OPTION_SECTIONS; other++) {
        if (option_find((enum option_section)other, key) != NULL) {
            problem(loader, line, "unknown key '%s' in [%s]: it belongs in [%s]", key, word,
                    option_sections[other]);
            return;
        }
    }
    problem(loader, line, "unknown key '%s' in [%s]%s%s%s", key, word,
            near != NULL ? ": did you mean '" : "", near != NULL ? near : "",
            near != NULL ? "'?" : "");
}

static void take_setting(void *user, unsigned line, const char *key, const char *value)
{
    struct loader *loader = user;
    struct section *section = loader->section;
    char why[OPTION_WHY];

    if (!loader->header_seen) {
        problem(loader, line, "key '%s' outside a section", key);
        return;
    }
    if (section == NULL)
        return;
    const struct option_row *option = option_find(section->kind, key);
    if (option == NULL) {
        unknown_key(loader, line, section->kind, key);
        return;
    }
    unsigned *key_line = &section->key_line[option - option_table];
    if (*key_line != 0) {
        problem(loader, line, "duplicate key '%s' (first on line %u)", key, *key_line);
        return;
    }
    *key_line = line;
    if (!option_set(option, section->data, loader->directory, value, why))
        problem(loader, line, "%s: %s", key, why);
}

/* What holds between sections. */

static void fill(struct loader *loader, const struct section *section)
{
    char why[OPTION_WHY];

    for (size_t i = 0; i < OPTION_ROWS; i++) {
        const struct option_row *option = &option_table[i];
        if (option->section != section->kind || section->key_line[i] != 0)
            continue;
        if (option->preset == NULL)
            problem(loader, section->line, "[%s %s] lacks the key '%s'",
                    option_sections[section->kind], section->name, option->key);
        else if (!option_preset(option, section->data, section->name, why))
            problem(loader, section->line, "%s: %s", option->key, why);
    }
}

static unsigned line_of(const struct section *section, const char *key)
{
    const unsigned line = section->key_line[option_find(section->kind, key) - option_table];

    return line != 0 ? line : section->line;
}

static struct config_spool *find_spool(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->spool_count; i++) {
        if (strcmp(config->spools[i].name, name) == 0)
            return &config->spools[i];
    }
    return NULL;
}

static void check_path(struct loader *loader, const struct section *section)
{
    const struct config_endpoint *endpoint = section->data;

    for (size_t i = 0; i < loader->section_count && &loader->sections[i] != section; i++) {
        const struct config_endpoint *other = loader->sections[i].data;
        if (loader->sections[i].kind != OPTION_ENDPOINT || endpoint->path == NULL ||
            other->path == NULL || strcmp(other->path, endpoint->path) != 0)
            continue;
        problem(loader, line_of(section, "path"), "path '%s' is that of [endpoint %s] (line %u)",
                endpoint->path, other->name, line_of(&loader->sections[i], "path"));
        return;
    }
}

/* A spool that an endpoint names is there, with or without a section. */
static void bind_endpoint(struct loader *loader, const struct section *section)
{
    struct config_endpoint *endpoint = section->data;
    const unsigned line = line_of(section, "spool");

    if (endpoint->spool == NULL)
        return; /* a problem that was reported */
    if (find_spool(loader->config, endpoint->spool) == NULL) {
        const struct section *implied = add_section(loader, OPTION_SPOOL, endpoint->spool, line);
        if (implied != NULL)
            fill(loader, implied);
    }
    endpoint->spool_config = find_spool(loader->config, endpoint->spool);
}

static void bind_consumer(struct loader *loader, const struct section *section)
{
    struct config_consumer *consumer = section->data;

    if (consumer->spool == NULL)
        return;
    consumer->spool_config = find_spool(loader->config, consumer->spool);
    if (consumer->spool_config == NULL && !loader->header_fault)
        problem(loader, line_of(section, "spool"), "no endpoint fills the spool '%s', and there "
                "is no [spool %s]", consumer->spool, consumer->spool);
}

static void resolve(struct loader *loader)
{
    const size_t written = loader->section_count;
    bool global = false;

    for (size_t i = 0; i < written; i++) {
        fill(loader, &loader->sections[i]);
        global |= loader->sections[i].kind == OPTION_HOOKSPOOL;
    }
    if (!global)
        fill(loader, &(struct section){.kind = OPTION_HOOKSPOOL, .data = loader->config});
    for (size_t i = 0; i < written; i++) {
        if (loader->sections[i].kind == OPTION_ENDPOINT) {
            check_path(loader, &loader->sections[i]);
            bind_endpoint(loader, &loader->sections[i]);
        }
    }
    for (size_t i = 0; i < written; i++) {
        if (loader->sections[i].kind == OPTION_CONSUMER)
            bind_consumer(loader, &loader->sections[i]);
    }
    if (loader->config->endpoint_count == 0 && !loader->header_fault)
        problem(loader, 1, "no endpoint: at least one [endpoint NAME] is needed");
}

/* The directory of a file, absolute. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const int len = slash != NULL ? (int)(slash - path) : 0;
    char *absolute = NULL;
    char *here = path[0] == '/' ? strdup("") : getcwd(NULL, 0);

    if (here == NULL || asprintf(&absolute, len > 0 && path[0] != '/' ? "%s/%.*s" : "%s%.*s",
                                 here, len, path) < 0)
        absolute = NULL;
    free(here);
    return absolute;
}

static bool prepare(struct loader *loader)
{
    struct config *config = calloc(1, sizeof(*config));

    loader->config = config;
    loader->directory = directory_of(loader->file);
    loader->sections = calloc(2 * SECTION_LIMIT, sizeof(*loader->sections)); /* + implied ones */
    if (config == NULL || loader->directory == NULL || loader->sections == NULL)
        return false;
    config->file = strdup(loader->file);
    config->endpoints = calloc(SECTION_LIMIT, sizeof(*config->endpoints));
    config->spools = calloc(SECTION_LIMIT, sizeof(*config->spools));
    config->consumers = calloc(SECTION_LIMIT, sizeof(*config->consumers));
    return config->file != NULL && config->endpoints != NULL && config->spools != NULL &&
           config->consumers != NULL;
}

struct config *config_load(const char *path)
{
    static const struct inifile_calls calls = {take_section, take_setting, take_problem};
    struct loader loader = {.file = path};
    int error = 0;

    if (!prepare(&loader) || inifile_read(path, &calls, &loader) < 0) {
        error = errno;
        log_error("cannot read '%s': %m", path);
    } else {
        resolve(&loader);
        error = loader.problems > 0 ? EINVAL : 0;
    }
    free(loader.sections);
    free(loader.directory);
    if (error != 0) {
        config_free(loader.config);
        errno = error;
        return NULL;
    }
    return loader.config;
}

static void clear(enum option_section kind, void *fields, char *name)
{
    option_clear(kind, fields);
    free(name);
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < config->endpoint_count; i++)
        clear(OPTION_ENDPOINT, &config->endpoints[i], config->endpoints[i].name);
    for (size_t i = 0; i < config->spool_count; i++)
        clear(OPTION_SPOOL, &config->spools[i], config->spools[i].name);
    for (size_t i = 0; i < config->consumer_count; i++)
        clear(OPTION_CONSUMER, &config->consumers[i], config->consumers[i].name);
    clear(OPTION_HOOKSPOOL, config, config->file);
    free(config->endpoints);
    free(config->spools);
    free(config->consumers);
    free(config);
}

const struct config_endpoint *config_endpoint_by_name(const struct config *config,
                                                      const char *name)
{
    for (size_t i = 0; i < config->endpoint_count; i++) {
        if (strcmp(config->endpoints[i].name, name) == 0)
            return &config->endpoints[i];
    }
    return NULL;
}

const struct config_endpoint *config_endpoint_by_path(const struct config *config,
                                                      const char *path)
{
    for (size_t i = 0; i < config->endpoint_count; i++) {
        if (strcmp(config->endpoints[i].path, path) == 0)
            return &config->endpoints[i];
    }
    return NULL;
}

bool config_wants(const struct config_endpoint *endpoint, const char *type)
{
    for (char *const *pattern = endpoint->events; *pattern != NULL; pattern++) {
        if (fnmatch(*pattern, type, 0) == 0)
            return true;
    }
    return false;
}

void config_print_options(FILE *out)
{
    option_print(out);
}
