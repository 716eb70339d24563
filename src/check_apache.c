/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "check_apache.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "apacheconf.h"
#include "check_handler.h"

#define DEFAULT_CONFIG SYSCONFDIR "/hookspool/hookspool.conf"

enum { ROUTES = 64 };

struct apache {
    struct check *check;
    struct webconf *conf;
    const char *path;
    struct apacheroute routes[ROUTES]; /* every way to hookspoold */
    size_t count;
};

/* ---- the ways */

static bool is_ours(const struct check *check, const struct apacheroute *route)
{
    if (route->kind != APACHEROUTE_PROXY)
        return true; /* it was found by the program's name */
    return check->socket != NULL ? strcmp(route->target, check->socket) == 0
                                 : strstr(route->target, "hookspool") != NULL;
}

static void find_routes(struct apache *apache)
{
    struct check *check = apache->check;

    for (const struct webconf_node *node = apache->conf->root.first; node != NULL;
         node = webconf_next(&apache->conf->root, node)) {
        struct apacheroute *route = &apache->routes[apache->count];
        if (apache->count == ROUTES || !apacheroute_read(route, apache->conf, node)
            || !is_ours(check, route))
            continue;
        apache->count++;
        if (route->kind != APACHEROUTE_PROXY)
            check->starts_it = true;
        else if (check->socket == NULL && check->found[0] == '\0')
            snprintf(check->found, sizeof(check->found), "%s", route->target);
    }
}

/* ---- endpoints */

/* The endpoint that a SetEnv chooses for what this way takes; NULL: the path does. */
static const char *chosen(const struct apache *apache, const struct apacheroute *route,
                          const char *path)
{
    const struct webconf_node *set =
        apacheroute_local(apache->conf, route, path, "SetEnv", "HOOKSPOOL_ENDPOINT");

    return set == NULL ? NULL : webconf_arg(set, 1);
}

/* A path that the way takes: its own, or that of the section. */
static const char *own_path(const struct apacheroute *route)
{
    if (route->path != NULL)
        return route->path;
    return route->section != NULL ? webconf_arg(route->section, 0) : "/";
}

/* Does the way lead to this endpoint? 1, 0; -1: that cannot be said. */
static int leads_to(const struct apache *apache, const struct apacheroute *route,
                    const struct config_endpoint *endpoint)
{
    const char *name = chosen(apache, route, own_path(route));

    if (name != NULL)
        return strcmp(name, endpoint->name) == 0;
    return apacheroute_takes(route, endpoint->path);
}

static void tell_endpoint(const struct apache *apache, const struct config_endpoint *endpoint)
{
    struct findings *findings = apache->check->findings;
    char what[FINDING_WHAT], name[FINDING_WHAT], place[WEBCONF_PLACE];
    int best = 0;

    snprintf(what, sizeof(what), "Apache endpoint %s", endpoint->name);
    for (size_t i = 0; i < apache->count; i++) {
        const struct apacheroute *route = &apache->routes[i];
        const int leads = leads_to(apache, route, endpoint);
        if (leads > 0) {
            finding_ok(findings, what, "%s is taken by %s (%s)", endpoint->path,
                       route->section != NULL ? "its section" : route->at->name,
                       webconf_place(place, route->section != NULL ? route->section : route->at));
            return;
        }
        best = leads < 0 ? -1 : best;
    }
    (void)check_handler_name(&apache->routes[0], name);
    if (best < 0)
        finding_warn(findings, what, "whether %s leads to hookspoold cannot be told here: it is "
                     "for a <Directory>, <Files> or a regular expression to say", endpoint->path);
    else if (apache->check->apache != NULL)
        finding_fail(findings, EX_CONFIG, what, "%s does not lead to hookspoold; %s does",
                     endpoint->path, name);
    else
        finding_warn(findings, what, "%s does not lead to hookspoold; %s does", endpoint->path,
                     name);
    finding_advise(findings, "put it into a <Location> as the examples in apache/ do, or set path "
                   "in [endpoint %s]; try it: hookspool check --url https://HOST%s",
                   endpoint->name, endpoint->path);
}

static void check_route(const struct apache *apache, const struct apacheroute *route)
{
    struct check *check = apache->check;
    const struct config *config = check->config;
    const char *name = chosen(apache, route, own_path(route)), *path = own_path(route);
    uint64_t mine = 0, all = 0;
    char what[FINDING_WHAT], place[WEBCONF_PLACE];

    for (size_t i = 0; i < config->endpoint_count; i++) {
        const struct config_endpoint *endpoint = &config->endpoints[i];
        if (endpoint->max_body > all)
            all = endpoint->max_body;
        if (leads_to(apache, route, endpoint) <= 0)
            continue;
        path = name == NULL ? endpoint->path : path;
        if (endpoint->max_body > mine)
            mine = endpoint->max_body;
    }
    if (name != NULL && config_endpoint_by_name(config, name) == NULL) {
        finding_fail(check->findings, EX_CONFIG, check_handler_name(route, what),
                     "HOOKSPOOL_ENDPOINT names '%s', and there is no such endpoint: 404", name);
        finding_advise(check->findings, "%s: name one of '%s', or add [endpoint] there",
                       webconf_place(place, route->at), config->file);
    }
    check_handler(check, apache->conf, route, path, mine > 0 ? mine : all);
}

/* ---- hookspoold as Apache starts it */

/* The configuration that it is given; NULL: the usual one. */
static const char *given_config(const struct apache *apache, const struct apacheroute *route)
{
    static const char variable[] = "HOOKSPOOL_CONF";

    if (route->kind == APACHEROUTE_CGI) {
        const struct webconf_node *set =
            apacheroute_local(apache->conf, route, own_path(route), "SetEnv", variable);
        return set == NULL ? NULL : webconf_arg(set, 1);
    }
    for (const struct webconf_node *node = apache->conf->root.first; node != NULL;
         node = webconf_next(&apache->conf->root, node)) {
        if (webconf_is(node, "FcgidInitialEnv") && strcmp(webconf_arg(node, 0), variable) == 0)
            return webconf_arg(node, 1);
        if (webconf_is(node, "FcgidCmdOptions")
            && strcmp(webconf_arg(node, 0), route->target) == 0
            && apacheroute_value(node, variable) != NULL)
            return apacheroute_value(node, variable);
    }
    return NULL;
}

static void check_started(const struct apache *apache, const struct apacheroute *route)
{
    struct check *check = apache->check;
    const char *given = given_config(apache, route);
    char what[FINDING_WHAT], one[PATH_MAX], other[PATH_MAX];

    (void)check_handler_name(route, what);
    if (check->web_known && check->user_known && check->web.uid != check->user.uid) {
        finding_fail(check->findings, EX_CONFIG, what, "Apache starts hookspoold as %s, and the "
                     "spool is to be %s's", check->web.name, check->user.name);
        finding_advise(check->findings, "chown -R %s: '%s'; chgrp %s to the secret files; or let "
                       "hookspoold run by itself, as apache/hookspool-proxy.conf has it",
                       check->web.name, check->config->spool_dir, check->web.name);
    }
    const char *used = given != NULL ? given : DEFAULT_CONFIG;
    if (strcmp(used, check->config->file) == 0
        || (realpath(used, one) != NULL && realpath(check->config->file, other) != NULL
            && strcmp(one, other) == 0))
        return;
    finding_warn(check->findings, what, "hookspoold is started with '%s', and this is about '%s'",
                 used, check->config->file);
    finding_advise(check->findings, "hookspool check -c '%s' --apache '%s'", used, apache->path);
}

/* ---- the file */

static void tell_problems(const struct apache *apache)
{
    struct findings *findings = apache->check->findings;

    for (size_t i = 0; i < apache->conf->problem_count; i++) {
        finding_warn(findings, "Apache", "%s", apache->conf->problems[i]);
        finding_advise(findings, apache->conf->denied ? "run it as root: sudo hookspool check"
                                                      : "see what Apache says: apachectl -t");
    }
    if (apache->conf->full) {
        finding_warn(findings, "Apache", "'%s' was not read to its end: it is too large",
                     apache->path);
        finding_advise(findings, "point to the part that is about hookspool: --apache FILE");
    }
}

static void find_user(const struct apache *apache)
{
    const struct webconf_node *user = webconf_child(&apache->conf->root, "User");
    const struct webconf_node *group = webconf_child(&apache->conf->root, "Group");
    struct check *check = apache->check;
    const char *name = user == NULL ? "" : webconf_arg(user, 0);

    check->passed = true;
    if (name[0] == '\0' || identity_by_name(&check->web, name + (name[0] == '#')) < 0)
        return;
    check->web_known = true;
    const struct group *entry = group == NULL ? NULL : getgrnam(webconf_arg(group, 0));
    if (entry != NULL)
        identity_join(&check->web, entry->gr_gid);
}

static void tell_nothing(const struct apache *apache)
{
    struct check *check = apache->check;

    if (check->apache == NULL && apache->conf->denied)
        return;
    if (check->apache == NULL) {
        finding_ok(check->findings, "Apache", "'%s' does not mention hookspool", apache->path);
        return;
    }
    finding_fail(check->findings, EX_CONFIG, "Apache", "nothing in '%s' leads to %s", apache->path,
                 check->socket != NULL ? check->socket : "hookspoold");
    finding_advise(check->findings, "include one of apache/*.conf of the examples in a virtual "
                   "host; another socket than " CHECK_SOCKET ": --socket");
}

static void check_loaded(struct apache *apache)
{
    struct check *check = apache->check;

    find_routes(apache);
    if (apache->count > 0 || check->apache != NULL || apache->conf->denied)
        tell_problems(apache);
    if (apache->count == 0) {
        tell_nothing(apache);
        return;
    }
    find_user(apache);
    for (size_t i = 0; i < apache->count; i++) {
        check_route(apache, &apache->routes[i]);
        if (apache->routes[i].kind != APACHEROUTE_PROXY)
            check_started(apache, &apache->routes[i]);
    }
    for (size_t i = 0; i < check->config->endpoint_count; i++)
        tell_endpoint(apache, &check->config->endpoints[i]);
}

void check_apache(struct check *check)
{
    struct apache *apache = calloc(1, sizeof(*apache));
    const char *path = check->apache;

    if (path == NULL && check->nginx == NULL && access(CHECK_APACHE_CONF, F_OK) == 0)
        path = CHECK_APACHE_CONF;
    if (apache != NULL && path != NULL) {
        *apache = (struct apache){.check = check, .path = path, .conf = apacheconf_load(path)};
        if (apache->conf != NULL)
            check_loaded(apache);
        else
            check_unseen(check, "Apache", path);
        webconf_free(apache->conf);
    }
    free(apache);
}
