/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "apacheconf.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apacheline.h"

enum { NAME = 64, MODULES = 512 };

struct parser {
    struct webconf *conf;
    struct apachevars *vars;
    char *root; /* where relative names start; NULL: nothing is included */
    unsigned includes;
    const char *modules[MODULES]; /* that were loaded so far */
    size_t module_count;
};

/* A section that is open. */
struct section {
    char name[NAME];
    bool kept;    /* it is a node, and not a condition that has been decided */
    bool skipped; /* what is in it is left out */
};

struct file {
    const char *name;
    struct apacheline lines;
    struct section sections[WEBCONF_BLOCKS];
    size_t depth;
    struct webconf_node *block; /* what directives belong to */
};

static void parse_file(struct parser *parser, struct webconf_node *block, const char *path,
                       const struct file *from);

/* ---- conditions */

/* Is fcgid_module what is meant by mod_fcgid.c, or by its own name? */
static bool is_module(const char *module, const char *name)
{
    static const char prefix[] = "mod_", suffix[] = ".c";
    const size_t before = sizeof(prefix) - 1, after = sizeof(suffix) - 1, len = strlen(name);

    if (strcmp(module, name) == 0)
        return true;
    if (len < before + after || memcmp(name, prefix, before) != 0
        || strcmp(name + len - after, suffix) != 0)
        return false;
    const size_t stem = len - before - after;
    return strncmp(module, name + before, stem) == 0 && strcmp(module + stem, "_module") == 0;
}

static bool is_built_in(const char *name)
{
    static const char *const names[] = {"core", "http", "so", "unixd", "version", "log_config",
                                        "logio", "watchdog"};
    char module[NAME];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(module, sizeof(module), "%s_module", names[i]);
        if (is_module(module, name))
            return true;
    }
    return strcmp(name, "core.c") == 0 || strcmp(name, "http_core.c") == 0;
}

static bool is_loaded(const struct parser *parser, const char *name)
{
    for (size_t i = 0; i < parser->module_count; i++) {
        if (is_module(parser->modules[i], name))
            return true;
    }
    return parser->module_count == 0 || is_built_in(name);
}

/* Is this section a condition that can be decided now? Then *holds tells. */
static bool decide(const struct parser *parser, const char *name, const char *what, bool *holds)
{
    const bool negated = what[0] == '!';

    what += negated;
    if (strcasecmp(name, "IfModule") == 0)
        *holds = is_loaded(parser, what) != negated;
    else if (strcasecmp(name, "IfDefine") == 0)
        *holds = apachevars_defined(parser->vars, what) != negated;
    else if (strcasecmp(name, "IfFile") == 0)
        *holds = (access(what, F_OK) == 0) != negated;
    else if (strcasecmp(name, "IfVersion") == 0)
        *holds = true;
    else
        return false;
    return true;
}

/* ---- includes */

static void include_path(struct parser *parser, const struct file *file,
                         struct webconf_node *block, const char *path);

/* Every file of a directory and below, sorted. */
static void include_directory(struct parser *parser, const struct file *file,
                              struct webconf_node *block, const char *path)
{
    struct dirent **entries;
    char *name;

    const int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.'
            && asprintf(&name, "%s/%s", path, entries[i]->d_name) >= 0) {
            include_path(parser, file, block, name);
            free(name);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

static void include_path(struct parser *parser, const struct file *file,
                         struct webconf_node *block, const char *path)
{
    struct stat st;

    if (parser->includes == WEBCONF_INCLUDES) {
        webconf_problem(parser->conf, file->name, file->lines.line,
                        "'%s' is included more than %d deep: does it include itself?", path,
                        WEBCONF_INCLUDES);
        return;
    }
    parser->includes++;
    if (parser->conf->full)
        ;
    else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        include_directory(parser, file, block, path);
    else
        parse_file(parser, block, path, file);
    parser->includes--;
}

static void include(struct parser *parser, struct file *file, const char *name, bool optional)
{
    char *path = NULL;
    glob_t found;

    if (parser->root == NULL)
        return;
    if (asprintf(&path, "%s%s%s", name[0] == '/' ? "" : parser->root, name[0] == '/' ? "" : "/",
                 name) < 0) {
        parser->conf->full = true;
        return;
    }
    const bool wild = strpbrk(name, "*?[") != NULL;
    if (!wild && (!optional || access(path, F_OK) == 0)) {
        include_path(parser, file, file->block, path);
    } else if (wild && glob(path, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            include_path(parser, file, file->block, found.gl_pathv[i]);
        globfree(&found);
    }
    free(path);
}

/* ---- directives */

/* What has a meaning while reading. */
static void obey(struct parser *parser, struct file *file, const struct webconf_node *node)
{
    if (webconf_is(node, "Define"))
        apachevars_set(parser->vars, webconf_arg(node, 0), webconf_arg(node, 1));
    else if (webconf_is(node, "UnDefine"))
        apachevars_unset(parser->vars, webconf_arg(node, 0));
    else if (webconf_is(node, "LoadModule") && parser->module_count < MODULES)
        parser->modules[parser->module_count++] = webconf_arg(node, 0);
    else if (webconf_is(node, "Include") || webconf_is(node, "IncludeOptional"))
        include(parser, file, webconf_arg(node, 0), webconf_is(node, "IncludeOptional"));
    if (!webconf_is(node, "ServerRoot") || parser->root == NULL || node->count == 0)
        return;
    char *root = strdup(node->args[0]);
    if (root != NULL) {
        free(parser->root);
        parser->root = root;
    }
}

/* <Name ...>: false: stop. */
static bool open_section(struct parser *parser, struct file *file, char *line)
{
    char *words[WEBCONF_WORDS];
    char *end = strrchr(line, '>');
    bool holds;

    if (end == NULL)
        webconf_problem(parser->conf, file->name, file->lines.line, "a section lacks its '>'");
    else
        *end = '\0';
    const size_t count = apacheline_split(line + 1, words, WEBCONF_WORDS);
    if (count == 0 || file->depth == WEBCONF_BLOCKS) {
        webconf_problem(parser->conf, file->name, file->lines.line,
                        count == 0 ? "a section without a name" : "sections are nested too deep");
        return false;
    }
    struct section *section = &file->sections[file->depth];
    *section = (struct section){.skipped = file->depth > 0 && section[-1].skipped};
    snprintf(section->name, sizeof(section->name), "%s", words[0]);
    file->depth++;
    if (section->skipped)
        return true;
    parser->conf->nodes++; /* a condition is none, but is work */
    if (decide(parser, words[0], count > 1 ? words[1] : "", &holds)) {
        section->skipped = !holds;
        return true;
    }
    struct webconf_node *node = webconf_add(parser->conf, file->block, file->name, file->lines.line,
                                            words, count);
    if (node == NULL)
        return false;
    node->block = section->kept = true;
    section->skipped = webconf_is(node, "Macro"); /* it has a meaning only where it is used */
    file->block = node;
    return true;
}

/* </Name>: false: stop. */
static bool close_section(struct parser *parser, struct file *file, char *line)
{
    const size_t len = strcspn(line + 2, "> \t");

    line[2 + len] = '\0';
    if (file->depth == 0
        || strncasecmp(file->sections[file->depth - 1].name, line + 2, NAME - 1) != 0) {
        webconf_problem(parser->conf, file->name, file->lines.line, "</%s> ends no section",
                        line + 2);
        return false;
    }
    if (file->sections[--file->depth].kept)
        file->block = file->block->parent;
    return true;
}

static bool take_directive(struct parser *parser, struct file *file, char *line)
{
    char *words[WEBCONF_WORDS];

    line += strspn(line, " \t\v\f\r");
    if (line[0] == '#' || line[0] == '\0')
        return true;
    if (line[0] == '<')
        return line[1] == '/' ? close_section(parser, file, line)
                              : open_section(parser, file, line);
    if (file->depth > 0 && file->sections[file->depth - 1].skipped)
        return true;
    const size_t count = apacheline_split(line, words, WEBCONF_WORDS);
    const struct webconf_node *node =
        count == 0 ? NULL
                   : webconf_add(parser->conf, file->block, file->name, file->lines.line, words,
                                 count);
    if (node != NULL)
        obey(parser, file, node);
    return node != NULL;
}

static void parse_text(struct parser *parser, struct webconf_node *block, const char *name,
                       const char *text)
{
    struct file *file = calloc(1, sizeof(*file));
    bool going = true, too_long = false;
    char *line;

    if (file == NULL) {
        parser->conf->full = true;
        return;
    }
    file->name = name;
    file->lines = (struct apacheline){.at = text, .next = 1};
    file->block = block;
    while (going && !parser->conf->full
           && (line = apacheline_next(&file->lines, parser->vars, &too_long)) != NULL) {
        going = take_directive(parser, file, line);
        free(line);
    }
    if (too_long)
        webconf_problem(parser->conf, name, file->lines.line, "a line is too long");
    else if (going && file->depth > 0)
        webconf_problem(parser->conf, name, file->lines.next, "<%s> is never closed",
                        file->sections[file->depth - 1].name);
    free(file);
}

static void parse_file(struct parser *parser, struct webconf_node *block, const char *path,
                       const struct file *from)
{
    size_t len;
    char *text = webconf_read(parser->conf, path, from == NULL ? "" : from->name,
                              from == NULL ? 0 : from->lines.line, &len);
    const char *name = text == NULL ? NULL : webconf_copy(parser->conf, path, strlen(path));

    if (name != NULL)
        parse_text(parser, block, name, text);
    free(text);
}

/* ---- the whole */

/* What Debian has the server's environment from. */
static void read_environment(struct parser *parser)
{
    char *path;
    size_t len;
    struct webconf scratch = {.files = 0}; /* that it is missing is no problem */

    if (asprintf(&path, "%s/envvars", parser->root) < 0)
        return;
    char *text = webconf_read(&scratch, path, "", 0, &len);
    if (text != NULL)
        apachevars_read_exports(parser->vars, text);
    for (size_t i = 0; i < scratch.problem_count; i++)
        free(scratch.problems[i]);
    free(text);
    free(path);
}

struct webconf *apacheconf_load(const char *path)
{
    struct parser *parser = calloc(1, sizeof(*parser));
    const char *slash = strrchr(path, '/');
    struct webconf *conf = webconf_new();

    if (parser == NULL || conf == NULL) {
        free(parser);
        webconf_free(conf);
        return NULL;
    }
    parser->conf = conf;
    parser->vars = apachevars_new();
    parser->root = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path));
    if (parser->root == NULL) {
        conf->full = true;
    } else {
        read_environment(parser);
        parse_file(parser, &conf->root, path, NULL);
    }
    apachevars_free(parser->vars);
    free(parser->root);
    free(parser);
    return conf;
}

struct webconf *apacheconf_parse(const char *file, const char *text)
{
    struct parser *parser = calloc(1, sizeof(*parser));
    struct webconf *conf = webconf_new();

    if (parser == NULL || conf == NULL) {
        free(parser);
        webconf_free(conf);
        return NULL;
    }
    parser->conf = conf;
    parser->vars = apachevars_new();
    parse_text(parser, &conf->root, file, text);
    apachevars_free(parser->vars);
    free(parser);
    return conf;
}

bool apacheconf_has_module(const struct webconf *conf, const char *module)
{
    bool any = false;

    for (const struct webconf_node *node = conf->root.first; node != NULL; node = node->next) {
        if (!webconf_is(node, "LoadModule"))
            continue;
        any = true;
        if (strcmp(webconf_arg(node, 0), module) == 0)
            return true;
    }
    return !any;
}
