/* SPDX-License-Identifier: ISC */
/*
 * check_apache: the configuration of Apache: how it comes to hookspoold, which
 * endpoints it leads to, and with which limits (check_handler.h).
 */
#ifndef HOOKSPOOL_CHECK_APACHE_H
#define HOOKSPOOL_CHECK_APACHE_H

#include "check.h"

#define CHECK_APACHE_CONF "/etc/apache2/apache2.conf"

void check_apache(struct check *check);

#endif
