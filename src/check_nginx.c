/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "check_nginx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "check_location.h"
#include "nginxconf.h"
#include "nginxroute.h"

enum { PASSES = 64, LOOKED = 1000 };

/* How the path of an endpoint goes. */
struct route {
    const struct webconf_node *location; /* that takes it; NULL: none */
    bool passed, unsure;
};

struct nginx {
    struct check *check;
    struct webconf *conf;
    const char *path;
    const struct webconf_node *passes[PASSES]; /* every fastcgi_pass to hookspoold */
    size_t count;
    struct route *routes; /* beside the endpoints */
};

/* ---- what is passed to hookspoold */

/* The socket that was asked for; else one that is called after hookspool. */
static void find_passes(struct nginx *nginx)
{
    struct check *check = nginx->check;
    const bool asked = check->socket != NULL;
    unsigned looked = 0;

    for (const struct webconf_node *node = nginx->conf->root.first; node != NULL;
         node = webconf_next(&nginx->conf->root, node)) {
        if (!webconf_is(node, "fastcgi_pass") || ++looked > LOOKED || nginx->count == PASSES)
            continue;
        const char *socket =
            nginxroute_leads(nginx->conf, node, asked ? check->socket : "hookspool", asked);
        if (socket == NULL)
            continue;
        nginx->passes[nginx->count++] = node;
        if (!asked && check->found[0] == '\0')
            snprintf(check->found, sizeof(check->found), "%s", socket);
    }
}

/* Is there one to another socket of ours than was asked for? */
static const struct webconf_node *find_other(const struct nginx *nginx, const char **socket)
{
    unsigned looked = 0;

    for (const struct webconf_node *node = nginx->conf->root.first; node != NULL;
         node = webconf_next(&nginx->conf->root, node)) {
        if (webconf_is(node, "fastcgi_pass") && ++looked <= LOOKED
            && (*socket = nginxroute_leads(nginx->conf, node, "hookspool", false)) != NULL)
            return node;
    }
    return NULL;
}

static bool is_passed(const struct nginx *nginx, const struct webconf_node *location)
{
    for (size_t i = 0; i < nginx->count; i++) {
        if (location != NULL && nginxroute_location(nginx->passes[i]) == location)
            return true;
    }
    return false;
}

/* ---- endpoints */

/* The server block around it, or the file of one that is included somewhere. */
static const struct webconf_node *server_of(const struct nginx *nginx,
                                            const struct webconf_node *pass)
{
    const struct webconf_node *server = webconf_around(pass, "server");

    return server != NULL ? server : &nginx->conf->root;
}

/* In the server block that is best for the endpoint. */
static struct route find_route(const struct nginx *nginx, const struct config_endpoint *endpoint)
{
    struct route best = {.location = NULL};
    const struct webconf_node *before = NULL;

    for (size_t i = 0; i < nginx->count; i++) {
        const struct webconf_node *location = nginxroute_location(nginx->passes[i]);
        const struct webconf_node *server = server_of(nginx, nginx->passes[i]);
        bool named, unsure;
        if (location == NULL)
            continue;
        if (check_location_endpoint(nginx->check, location, &named) == endpoint)
            return (struct route){location, true, false};
        if (server == before)
            continue;
        before = server;
        const struct webconf_node *taker = nginxroute_find(server, endpoint->path, &unsure);
        const bool passed = is_passed(nginx, taker)
            && check_location_endpoint(nginx->check, taker, &named) == NULL && !named;
        if (best.location == NULL || (passed && !best.passed))
            best = (struct route){taker, passed, unsure};
    }
    return best;
}

static void tell_route(const struct nginx *nginx, const struct config_endpoint *endpoint,
                       const struct route *route)
{
    struct findings *findings = nginx->check->findings;
    char what[FINDING_WHAT], place[WEBCONF_PLACE] = "", name[FINDING_WHAT] = "";

    snprintf(what, sizeof(what), "nginx endpoint %s", endpoint->name);
    if (route->location != NULL) {
        (void)webconf_place(place, route->location);
        (void)nginxroute_describe(route->location, name, sizeof(name));
    }
    if (route->passed && !route->unsure) {
        finding_ok(findings, what, "%s is taken by %s (%s)", endpoint->path, name, place);
        return;
    }
    if (route->passed) {
        finding_warn(findings, what, "%s is taken by %s (%s), unless a regular expression that "
                     "is not understood here takes it first", endpoint->path, name, place);
        finding_advise(findings, "write that location with ^~, as the example does: location ^~ "
                       "%s { ... }", endpoint->path);
        return;
    }
    if (nginx->check->nginx != NULL)
        finding_fail(findings, EX_CONFIG, what, "%s does not lead to hookspoold: %s%s%s",
                     endpoint->path, route->location == NULL ? "no location takes it" : name,
                     route->location == NULL ? "" : " takes it, at ", place);
    else
        finding_warn(findings, what, "%s does not lead to hookspoold: %s%s%s", endpoint->path,
                     route->location == NULL ? "no location takes it" : name,
                     route->location == NULL ? "" : " takes it, at ", place);
    finding_advise(findings, "add a location for it, as in nginx/hookspool.conf of the examples, "
                   "or set path in [endpoint %s]", endpoint->name);
}

/* The largest body of the endpoints that a location leads to; of all, if it is not known. */
static uint64_t largest_body(const struct nginx *nginx, const struct webconf_node *location)
{
    const struct config *config = nginx->check->config;
    uint64_t mine = 0, all = 0;

    for (size_t i = 0; i < config->endpoint_count; i++) {
        const struct config_endpoint *endpoint = &config->endpoints[i];
        const struct route *route = &nginx->routes[i];
        if (endpoint->max_body > all)
            all = endpoint->max_body;
        if (route->passed && route->location == location && endpoint->max_body > mine)
            mine = endpoint->max_body;
    }
    return mine > 0 ? mine : all;
}

/* ---- the file */

static void tell_problems(const struct nginx *nginx)
{
    struct findings *findings = nginx->check->findings;

    for (size_t i = 0; i < nginx->conf->problem_count; i++) {
        finding_warn(findings, "nginx", "%s", nginx->conf->problems[i]);
        finding_advise(findings, nginx->conf->denied ? "run it as root: sudo hookspool check"
                                                     : "see what nginx says: nginx -t");
    }
    if (nginx->conf->full) {
        finding_warn(findings, "nginx", "'%s' was not read to its end: it is too large",
                     nginx->path);
        finding_advise(findings, "point to the part that is about hookspool: --nginx FILE");
    }
}

static void tell_nothing(const struct nginx *nginx)
{
    struct check *check = nginx->check;
    const char *socket;
    char place[WEBCONF_PLACE];
    const struct webconf_node *other = find_other(nginx, &socket);

    if (other != NULL) {
        finding_fail(check->findings, EX_CONFIG, "nginx", "%s passes requests to '%s', not to "
                     "'%s'", webconf_place(place, other), socket, check->socket);
        finding_advise(check->findings, "fastcgi_pass unix:%s; there, or let hookspoold listen at "
                       "'%s'", check->socket, socket);
    } else if (check->nginx != NULL) {
        finding_fail(check->findings, EX_CONFIG, "nginx", "nothing in '%s' passes requests to %s",
                     nginx->path, check->socket != NULL ? check->socket : "hookspoold");
        finding_advise(check->findings, "include nginx/hookspool.conf of the examples in a server "
                       "block; another socket than " CHECK_SOCKET ": --socket");
    } else if (!nginx->conf->denied) {
        finding_ok(check->findings, "nginx", "'%s' does not mention hookspool", nginx->path);
    }
}

static void find_user(const struct nginx *nginx)
{
    const struct webconf_node *user = webconf_child(&nginx->conf->root, "user");
    struct check *check = nginx->check;

    check->passed = true;
    if (user == NULL || identity_by_name(&check->web, webconf_arg(user, 0)) < 0)
        return;
    check->web_known = true;
}

static void check_loaded(struct nginx *nginx)
{
    const struct config *config = nginx->check->config;

    find_passes(nginx);
    if (nginx->count > 0 || nginx->check->nginx != NULL || nginx->conf->denied)
        tell_problems(nginx);
    if (nginx->count == 0) {
        tell_nothing(nginx);
        return;
    }
    find_user(nginx);
    for (size_t i = 0; i < config->endpoint_count; i++)
        nginx->routes[i] = find_route(nginx, &config->endpoints[i]);
    for (size_t i = 0; i < nginx->count; i++)
        check_location(nginx->check, nginx->conf, nginx->passes[i],
                       largest_body(nginx, nginxroute_location(nginx->passes[i])));
    for (size_t i = 0; i < config->endpoint_count; i++)
        tell_route(nginx, &config->endpoints[i], &nginx->routes[i]);
}

void check_nginx(struct check *check)
{
    struct nginx nginx = {.check = check, .path = check->nginx};

    if (nginx.path == NULL) {
        if (check->apache != NULL || access(CHECK_NGINX_CONF, F_OK) < 0)
            return;
        nginx.path = CHECK_NGINX_CONF;
    }
    nginx.conf = nginxconf_load(nginx.path);
    nginx.routes = calloc(check->config->endpoint_count, sizeof(*nginx.routes));
    if (nginx.conf == NULL || nginx.routes == NULL)
        check_unseen(check, "nginx", nginx.path);
    else
        check_loaded(&nginx);
    free(nginx.routes);
    webconf_free(nginx.conf);
}
