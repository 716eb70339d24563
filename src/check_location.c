/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "check_location.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "nginxroute.h"
#include "out.h"
#include "webvalue.h"

/* Where nothing is said: nginx.org, ngx_http_core_module and ngx_http_fastcgi_module. */
static const char default_size[] = "1m", default_timeout[] = "60s";

static const char reload[] = "nginx -t && systemctl reload nginx";

struct location {
    struct check *check;
    const struct webconf *conf;
    const struct webconf_node *node, *pass;
    char what[FINDING_WHAT];
};

/* Where a setting is to be changed: where it stands, or in the location. */
static const char *where(const struct location *location, const struct webconf_node *setting,
                         char out[WEBCONF_PLACE])
{
    return webconf_place(out, setting != NULL ? setting : location->node);
}

const struct config_endpoint *check_location_endpoint(const struct check *check,
                                                      const struct webconf_node *location,
                                                      bool *named)
{
    const struct webconf_node *param = nginxroute_param(location, "HOOKSPOOL_ENDPOINT");

    *named = param != NULL && webconf_arg(param, 1)[0] != '\0';
    return *named ? config_endpoint_by_name(check->config, webconf_arg(param, 1)) : NULL;
}

/* ---- limits */

static void check_body(const struct location *location, uint64_t max_body)
{
    struct findings *findings = location->check->findings;
    const struct webconf_node *setting =
        nginxroute_setting(location->node, "client_max_body_size");
    const char *text = setting == NULL ? default_size : webconf_arg(setting, 0);
    char place[WEBCONF_PLACE], wanted[OUT_SIZE];
    uint64_t size;

    if (webvalue_nginx_size(text, &size) < 0) {
        finding_warn(findings, location->what, "client_max_body_size is '%s', which is no size",
                     text);
        finding_advise(findings, "%s: client_max_body_size 1m;", where(location, setting, place));
        return;
    }
    if (size == 0 || size >= max_body)
        return;
    finding_fail(findings, EX_CONFIG, location->what, "bodies above %s%s get 413 from nginx, and "
                 "endpoints take up to %s", text, setting == NULL ? " (the default)" : "",
                 out_bytes(wanted, max_body));
    finding_advise(findings, "%s: client_max_body_size %" PRIu64 "k; then: %s",
                   where(location, setting, place), (max_body + 1023) / 1024, reload);
}

static void check_timeout(const struct location *location)
{
    struct findings *findings = location->check->findings;
    const int64_t deadline = location->check->config->deadline;
    const struct webconf_node *setting =
        nginxroute_setting(location->node, "fastcgi_read_timeout");
    const char *text = setting == NULL ? default_timeout : webconf_arg(setting, 0);
    char place[WEBCONF_PLACE];
    int64_t ms;

    if (webvalue_nginx_time(text, &ms) == 0 && ms > deadline)
        return;
    finding_warn(findings, location->what, "fastcgi_read_timeout (%s) is not above hookspoold's "
                 "deadline (%" PRId64 " s): nginx answers 504 while an event is being stored",
                 text, deadline / 1000);
    finding_advise(findings, "%s: fastcgi_read_timeout %" PRId64 "s; then: %s",
                   where(location, setting, place), deadline / 1000 + 2, reload);
}

/* ---- what is passed on */

static void check_params(const struct location *location)
{
    struct findings *findings = location->check->findings;
    const struct webconf_node *node = location->node;
    bool named;
    char place[WEBCONF_PLACE];

    (void)webconf_place(place, node);
    const struct config_endpoint *endpoint = check_location_endpoint(location->check, node, &named);
    if (named && endpoint == NULL
        && strchr(webconf_arg(nginxroute_param(node, "HOOKSPOOL_ENDPOINT"), 1), '$') == NULL) {
        finding_fail(findings, EX_CONFIG, location->what, "HOOKSPOOL_ENDPOINT names '%s', and "
                     "there is no such endpoint: 404",
                     webconf_arg(nginxroute_param(node, "HOOKSPOOL_ENDPOINT"), 1));
        finding_advise(findings, "%s: name one of '%s', or add [endpoint] there", place,
                       location->check->config->file);
    }
    if (nginxroute_param(node, "REQUEST_METHOD") == NULL) {
        finding_fail(findings, EX_CONFIG, location->what, "the parameter REQUEST_METHOD is not "
                     "passed: 405 for every event");
        finding_advise(findings, "%s: fastcgi_param REQUEST_METHOD $request_method; (an outer "
                       "fastcgi_param is not inherited beside others)", place);
    }
    if (!named && nginxroute_param(node, "SCRIPT_NAME") == NULL
        && nginxroute_param(node, "REQUEST_URI") == NULL) {
        finding_fail(findings, EX_CONFIG, location->what, "neither SCRIPT_NAME nor REQUEST_URI is "
                     "passed: hookspoold does not know the endpoint, and answers 404");
        finding_advise(findings, "%s: fastcgi_param SCRIPT_NAME $fastcgi_script_name;", place);
    }
    if (nginxroute_param(node, "CONTENT_LENGTH") == NULL) {
        finding_warn(findings, location->what, "CONTENT_LENGTH is not passed: hookspoold cannot "
                     "tell a body that was cut short until its signature fails");
        finding_advise(findings, "%s: fastcgi_param CONTENT_LENGTH $content_length;", place);
    }
}

struct rule {
    const char *directive;
    bool preset, wanted;
    enum finding_level level;
    const char *consequence;
};

/* Settings that are on or off. */
static void check_switches(const struct location *location)
{
    static const struct rule rules[] = {
        {"fastcgi_pass_request_headers", true, true, FINDING_FAIL,
         "the signature does not arrive: 400 for every event"},
        {"fastcgi_pass_request_body", true, true, FINDING_FAIL,
         "the body does not arrive: no event can be verified"},
        {"fastcgi_request_buffering", true, true, FINDING_WARN,
         "a slow sender occupies a thread of hookspoold, and one that stops half way reaches it"},
        {"fastcgi_intercept_errors", false, false, FINDING_WARN,
         "an error_page may replace hookspoold's statuses and its Retry-After"}};
    struct findings *findings = location->check->findings;
    char place[WEBCONF_PLACE];

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const struct rule *rule = &rules[i];
        const bool on = nginxroute_is_on(location->node, rule->directive, rule->preset);
        const char *is = on ? "on" : "off";
        if (on == rule->wanted)
            continue;
        if (rule->level == FINDING_FAIL)
            finding_fail(findings, EX_CONFIG, location->what, "%s is %s: %s", rule->directive, is,
                         rule->consequence);
        else
            finding_warn(findings, location->what, "%s is %s: %s", rule->directive, is,
                         rule->consequence);
        finding_advise(findings, "%s: %s %s; then: %s",
                       where(location, nginxroute_setting(location->node, rule->directive), place),
                       rule->directive, rule->wanted ? "on" : "off", reload);
    }
}

/* ---- what keeps a request from coming through at all */

static bool has_word(const struct webconf_node *node, const char *word)
{
    for (size_t i = 0; node != NULL && i < node->count; i++) {
        if (strcmp(node->args[i], word) == 0)
            return true;
    }
    return false;
}

/* A directive in the location or around it that turns senders away. */
static void refuse(const struct location *location, const struct webconf_node *node,
                   const char *consequence)
{
    struct findings *findings = location->check->findings;
    char place[WEBCONF_PLACE];

    finding_fail(findings, EX_CONFIG, location->what, "%s '%s': %s", node->name,
                 webconf_arg(node, 0), consequence);
    finding_advise(findings, "%s: take it out for this location; then: %s",
                   webconf_place(place, node), reload);
}

static void check_access(const struct location *location)
{
    const struct webconf_node *node = location->node;
    const struct webconf_node *internal = webconf_child(node, "internal");
    const struct webconf_node *basic = nginxroute_setting(node, "auth_basic");
    const struct webconf_node *request = nginxroute_setting(node, "auth_request");
    const struct webconf_node *except = webconf_child(node, "limit_except");
    const struct webconf_node *deny = nginxroute_setting(node, "deny");
    char place[WEBCONF_PLACE];

    if (internal != NULL)
        refuse(location, internal, "nobody from outside is let in: 404");
    if (basic != NULL && strcmp(webconf_arg(basic, 0), "off") != 0)
        refuse(location, basic, "a sender has no password: 401");
    if (request != NULL && strcmp(webconf_arg(request, 0), "off") != 0)
        refuse(location, request, "a sender cannot log in: 401");
    if (except != NULL && !has_word(except, "POST") && webconf_child(except, "deny") != NULL)
        refuse(location, except, "POST is not among the methods: 403");
    for (const struct webconf_node *at = node; at != NULL; at = at->parent) {
        const struct webconf_node *answer = webconf_child(at, "return");
        if (answer != NULL)
            refuse(location, answer, "nginx answers by itself, before it comes to fastcgi_pass");
    }
    if (has_word(deny, "all")) {
        finding_warn(location->check->findings, location->what, "only some addresses are let in "
                     "(%s): senders change theirs", webconf_place(place, deny));
        finding_advise(location->check->findings, "%s: let the signature decide: allow all;",
                       place);
    }
}

/* ---- several at a time */

static void check_upstream(const struct location *location)
{
    struct findings *findings = location->check->findings;
    const struct webconf_node *upstream = nginxroute_upstream(location->conf, location->pass);
    const struct webconf_node *next =
        nginxroute_setting(location->node, "fastcgi_next_upstream");
    const bool kept = nginxroute_is_on(location->node, "fastcgi_keep_conn", false);
    const bool cached = upstream != NULL && webconf_child(upstream, "keepalive") != NULL;
    char place[WEBCONF_PLACE];

    if (has_word(next, "non_idempotent")) {
        finding_warn(findings, location->what, "fastcgi_next_upstream non_idempotent: an event is "
                     "sent to the next server while the first may be storing it");
        finding_advise(findings, "%s: fastcgi_next_upstream off;", webconf_place(place, next));
    }
    if (kept && !cached) {
        finding_warn(findings, location->what, "fastcgi_keep_conn is on, and %s: before nginx "
                     "1.29.7 no connection is kept", upstream == NULL
                     ? "fastcgi_pass names no upstream" : "its upstream has no keepalive");
        finding_advise(findings, "upstream hookspool { server unix:%s; keepalive 32; } in the http "
                       "block, and fastcgi_pass hookspool;", check_socket_path(location->check));
    } else if (!kept && cached) {
        finding_warn(findings, location->what, "its upstream has keepalive, but fastcgi_keep_conn "
                     "is off: no connection is kept");
        finding_advise(findings, "%s: fastcgi_keep_conn on;",
                       webconf_place(place, location->node));
    }
}

static void tell_fine(const struct location *location)
{
    const struct webconf_node *node = location->node;
    const struct webconf_node *size = nginxroute_setting(node, "client_max_body_size");
    const struct webconf_node *timeout = nginxroute_setting(node, "fastcgi_read_timeout");

    finding_ok(location->check->findings, location->what, "bodies up to %s, waits %s for an answer",
               size == NULL ? default_size : webconf_arg(size, 0),
               timeout == NULL ? default_timeout : webconf_arg(timeout, 0));
}

void check_location(struct check *check, const struct webconf *conf,
                    const struct webconf_node *pass, uint64_t max_body)
{
    struct location location = {.check = check, .conf = conf, .pass = pass,
                                .node = nginxroute_location(pass)};
    const unsigned warned = check->findings->count[FINDING_WARN];
    const unsigned failed = check->findings->count[FINDING_FAIL];
    char name[FINDING_WHAT];

    if (location.node == NULL)
        return;
    snprintf(location.what, sizeof(location.what), "nginx %.200s",
             nginxroute_describe(location.node, name, sizeof(name)));
    check_body(&location, max_body);
    check_params(&location);
    check_switches(&location);
    check_timeout(&location);
    check_access(&location);
    check_upstream(&location);
    if (check->findings->count[FINDING_WARN] == warned
        && check->findings->count[FINDING_FAIL] == failed)
        tell_fine(&location);
}
