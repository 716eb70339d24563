/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "check_handler.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "apacheconf.h"
#include "out.h"
#include "webvalue.h"

/* Defaults, by httpd.apache.org: core, mod_reqtimeout, mod_proxy, mod_fcgid. */
enum {
    FCGID_LENGTH = 131072,
    FCGID_TIMEOUT = 40000, /* milliseconds */
    SERVER_TIMEOUT = 60000,
    SENDER_RATE = 64 * 1024 /* bytes a second that a sender is trusted to have */
};

static const char reload[] = "apachectl -t && apachectl graceful";

struct handler {
    struct check *check;
    const struct webconf *conf;
    const struct apacheroute *route;
    const char *path; /* that it takes */
    uint64_t max_body;
    char what[FINDING_WHAT];
};

const char *check_handler_name(const struct apacheroute *route, char out[FINDING_WHAT])
{
    const char *path = route->path != NULL     ? route->path
                       : route->section != NULL ? webconf_arg(route->section, 0)
                                                : "everywhere";

    if (strcmp(path, "~") == 0)
        path = webconf_arg(route->section, 1);
    snprintf(out, FINDING_WHAT, "Apache %.200s", path);
    return out;
}

static const struct webconf_node *server_setting(const struct handler *handler, const char *name)
{
    return apacheroute_server(handler->conf, handler->route, name);
}

static const struct webconf_node *local_setting(const struct handler *handler, const char *name)
{
    return apacheroute_local(handler->conf, handler->route, handler->path, name, NULL);
}

/* Where a setting is to be changed: where it stands, or beside the directive that leads to us. */
static const char *where(const struct handler *handler, const struct webconf_node *setting,
                         char out[WEBCONF_PLACE])
{
    return webconf_place(out, setting != NULL ? setting : handler->route->at);
}

/* ---- bodies */

static void check_fcgid_length(const struct handler *handler)
{
    struct findings *findings = handler->check->findings;
    const struct webconf_node *setting = server_setting(handler, "FcgidMaxRequestLen");
    char place[WEBCONF_PLACE], wanted[OUT_SIZE], is[OUT_SIZE];
    uint64_t length = FCGID_LENGTH;

    if (setting != NULL)
        (void)webvalue_apache_size(webconf_arg(setting, 0), &length);
    if (length >= handler->max_body)
        return;
    finding_fail(findings, EX_CONFIG, handler->what, "bodies above %s%s get 500 from mod_fcgid "
                 "(FcgidMaxRequestLen), and endpoints take up to %s", out_bytes(is, length),
                 setting == NULL ? ", the default," : "", out_bytes(wanted, handler->max_body));
    finding_advise(findings, "%s: FcgidMaxRequestLen %" PRIu64 " (server or virtual host); then: "
                   "%s", where(handler, setting, place),
                   handler->max_body > 16777216 ? handler->max_body : (uint64_t)16777216, reload);
}

static void check_limit(const struct handler *handler)
{
    struct findings *findings = handler->check->findings;
    const struct webconf_node *setting = local_setting(handler, "LimitRequestBody");
    const bool fcgid = handler->route->kind == APACHEROUTE_FCGID;
    char place[WEBCONF_PLACE], wanted[OUT_SIZE], is[OUT_SIZE];
    uint64_t limit;

    if (setting == NULL || webvalue_apache_size(webconf_arg(setting, 0), &limit) < 0
        || limit == 0 || limit >= UINT64_C(1073741824))
        return; /* the default of 1 GiB is no limit here */
    if (limit < handler->max_body) {
        finding_fail(findings, EX_CONFIG, handler->what, "bodies above %s are refused "
                     "(LimitRequestBody), and endpoints take up to %s", out_bytes(is, limit),
                     out_bytes(wanted, handler->max_body));
        finding_advise(findings, "%s: LimitRequestBody %" PRIu64 "; then: %s",
                       webconf_place(place, setting), fcgid ? 0 : handler->max_body, reload);
    } else if (fcgid) {
        finding_warn(findings, handler->what, "LimitRequestBody %s: mod_fcgid takes its refusal "
                     "for the end of the body", webconf_arg(setting, 0));
        finding_advise(findings, "%s: LimitRequestBody 0", webconf_place(place, setting));
    }
}

/* "body=20-40,MinRate=500": is a sender cut off that sends max_body at a fair pace? */
static void check_reading(const struct handler *handler)
{
    struct findings *findings = handler->check->findings;
    const struct webconf_node *setting = server_setting(handler, "RequestReadTimeout");
    const char *body = apacheroute_value(setting, "body");
    char place[WEBCONF_PLACE], *end;

    if (body == NULL || !apacheconf_has_module(handler->conf, "reqtimeout_module"))
        return;
    unsigned long most = strtoul(body, &end, 10);
    if (*end == '-')
        most = strtoul(end + 1, &end, 10);
    else if (*end == ',')
        return; /* grows as long as data comes */
    const unsigned long wanted = (unsigned long)(handler->max_body / SENDER_RATE) + 1;
    if (most == 0 || most >= wanted)
        return;
    finding_warn(findings, handler->what, "RequestReadTimeout gives a body %lu s, and max_body at "
                 "64K a second takes %lu", most, wanted);
    finding_advise(findings, "%s: RequestReadTimeout body=20,MinRate=500",
                   webconf_place(place, setting));
}

/* ---- time */

/* The value of an option of FcgidCmdOptions for this program; NULL: not said. */
static const char *command_option(const struct handler *handler, const char *option,
                                  const struct webconf_node **at)
{
    for (const struct webconf_node *node = handler->conf->root.first; node != NULL;
         node = webconf_next(&handler->conf->root, node)) {
        if (!webconf_is(node, "FcgidCmdOptions")
            || strcmp(webconf_arg(node, 0), handler->route->target) != 0)
            continue;
        *at = node;
        for (size_t i = 1; i + 1 < node->count; i++) {
            if (strcasecmp(node->args[i], option) == 0)
                return node->args[i + 1];
        }
    }
    return NULL;
}

/* Milliseconds that Apache waits, and what says so; NULL: a default. */
static int64_t find_timeout(const struct handler *handler, const struct webconf_node **setting,
                            const char **name)
{
    const struct apacheroute *route = handler->route;
    const char *text = NULL;
    int64_t ms = SERVER_TIMEOUT;

    *name = "Timeout";
    *setting = server_setting(handler, "Timeout");
    if (route->kind == APACHEROUTE_FCGID) {
        *setting = NULL;
        text = command_option(handler, "IOTimeout", setting);
        *name = *setting != NULL ? "IOTimeout" : "FcgidIOTimeout";
        if (*setting == NULL && (*setting = server_setting(handler, "FcgidIOTimeout")) != NULL)
            text = webconf_arg(*setting, 0);
        return text != NULL && webvalue_apache_time(text, &ms) == 0 ? ms : FCGID_TIMEOUT;
    }
    const char *own = route->kind == APACHEROUTE_PROXY ? "ProxyTimeout" : "CGIDScriptTimeout";
    const struct webconf_node *more = route->kind == APACHEROUTE_PROXY
                                          ? server_setting(handler, own)
                                          : local_setting(handler, own);
    if (more != NULL) {
        *setting = more;
        *name = own;
    }
    if (*setting != NULL)
        text = webconf_arg(*setting, 0);
    if (route->kind == APACHEROUTE_PROXY && apacheroute_value(route->at, "timeout") != NULL) {
        *setting = route->at;
        *name = "timeout";
        text = apacheroute_value(route->at, "timeout");
    }
    return text != NULL && webvalue_apache_time(text, &ms) == 0 && ms > 0 ? ms : SERVER_TIMEOUT;
}

static int64_t check_timeout(const struct handler *handler)
{
    struct findings *findings = handler->check->findings;
    const int64_t deadline = handler->check->config->deadline;
    const struct webconf_node *setting;
    const char *name;
    char place[WEBCONF_PLACE];

    const int64_t ms = find_timeout(handler, &setting, &name);
    if (ms > deadline)
        return ms;
    finding_warn(findings, handler->what, "%s (%" PRId64 " s) is not above hookspoold's deadline "
                 "(%" PRId64 " s): Apache gives up while an event is being stored", name,
                 ms / 1000, deadline / 1000);
    (void)where(handler, setting, place);
    if (handler->route->kind == APACHEROUTE_PROXY && webconf_is(handler->route->at, "ProxyPass"))
        finding_advise(findings, "%s: put timeout=%" PRId64 " behind the URL; then: %s",
                       webconf_place(place, handler->route->at), deadline / 1000 + 2, reload);
    else
        finding_advise(findings, "%s: %s %" PRId64 "; then: %s", place, name,
                       deadline / 1000 + 2, reload);
    return ms;
}

/* ---- access */

static void check_require(const struct handler *handler)
{
    struct findings *findings = handler->check->findings;
    const struct webconf_node *require = local_setting(handler, "Require");
    const char *who = require == NULL ? "" : webconf_arg(require, 0);
    char place[WEBCONF_PLACE];

    if (strcasecmp(who, "all") == 0 && strcasecmp(webconf_arg(require, 1), "granted") == 0)
        return;
    if (require == NULL && handler->route->kind == APACHEROUTE_PROXY)
        return; /* no directory comes into it */
    (void)where(handler, require, place);
    if (require == NULL) {
        finding_warn(findings, handler->what, "nothing says who may send: <Directory /> denies "
                     "it to all, as a rule");
    } else if (strcasecmp(who, "ip") == 0 || strcasecmp(who, "host") == 0
               || strcasecmp(who, "local") == 0 || strcasecmp(who, "not") == 0) {
        finding_warn(findings, handler->what, "only some addresses are let in (Require %s): "
                     "senders change theirs", who);
    } else {
        finding_fail(findings, EX_CONFIG, handler->what, "Require %s %s: senders are not let in",
                     who, webconf_arg(require, 1));
    }
    finding_advise(findings, "%s: let the signature decide: Require all granted, in the Location",
                   place);
}

/* ---- each kind */

static bool has_option(const struct webconf_node *options, const char *option)
{
    for (size_t i = 0; options != NULL && i < options->count; i++) {
        const char *word = options->args[i];
        if (strcasecmp(word[0] == '+' ? word + 1 : word, option) == 0
            || strcasecmp(word, "All") == 0)
            return true;
    }
    return false;
}

static void check_fcgid(const struct handler *handler)
{
    struct findings *findings = handler->check->findings;
    const struct webconf_node *type = local_setting(handler, "SetHandler");
    char place[WEBCONF_PLACE];

    (void)webconf_place(place, handler->route->at);
    check_fcgid_length(handler);
    check_limit(handler);
    if (type == NULL || strcasecmp(webconf_arg(type, 0), "fcgid-script") != 0) {
        finding_warn(findings, handler->what, "no SetHandler fcgid-script beside FcgidWrapper: "
                     "mod_fcgid may not be asked");
        finding_advise(findings, "%s: SetHandler fcgid-script", place);
    }
    if (!has_option(local_setting(handler, "Options"), "ExecCGI")) {
        finding_fail(findings, EX_CONFIG, handler->what, "Options has no ExecCGI: mod_fcgid "
                     "answers 403");
        finding_advise(findings, "%s: Options +ExecCGI, in the Location; then: %s", place, reload);
    }
    if (strcasecmp(webconf_arg(handler->route->at, 1), "virtual") != 0
        && strcasecmp(webconf_arg(handler->route->at, 2), "virtual") != 0) {
        finding_warn(findings, handler->what, "FcgidWrapper lacks \"virtual\": a file would have "
                     "to exist at the path");
        finding_advise(findings, "%s: FcgidWrapper \"%s -n 1\" virtual", place,
                       handler->route->target);
    }
}

static void check_proxy(const struct handler *handler)
{
    struct findings *findings = handler->check->findings;
    const struct webconf_node *override = local_setting(handler, "ProxyErrorOverride");
    const char *retry = apacheroute_value(handler->route->at, "retry");
    char place[WEBCONF_PLACE];

    if (!apacheconf_has_module(handler->conf, "proxy_fcgi_module")) {
        finding_fail(findings, EX_CONFIG, handler->what, "mod_proxy_fcgi is not loaded: 500 for "
                     "every event");
        finding_advise(findings, "a2enmod proxy_fcgi && systemctl restart apache2");
    }
    if (override != NULL && strcasecmp(webconf_arg(override, 0), "on") == 0) {
        finding_warn(findings, handler->what, "ProxyErrorOverride is on: hookspoold's statuses "
                     "and its Retry-After may be replaced");
        finding_advise(findings, "%s: ProxyErrorOverride Off", webconf_place(place, override));
    }
    if (webconf_is(handler->route->at, "ProxyPass")
        && (retry == NULL || strcmp(retry, "0") != 0)) {
        finding_warn(findings, handler->what, "retry is %s: after a failed connect Apache answers "
                     "503 by itself for that long", retry == NULL ? "60 s, the default" : retry);
        finding_advise(findings, "%s: put retry=0 behind the URL",
                       webconf_place(place, handler->route->at));
    }
}

void check_handler(struct check *check, const struct webconf *conf,
                   const struct apacheroute *route, const char *path, uint64_t max_body)
{
    static const char *const kinds[] = {"mod_proxy_fcgi", "mod_fcgid", "CGI"};
    struct handler handler = {.check = check, .conf = conf, .route = route, .path = path,
                              .max_body = max_body};
    const unsigned warned = check->findings->count[FINDING_WARN];
    const unsigned failed = check->findings->count[FINDING_FAIL];

    (void)check_handler_name(route, handler.what);
    if (route->kind == APACHEROUTE_PROXY)
        check_proxy(&handler);
    else if (route->kind == APACHEROUTE_FCGID)
        check_fcgid(&handler);
    else
        check_limit(&handler);
    const int64_t ms = check_timeout(&handler);
    check_reading(&handler);
    check_require(&handler);
    if (check->findings->count[FINDING_WARN] == warned
        && check->findings->count[FINDING_FAIL] == failed)
        finding_ok(check->findings, handler.what, "by %s, waits %" PRId64 " s for an answer",
                   kinds[route->kind], ms / 1000);
}
