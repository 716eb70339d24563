/* SPDX-License-Identifier: ISC */
/*
 * check_files: owners and modes: of the configuration and the secret files, of
 * the spools and what is in them, and of the directories on the way there, for
 * the user that hookspoold runs as.
 */
#ifndef HOOKSPOOL_CHECK_FILES_H
#define HOOKSPOOL_CHECK_FILES_H

#include "check.h"

void check_config_files(struct check *check); /* the configuration and the secret files */
void check_spool_files(struct check *check);  /* spool_dir and below */

#endif
