/* SPDX-License-Identifier: ISC */
/*
 * nginxroute: how nginx comes from a request to a FastCGI program, out of the
 * tree of its configuration: the location that takes a path, the settings that
 * hold in a block, the servers behind fastcgi_pass.
 *
 * Pure; the tree is borrowed. What only a running nginx knows (rewrites,
 * variables, modules) is not followed; regular expressions that are not
 * understood make an answer unsure.
 */
#ifndef HOOKSPOOL_NGINXROUTE_H
#define HOOKSPOOL_NGINXROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "webconf.h"

/*
 * The location of a server block that takes this path, the way nginx chooses it; NULL: none.
 * *unsure: a regular expression may take it instead.
 */
const struct webconf_node *nginxroute_find(const struct webconf_node *server, const char *path,
                                           bool *unsure);

/* The directive that holds in a block: its own, or the next outer one's. NULL: the default. */
const struct webconf_node *nginxroute_setting(const struct webconf_node *block,
                                              const char *name);

/* A setting that is on or off. */
bool nginxroute_is_on(const struct webconf_node *block, const char *name, bool preset);

/* The fastcgi_param of this name that holds in a block; they are inherited all or none. */
const struct webconf_node *nginxroute_param(const struct webconf_node *block, const char *name);

/* The upstream block that fastcgi_pass names; NULL: it names a socket itself. */
const struct webconf_node *nginxroute_upstream(const struct webconf *conf,
                                               const struct webconf_node *pass);

/*
 * The socket that fastcgi_pass leads to, a path or ADDRESS:PORT, directly or by way of an upstream:
 * the first that is `text`, or unless `whole` has it somewhere in it. NULL: none is.
 */
const char *nginxroute_leads(const struct webconf *conf, const struct webconf_node *pass,
                             const char *text, bool whole);

/* The location that a directive stands in, also by way of `if`; NULL: none. */
const struct webconf_node *nginxroute_location(const struct webconf_node *directive);

/* What a location is for, as it is written: "= /x", "~ \.php$". */
const char *nginxroute_describe(const struct webconf_node *location, char *out, size_t size);

#endif
