/* SPDX-License-Identifier: ISC */
/*
 * apacheconf: the configuration of Apache as a tree (webconf.h): lines that go
 * on behind a backslash, quotes, sections, ${variables} of Define and of the
 * file envvars, Include and IncludeOptional, whose files stand in their place.
 *
 * <IfModule>, <IfDefine> and <IfFile> are decided while reading, as Apache
 * does, and leave no section: what is in them stands in their place or is left
 * out. Where no LoadModule is seen at all, as in a snippet, every module is
 * taken to be there. <IfVersion> is taken to hold; <Macro> is not expanded.
 *
 * It goes on where Apache would refuse: "apachectl -t" is the judge of that.
 * One thread; nothing is logged.
 */
#ifndef HOOKSPOOL_APACHECONF_H
#define HOOKSPOOL_APACHECONF_H

#include <stdbool.h>

#include "webconf.h"

/*
 * The file and all that it includes. Relative names start at ServerRoot, or at the file's
 * directory where it names none. NULL: ENOMEM.
 */
struct webconf *apacheconf_load(const char *path);

/* The same for a text with a NUL behind it; `file`, its name, is borrowed. Nothing is included. */
struct webconf *apacheconf_parse(const char *file, const char *text);

/* Was this module loaded, as far as the tree tells? "fcgid_module" */
bool apacheconf_has_module(const struct webconf *conf, const char *module);

#endif
