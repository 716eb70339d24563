/* SPDX-License-Identifier: ISC */
/*
 * config: the configuration file, read, checked and resolved into one struct.
 *
 * Owns the syntax (INI, by inih) and the meaning across sections; what one key
 * may hold is option.c's table, and the structs are in option.h beside it.
 * A struct config exists only whole: every value is within its bounds, every
 * endpoint and consumer has its spool. It is constant after loading, so
 * threads share it without a lock; a reload loads a second one. No globals.
 * No file but the configuration is looked at: not the secrets, not the spool.
 *
 * Errors: config_load() returns NULL and sets errno: EINVAL for what is
 * written in the file, EFBIG for too much of it, else that of the failed open,
 * read or allocation. An exception to the rule that the library does not log:
 * one errno cannot say it, so each problem is also a line "FILE:LINE: message"
 * through log_error(), the first hundred of them. The caller need not add one.
 *
 * The caller frees. Specification: hookspool.conf(5).
 */
#ifndef HOOKSPOOL_CONFIG_H
#define HOOKSPOOL_CONFIG_H

#include <stdbool.h>
#include <stdio.h>

#include "option.h"

struct config *config_load(const char *path);

/* NULL is fine. */
void config_free(struct config *config);

/* The endpoint of this name, or the one at this request path; NULL: none. */
const struct config_endpoint *config_endpoint_by_name(const struct config *config,
                                                      const char *name);
const struct config_endpoint *config_endpoint_by_path(const struct config *config,
                                                      const char *path);

/* Does the endpoint subscribe to events of this type? */
bool config_wants(const struct config_endpoint *endpoint, const char *type);

/*
 * The option table as text: a line an option with its section, key, type,
 * default, least and greatest value (length for strings), parted by tabs.
 * "required" stands for no default, "" for an empty one, "-" for no bound.
 */
void config_print_options(FILE *out);

#endif
