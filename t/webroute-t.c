/* SPDX-License-Identifier: ISC */
/* Which part of a web server's configuration takes a request, and which settings hold there. */
#include "autoconf.h"

#include "apacheconf.h"
#include "apacheroute.h"
#include "nginxconf.h"
#include "nginxroute.h"

#include "tap.h"
#include "temp.h"

static const struct webconf_node *find_node(const struct webconf *conf, const char *name)
{
    for (const struct webconf_node *node = conf->root.first; node != NULL;
         node = webconf_next(&conf->root, node)) {
        if (webconf_is(node, name))
            return node;
    }
    return NULL;
}

/* ---- nginx */

static void nginx_locations(void)
{
    static const char text[] =
        "location / { n root; }"
        "location /webhooks/ { n prefix;"
        "    location /webhooks/deep/ { n nested; }"
        "    location ~ /special$ { n nested-regex; } }"
        "location ^~ /webhooks/final/ { n final; }"
        "location = /webhooks/exact { n exact; }"
        "location =/glued { n glued; }"
        "location ~ \\.php$ { n regex; location /x.php { n inside-regex; } }"
        "location ~* \\.ASP$ { n any-case; }"
        "location @named { n named; }"
        "server { location /webhooks/ { n other; } }";
    static const struct {
        const char *path, *name;
    } rows[] = {
        {"/", "root"}, {"/webhooks", "root"}, {"/webhooks/", "prefix"}, {"/webhooks/a", "prefix"},
        {"/webhooks/deep/a", "nested"}, {"/webhooks/a/special", "nested-regex"},
        {"/webhooks/deep/special", "nested-regex"}, {"/webhooks/final/a", "final"},
        {"/webhooks/final/a.php", "final"}, {"/webhooks/exact", "exact"},
        {"/webhooks/exact/", "prefix"}, {"/webhooks/a.php", "regex"}, {"/x.php", "inside-regex"},
        {"/a.asp", "any-case"}, {"/glued", "glued"}, {"@named", NULL}, {"nothing", NULL},
    };
    struct webconf *conf = nginxconf_parse("f", text);
    bool unsure;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct webconf_node *found = nginxroute_find(&conf->root, rows[i].path, &unsure);
        const struct webconf_node *n = found == NULL ? NULL : webconf_child(found, "n");
        is_str(n == NULL ? NULL : webconf_arg(n, 0), rows[i].name, "nginx: %s", rows[i].path);
        ok(!unsure, "... for sure");
    }
    webconf_free(conf);

    conf = nginxconf_parse("f", "location /a { n a; } location ~ (?i)^/A { n b; }");
    const struct webconf_node *found = nginxroute_find(&conf->root, "/a", &unsure);
    ok(found != NULL && unsure, "nginx: an expression of Perl's makes it unsure");
    found = nginxroute_find(&conf->root, "/b", &unsure);
    ok(found == NULL && unsure, "nginx: ... also where there is nothing else");
    webconf_free(conf);
}

static void nginx_settings(void)
{
    static const char text[] =
        "x main; http { x http; y on; fastcgi_param A 1; fastcgi_param B 2; server { x server;"
        " location /a { x location; fastcgi_pass unix:/run/hs.sock; }"
        " location /b { y off; fastcgi_param B 3; location /b/c { if ($z) { fastcgi_pass up; } } } "
        " } server { location /d { fastcgi_pass 127.0.0.1:9000; } }"
        " upstream up { server unix:/run/one.sock weight=1; server 127.0.0.1:9001; } }";
    struct webconf *conf = nginxconf_parse("f", text);
    const struct webconf_node *a = find_node(conf, "fastcgi_pass");
    const struct webconf_node *in_a = nginxroute_location(a);
    const struct webconf_node *b = webconf_next(&conf->root, a);

    while (b != NULL && !webconf_is(b, "fastcgi_pass"))
        b = webconf_next(&conf->root, b);
    const struct webconf_node *in_b = nginxroute_location(b);
    is_str(webconf_arg(nginxroute_setting(in_a, "x"), 0), "location", "its own setting");
    is_str(webconf_arg(nginxroute_setting(in_b, "x"), 0), "server", "that of the server");
    ok(nginxroute_setting(in_a, "z") == NULL, "none");
    ok(nginxroute_is_on(in_a, "y", false), "on, from outside");
    ok(!nginxroute_is_on(in_b, "y", true), "off, from the location around");
    ok(nginxroute_is_on(in_b, "z", true) && !nginxroute_is_on(in_b, "z", false), "the default");
    is_str(webconf_arg(nginxroute_param(in_a, "A"), 1), "1", "parameters are inherited");
    is_str(webconf_arg(nginxroute_param(in_b, "B"), 1), "3", "... from the innermost level");
    ok(nginxroute_param(in_b, "A") == NULL, "... all or none");

    is_str(nginxroute_leads(conf, a, "/run/hs.sock", true), "/run/hs.sock", "a socket");
    ok(nginxroute_leads(conf, a, "/run/hs", true) == NULL, "another one");
    is_str(nginxroute_leads(conf, a, "hs", false), "/run/hs.sock", "a part of its name");
    is_str(nginxroute_leads(conf, b, "/run/one.sock", true), "/run/one.sock", "by an upstream");
    is_str(nginxroute_leads(conf, b, "127.0.0.1:9001", true), "127.0.0.1:9001", "its second");
    ok(nginxroute_upstream(conf, b) != NULL && nginxroute_upstream(conf, a) == NULL, "upstreams");
    webconf_free(conf);
}

/* ---- Apache */

static void apache_routes(void)
{
    static const struct {
        const char *text;
        enum apacheroute_kind kind;
        const char *target, *path;
        int takes; /* the path */
    } rows[] = {
        {"<Location \"/webhooks/\">\nProxyPass \"unix:/run/hs.sock|fcgi://hs/\" a=b\n</Location>",
         APACHEROUTE_PROXY, "/run/hs.sock", "/webhooks/a", 1},
        {"<Location \"/webhooks/\">\nProxyPass \"unix:/run/hs.sock|fcgi://hs/\"\n</Location>",
         APACHEROUTE_PROXY, "/run/hs.sock", "/webhooks", 0},
        {"ProxyPass /webhooks fcgi://127.0.0.1:9000/", APACHEROUTE_PROXY, "127.0.0.1:9000",
         "/webhooks/a", 1},
        {"ProxyPass /webhooks fcgi://127.0.0.1:9000/", APACHEROUTE_PROXY, "127.0.0.1:9000",
         "/webhooksa", 0},
        {"ProxyPassMatch \"^/w/\\d+$\" unix:/s|fcgi://x/", APACHEROUTE_PROXY, "/s", "/w/1", 1},
        {"ProxyPassMatch \"^/w/\\d+$\" unix:/s|fcgi://x/", APACHEROUTE_PROXY, "/s", "/w/a", 0},
        {"ProxyPassMatch \"(?i)^/w\" unix:/s|fcgi://x/", APACHEROUTE_PROXY, "/s", "/w", -1},
        {"<FilesMatch x>\nSetHandler \"proxy:unix:/s|fcgi://x/\"\n</FilesMatch>",
         APACHEROUTE_PROXY, "/s", "/w", -1},
        {"<LocationMatch \"^/w\">\n<If \"true\">\nSetHandler \"proxy:unix:/s|fcgi://x/\"\n</If>\n"
         "</LocationMatch>", APACHEROUTE_PROXY, "/s", "/w", 1},
        {"<Location ~ \"^/w\">\nSetHandler \"proxy:unix:/s|fcgi://x/\"\n</Location>",
         APACHEROUTE_PROXY, "/s", "/v", 0},
        {"<Location /w*/x>\nSetHandler \"proxy:fcgi://[::1]:9000\"\n</Location>",
         APACHEROUTE_PROXY, "[::1]:9000", "/wa/x", 1},
        {"RewriteRule ^/w unix:/s|fcgi://x/ [P]", APACHEROUTE_PROXY, "/s", "/w", 1},
        {"<Location /w/>\nFcgidWrapper \"/usr/sbin/hookspoold -n 1\" virtual\n</Location>",
         APACHEROUTE_FCGID, "/usr/sbin/hookspoold", "/w/a", 1},
        {"<Location /w/>\nFcgidWrapper \"'/a b/hookspoold' -n 1\" virtual\n</Location>",
         APACHEROUTE_FCGID, "/a b/hookspoold", "/w/a", 1},
        {"ScriptAlias /w /usr/sbin/hookspoold", APACHEROUTE_CGI, "/usr/sbin/hookspoold", "/w/a", 1},
        {"ScriptAliasMatch ^/w /usr/sbin/hookspoold", APACHEROUTE_CGI, "/usr/sbin/hookspoold", "/v",
         0},
        {"<Location /w>\nScriptAlias /usr/sbin/hookspoold\n</Location>", APACHEROUTE_CGI,
         "/usr/sbin/hookspoold", "/w", 1},
    };
    static const char *const others[] = {
        "ProxyPass /w http://127.0.0.1/", "ProxyPass /w !", "ProxyPass", "SetHandler fcgid-script",
        "FcgidWrapper /usr/bin/php-cgi .php", "ScriptAlias /cgi-bin /usr/lib/cgi-bin/",
        "ScriptAlias /w /usr/sbin/hookspoold.old", "ProxyPass /w unix:|fcgi://x/",
        "ProxyPass /w xfcgi://x/", "FcgidWrapper", "Action", "SetHandler proxy:"};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct webconf *conf = apacheconf_parse("f", rows[i].text);
        struct apacheroute route = {.at = NULL};
        const struct webconf_node *node = conf->root.first;
        while (node != NULL && !apacheroute_read(&route, conf, node))
            node = webconf_next(&conf->root, node);
        if (ok(node != NULL, "Apache %zu: a way", i)) {
            is_int(route.kind, rows[i].kind, "Apache %zu: its kind", i);
            is_str(route.target, rows[i].target, "Apache %zu: where to", i);
            is_int(apacheroute_takes(&route, rows[i].path), rows[i].takes, "Apache %zu: %s", i,
                   rows[i].path);
        }
        webconf_free(conf);
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        struct webconf *conf = apacheconf_parse("f", others[i]);
        struct apacheroute route;
        ok(!apacheroute_read(&route, conf, conf->root.first), "no way: %s", others[i]);
        webconf_free(conf);
    }
}

static void apache_settings(void)
{
    static const char text[] =
        "X main\nS main\nSetEnv A 1\n<Location /w>\nX main-location\nSetEnv B 2\n</Location>\n"
        "<VirtualHost *:443>\nX host\n<Location />\nX outer\nY outer\n</Location>\n<Location /w>\n"
        "ScriptAlias /usr/sbin/hookspoold\nX inner\nSetEnv A 3\n</Location>\n<Location /v>\n"
        "X other\n</Location>\n</VirtualHost>\n<VirtualHost *:80>\nX another\n</VirtualHost>";
    struct webconf *conf = apacheconf_parse("f", text);
    struct apacheroute route;

    ok(apacheroute_read(&route, conf, find_node(conf, "ScriptAlias")), "a way");
    is_str(webconf_arg(apacheroute_server(conf, &route, "X"), 0), "host", "of the virtual host");
    is_str(webconf_arg(apacheroute_server(conf, &route, "S"), 0), "main", "of the server");
    is_str(webconf_arg(apacheroute_local(conf, &route, "/w", "X", NULL), 0), "inner",
           "of the last section that matches");
    is_str(webconf_arg(apacheroute_local(conf, &route, "/w", "Y", NULL), 0), "outer",
           "of one that matches, too");
    is_str(webconf_arg(apacheroute_local(conf, &route, "/w", "S", NULL), 0), "main",
           "of the server where no section says it");
    is_str(webconf_arg(apacheroute_local(conf, &route, "/w", "SetEnv", "A"), 1), "3",
           "the variable of that name");
    is_str(webconf_arg(apacheroute_local(conf, &route, "/w", "SetEnv", "B"), 1), "2",
           "... another one, of the main server's section");
    ok(apacheroute_local(conf, &route, "/w", "SetEnv", "C") == NULL, "... none");
    webconf_free(conf);
}

int main(void)
{
    temp_start();
    nginx_locations();
    nginx_settings();
    apache_routes();
    apache_settings();
    return done_testing();
}
