/* SPDX-License-Identifier: ISC */
/*
 * nginxconf: the configuration of nginx as a tree (webconf.h): words, quotes,
 * escapes, comments and blocks as nginx's own reader has them, and `include`,
 * whose files stand in its place. Lua in a *_by_lua_block is passed over.
 *
 * It is read as nginx would read it, but goes on where nginx would refuse:
 * "nginx -t" is the judge of that. One thread; nothing is logged.
 */
#ifndef HOOKSPOOL_NGINXCONF_H
#define HOOKSPOOL_NGINXCONF_H

#include "webconf.h"

/* The file and all that it includes; relative names start at its directory. NULL: ENOMEM. */
struct webconf *nginxconf_load(const char *path);

/* The same for a text, with a NUL behind it; `file` names it and is borrowed. */
struct webconf *nginxconf_parse(const char *file, const char *text);

#endif
