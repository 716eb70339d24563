/* SPDX-License-Identifier: ISC */
/*
 * check_url: the way of an event through the web server (--url): a POST without
 * a signature, which hookspoold refuses and counts as refused, once small and
 * once as large as max_body allows.
 */
#ifndef HOOKSPOOL_CHECK_URL_H
#define HOOKSPOOL_CHECK_URL_H

#include "check.h"

void check_url(struct check *check);

#endif
