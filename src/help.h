/* SPDX-License-Identifier: ISC */
/*
 * help: what hookspool says of its verbs, out of their constants, on standard
 * output, at most 80 columns wide.
 */
#ifndef HOOKSPOOL_HELP_H
#define HOOKSPOOL_HELP_H

#include "cli.h"

void help_list(const struct verb *const *verbs);
void help_verb(const struct verb *verb);

#endif
