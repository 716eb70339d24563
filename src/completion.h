/* SPDX-License-Identifier: ISC */
/*
 * completion: the scripts by which shells complete a command line of hookspool,
 * out of the constants of its verbs. The names in the configuration are asked
 * for when they are wanted, by "hookspool completion consumers" and the like.
 */
#ifndef HOOKSPOOL_COMPLETION_H
#define HOOKSPOOL_COMPLETION_H

#include "cli.h"

/* For bash, zsh or fish; or the names of consumers, endpoints, spools, verbs. -1: for no such. */
int completion_print(struct cli *cli, const struct verb *const *verbs, const char *what);

#endif
