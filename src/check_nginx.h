/* SPDX-License-Identifier: ISC */
/*
 * check_nginx: the configuration of nginx: what it hands to hookspoold, which
 * endpoints it leads to, and with which limits (check_location.h).
 */
#ifndef HOOKSPOOL_CHECK_NGINX_H
#define HOOKSPOOL_CHECK_NGINX_H

#include "check.h"

#define CHECK_NGINX_CONF "/etc/nginx/nginx.conf"

void check_nginx(struct check *check);

#endif
