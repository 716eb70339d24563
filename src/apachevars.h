/* SPDX-License-Identifier: ISC */
/*
 * apachevars: the ${variables} of a configuration of Apache: those of Define,
 * and those that Debian's file envvars exports to the server's environment.
 *
 * Bounded in number and in the length of an expanded line. One thread; nothing
 * is logged.
 */
#ifndef HOOKSPOOL_APACHEVARS_H
#define HOOKSPOOL_APACHEVARS_H

#include <stdbool.h>
#include <stddef.h>

enum { APACHEVARS_LINE = 64 * 1024 };

struct apachevars; /* NULL is an empty one that nothing can be added to */

struct apachevars *apachevars_new(void); /* NULL: ENOMEM */
void apachevars_free(struct apachevars *vars);

/* A later one of the same name wins. What does not fit is left out. */
void apachevars_set(struct apachevars *vars, const char *name, const char *value);
void apachevars_unset(struct apachevars *vars, const char *name);
bool apachevars_defined(const struct apachevars *vars, const char *name); /* by Define */

/* Lines "export NAME=VALUE" of a shell script; values that the shell would compute are left out. */
void apachevars_read_exports(struct apachevars *vars, const char *text);

/*
 * The line with its variables in place; one that is not known stays as it is written. malloc()ed;
 * NULL: ENOMEM, or it grows too long (E2BIG).
 */
char *apachevars_expand(const struct apachevars *vars, const char *line, size_t len);

#endif
