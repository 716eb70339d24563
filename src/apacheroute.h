/* SPDX-License-Identifier: ISC */
/*
 * apacheroute: how Apache comes from a request to hookspoold, out of the tree
 * of its configuration: as a proxy to a socket (mod_proxy_fcgi), by starting it
 * (mod_fcgid), or as a CGI program; and the settings that hold on the way.
 *
 * Pure; the tree is borrowed. <Directory> and <Files>, rewrites and conditions
 * that only a running server can tell (<If>) are not followed; regular
 * expressions that are not understood make an answer unsure.
 */
#ifndef HOOKSPOOL_APACHEROUTE_H
#define HOOKSPOOL_APACHEROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "webconf.h"

enum apacheroute_kind { APACHEROUTE_PROXY, APACHEROUTE_FCGID, APACHEROUTE_CGI };

enum { APACHEROUTE_TARGET = 256 };

/* One directive that leads to a FastCGI socket, or to a program. */
struct apacheroute {
    enum apacheroute_kind kind;
    const struct webconf_node *at;
    const struct webconf_node *host;    /* the VirtualHost, or the main server: the root */
    const struct webconf_node *section; /* the Location or other section around it; NULL: none */
    const char *path;                   /* that it takes; NULL: that of the section */
    bool regex;                         /* ... is a regular expression */
    char target[APACHEROUTE_TARGET];    /* socket (path or ADDRESS:PORT), or program */
};

bool apacheroute_read(struct apacheroute *route, const struct webconf *conf,
                      const struct webconf_node *node);

/* Does it take a request for this path? 1, 0; -1: that cannot be said. */
int apacheroute_takes(const struct apacheroute *route, const char *path);

/* A directive of the server or virtual host; NULL: the default holds. */
const struct webconf_node *apacheroute_server(const struct webconf *conf,
                                              const struct apacheroute *route, const char *name);

/*
 * One that holds for a path: the last of the sections that match, else that of the server. With
 * `first`, of those whose first argument that is (SetEnv NAME), else NULL.
 */
const struct webconf_node *apacheroute_local(const struct webconf *conf,
                                             const struct apacheroute *route, const char *path,
                                             const char *name, const char *first);

/* key=value among the arguments; NULL: none. */
const char *apacheroute_value(const struct webconf_node *node, const char *key);

#endif
