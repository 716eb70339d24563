/* SPDX-License-Identifier: ISC */
/*
 * check_config: what is configured: endpoints and their secrets, spools and
 * their consumers. The configuration itself has been loaded.
 */
#ifndef HOOKSPOOL_CHECK_CONFIG_H
#define HOOKSPOOL_CHECK_CONFIG_H

#include "check.h"

void check_configuration(struct check *check); /* was it loaded, and what is in it */
void check_secrets(struct check *check);       /* loads them as hookspoold does */
void check_spools(struct check *check);        /* settings that do not go together */
void check_consumers(struct check *check);

#endif
