/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "nginxroute.h"

#include <stdio.h>
#include <string.h>

enum kind { PREFIX, PREFIX_FINAL, EXACT, REGEX, REGEX_ANY_CASE, NAMED };

struct location {
    enum kind kind;
    const char *what;
};

/* The modifier may be a word of its own, or stand before the path: "~ x" and "~x". */
static struct location read_location(const struct webconf_node *node)
{
    static const struct {
        const char *modifier;
        enum kind kind;
    } modifiers[] = {{"^~", PREFIX_FINAL}, {"~*", REGEX_ANY_CASE}, {"~", REGEX}, {"=", EXACT},
                     {"@", NAMED}};
    const char *first = webconf_arg(node, 0);

    for (size_t i = 0; i < sizeof(modifiers) / sizeof(modifiers[0]); i++) {
        const size_t len = strlen(modifiers[i].modifier);
        if (strncmp(first, modifiers[i].modifier, len) != 0)
            continue;
        return (struct location){modifiers[i].kind,
                                 first[len] != '\0' ? first + len : webconf_arg(node, 1)};
    }
    return (struct location){PREFIX, first};
}

/* The longest of the locations in a block that the path begins with; an exact one at once. */
static const struct webconf_node *find_static(const struct webconf_node *block, const char *path,
                                              struct location *found)
{
    const struct webconf_node *best = NULL;
    size_t longest = 0;

    for (const struct webconf_node *node = block->first; node != NULL; node = node->next) {
        if (!webconf_is(node, "location"))
            continue;
        const struct location location = read_location(node);
        const size_t len = strlen(location.what);
        if (location.kind == EXACT && strcmp(location.what, path) == 0) {
            *found = location;
            return node;
        }
        if ((location.kind == PREFIX || location.kind == PREFIX_FINAL)
            && strncmp(path, location.what, len) == 0 && (best == NULL || len > longest)) {
            best = node;
            longest = len;
            *found = location;
        }
    }
    return best;
}

/* *final: nothing further out is to be asked. */
static const struct webconf_node *find(const struct webconf_node *block, const char *path,
                                       bool *final, bool *unsure)
{
    struct location location = {PREFIX, ""};
    const struct webconf_node *found = find_static(block, path, &location);

    *final = found != NULL && location.kind == EXACT;
    if (*final)
        return found;
    if (found != NULL) {
        const struct webconf_node *nested = find(found, path, final, unsure);
        if (*final)
            return nested;
        found = nested != NULL ? nested : found;
    }
    if (location.kind == PREFIX_FINAL)
        return found;
    for (const struct webconf_node *node = block->first; node != NULL; node = node->next) {
        if (!webconf_is(node, "location"))
            continue;
        const struct location regex = read_location(node);
        if (regex.kind != REGEX && regex.kind != REGEX_ANY_CASE)
            continue;
        const int matches = webconf_matches(regex.what, path, regex.kind == REGEX_ANY_CASE);
        *unsure = *unsure || matches < 0;
        if (matches > 0) {
            const struct webconf_node *nested = find(node, path, final, unsure);
            *final = true;
            return nested != NULL ? nested : node;
        }
    }
    return found;
}

const struct webconf_node *nginxroute_find(const struct webconf_node *server, const char *path,
                                           bool *unsure)
{
    bool final;

    *unsure = false;
    return find(server, path, &final, unsure);
}

/* ---- settings */

const struct webconf_node *nginxroute_setting(const struct webconf_node *block, const char *name)
{
    for (; block != NULL; block = block->parent) {
        const struct webconf_node *setting = webconf_child(block, name);
        if (setting != NULL)
            return setting;
    }
    return NULL;
}

bool nginxroute_is_on(const struct webconf_node *block, const char *name, bool preset)
{
    const struct webconf_node *setting = nginxroute_setting(block, name);

    return setting == NULL ? preset : strcmp(webconf_arg(setting, 0), "on") == 0;
}

const struct webconf_node *nginxroute_param(const struct webconf_node *block, const char *name)
{
    const struct webconf_node *found = NULL;
    bool any = false;

    for (; block != NULL && !any; block = block->parent) {
        for (const struct webconf_node *node = block->first; node != NULL; node = node->next) {
            if (!webconf_is(node, "fastcgi_param"))
                continue;
            any = true;
            if (strcmp(webconf_arg(node, 0), name) == 0)
                found = node;
        }
    }
    return found;
}

/* ---- where it leads */

const struct webconf_node *nginxroute_upstream(const struct webconf *conf,
                                               const struct webconf_node *pass)
{
    for (const struct webconf_node *node = conf->root.first; node != NULL;
         node = webconf_next(&conf->root, node)) {
        if (webconf_is(node, "upstream")
            && strcmp(webconf_arg(node, 0), webconf_arg(pass, 0)) == 0)
            return node;
    }
    return NULL;
}

/* The socket of an address, if it is one that is looked for. */
static const char *match(const char *address, const char *text, bool whole)
{
    const char *socket = strncmp(address, "unix:", 5) == 0 ? address + 5 : address;

    return (whole ? strcmp(socket, text) == 0 : strstr(socket, text) != NULL) ? socket : NULL;
}

const char *nginxroute_leads(const struct webconf *conf, const struct webconf_node *pass,
                             const char *text, bool whole)
{
    const char *address = webconf_arg(pass, 0);
    const struct webconf_node *upstream =
        strpbrk(address, ":/") != NULL ? NULL : nginxroute_upstream(conf, pass);
    const char *found = NULL;

    if (upstream == NULL)
        return match(address, text, whole);
    for (const struct webconf_node *node = upstream->first; node != NULL && found == NULL;
         node = node->next) {
        if (webconf_is(node, "server"))
            found = match(webconf_arg(node, 0), text, whole);
    }
    return found;
}

const struct webconf_node *nginxroute_location(const struct webconf_node *directive)
{
    return webconf_around(directive, "location");
}

const char *nginxroute_describe(const struct webconf_node *location, char *out, size_t size)
{
    snprintf(out, size, "location %s%s%s", webconf_arg(location, 0),
             location->count > 1 ? " " : "", webconf_arg(location, 1));
    return out;
}
