/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "apacheroute.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- what a directive leads to */

static bool is_location(const struct webconf_node *section)
{
    return webconf_is(section, "Location") || webconf_is(section, "LocationMatch");
}

/* The section that a directive belongs to, unless that is a whole server's. */
static const struct webconf_node *section_of(const struct webconf_node *node)
{
    const struct webconf_node *section = node->parent;

    while (section->parent != NULL && (webconf_is(section, "If") || webconf_is(section, "ElseIf")
                                       || webconf_is(section, "Else")))
        section = section->parent;
    return section->parent == NULL || webconf_is(section, "VirtualHost") ? NULL : section;
}

/* unix:/path|fcgi://name/, or fcgi://address:port/ */
static bool read_url(const char *url, char target[APACHEROUTE_TARGET])
{
    const char *scheme = strstr(url, "fcgi://");
    size_t len;

    if (scheme == NULL)
        return false;
    if (strncasecmp(url, "unix:", 5) == 0) {
        url += 5;
        len = strcspn(url, "|");
    } else if (scheme == url) {
        url += strlen("fcgi://");
        len = strcspn(url, "/");
    } else {
        return false;
    }
    if (len == 0 || len >= APACHEROUTE_TARGET)
        return false;
    memcpy(target, url, len);
    target[len] = '\0';
    return true;
}

/* Is it a program of our name? */
static bool take_program(const char *path, char target[APACHEROUTE_TARGET])
{
    const char *slash = strrchr(path, '/');

    return strcmp(slash != NULL ? slash + 1 : path, "hookspoold") == 0
        && snprintf(target, APACHEROUTE_TARGET, "%s", path) < APACHEROUTE_TARGET;
}

/* The same of a command line, which begins with it, perhaps in quotes. */
static bool take_command(const char *command, char target[APACHEROUTE_TARGET])
{
    char program[APACHEROUTE_TARGET];

    command += strspn(command, " \t");
    const char quote = *command == '"' || *command == '\'' ? *command : '\0';

    command += quote != '\0';
    size_t len = quote != '\0' ? strcspn(command, quote == '"' ? "\"" : "'")
                               : strcspn(command, " \t");
    if (len >= APACHEROUTE_TARGET)
        len = APACHEROUTE_TARGET - 1;
    memcpy(program, command, len);
    program[len] = '\0';
    return take_program(program, target);
}

/* [path] url, the path left out in a section. */
static bool read_proxy(struct apacheroute *route, const struct webconf_node *node)
{
    const bool alone = read_url(webconf_arg(node, 0), route->target);

    if (!alone && !read_url(webconf_arg(node, 1), route->target))
        return false;
    route->kind = APACHEROUTE_PROXY;
    route->path = alone ? NULL : webconf_arg(node, 0);
    route->regex = webconf_is(node, "ProxyPassMatch") || webconf_is(node, "RewriteRule");
    return true;
}

static bool read_alias(struct apacheroute *route, const struct webconf_node *node)
{
    const bool alone = node->count == 1;

    if (!take_program(webconf_arg(node, alone ? 0 : 1), route->target))
        return false;
    route->kind = APACHEROUTE_CGI;
    route->path = alone ? NULL : webconf_arg(node, 0);
    route->regex = webconf_is(node, "ScriptAliasMatch");
    return true;
}

bool apacheroute_read(struct apacheroute *route, const struct webconf *conf,
                      const struct webconf_node *node)
{
    const struct webconf_node *host = webconf_around(node, "VirtualHost");

    *route = (struct apacheroute){.at = node, .host = host != NULL ? host : &conf->root,
                                  .section = section_of(node)};
    if (webconf_is(node, "ProxyPass") || webconf_is(node, "ProxyPassMatch")
        || webconf_is(node, "RewriteRule"))
        return read_proxy(route, node);
    if (webconf_is(node, "SetHandler") && strncmp(webconf_arg(node, 0), "proxy:", 6) == 0) {
        route->kind = APACHEROUTE_PROXY;
        return read_url(webconf_arg(node, 0) + 6, route->target);
    }
    if (webconf_is(node, "FcgidWrapper")) {
        route->kind = APACHEROUTE_FCGID;
        return take_command(webconf_arg(node, 0), route->target);
    }
    if (webconf_is(node, "ScriptAlias") || webconf_is(node, "ScriptAliasMatch"))
        return read_alias(route, node);
    if (webconf_is(node, "Action")) {
        route->kind = APACHEROUTE_CGI;
        return take_program(webconf_arg(node, 1), route->target);
    }
    return false;
}

/* ---- paths */

/* A prefix that ends where a word of the path does. */
static bool is_below(const char *path, const char *prefix)
{
    const size_t len = strlen(prefix);

    return strncmp(path, prefix, len) == 0
        && (len == 0 || prefix[len - 1] == '/' || path[len] == '/' || path[len] == '\0');
}

/* Does the section apply to this path? 1, 0, -1. */
static int applies(const struct webconf_node *section, const char *path)
{
    const char *what = webconf_arg(section, 0);

    if (!is_location(section))
        return -1;
    if (webconf_is(section, "LocationMatch"))
        return webconf_matches(what, path, false);
    if (strcmp(what, "~") == 0)
        return webconf_matches(webconf_arg(section, 1), path, false);
    if (strpbrk(what, "*?[") != NULL)
        return fnmatch(what, path, FNM_PATHNAME) == 0;
    return is_below(path, what);
}

int apacheroute_takes(const struct apacheroute *route, const char *path)
{
    const int around = route->section == NULL ? 1 : applies(route->section, path);

    if (route->path == NULL || around == 0)
        return around;
    if (route->regex) {
        const int matches = webconf_matches(route->path, path, false);
        return matches > 0 ? around : matches;
    }
    return is_below(path, route->path) ? around : 0;
}

/* ---- settings */

static const struct webconf_node *last_of(const struct webconf_node *block, const char *name,
                                          const char *first)
{
    const struct webconf_node *found = NULL;

    for (const struct webconf_node *node = block->first; node != NULL; node = node->next) {
        if (webconf_is(node, name) && (first == NULL || strcmp(webconf_arg(node, 0), first) == 0))
            found = node;
    }
    return found;
}

const struct webconf_node *apacheroute_server(const struct webconf *conf,
                                              const struct apacheroute *route, const char *name)
{
    const struct webconf_node *found = last_of(route->host, name, NULL);

    return found != NULL ? found : last_of(&conf->root, name, NULL);
}

/* What the sections of a server say, in their order; the section of the route always counts. */
static const struct webconf_node *in_sections(const struct webconf_node *host,
                                              const struct apacheroute *route, const char *path,
                                              const char *name, const char *first)
{
    const struct webconf_node *found = NULL;

    for (const struct webconf_node *node = host->first; node != NULL; node = node->next) {
        if (node != route->section && (!is_location(node) || applies(node, path) != 1))
            continue;
        const struct webconf_node *here = last_of(node, name, first);
        if (here != NULL)
            found = here;
    }
    return found;
}

const struct webconf_node *apacheroute_local(const struct webconf *conf,
                                             const struct apacheroute *route, const char *path,
                                             const char *name, const char *first)
{
    const struct webconf_node *levels[] = {
        route->host == &conf->root ? NULL : in_sections(route->host, route, path, name, first),
        in_sections(&conf->root, route, path, name, first),
        last_of(route->host, name, first),
        last_of(&conf->root, name, first)};

    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (levels[i] != NULL)
            return levels[i];
    }
    return NULL;
}

const char *apacheroute_value(const struct webconf_node *node, const char *key)
{
    const size_t len = strlen(key);

    for (size_t i = 0; node != NULL && i < node->count; i++) {
        if (strncasecmp(node->args[i], key, len) == 0 && node->args[i][len] == '=')
            return node->args[i] + len + 1;
    }
    return NULL;
}
