/* SPDX-License-Identifier: ISC */
/*
 * check_handler: one way by which Apache comes to hookspoold: do its limits let
 * through what the endpoints take, and is hookspoold started as it should be?
 */
#ifndef HOOKSPOOL_CHECK_HANDLER_H
#define HOOKSPOOL_CHECK_HANDLER_H

#include "apacheroute.h"
#include "check.h"

/* path is one that it takes; max_body the largest of the endpoints behind it. */
void check_handler(struct check *check, const struct webconf *conf,
                   const struct apacheroute *route, const char *path, uint64_t max_body);

/* "Apache /webhooks/", in out. */
const char *check_handler_name(const struct apacheroute *route, char out[FINDING_WHAT]);

#endif
