/* SPDX-License-Identifier: ISC */
/*
 * check_location: one location of nginx that hands requests to hookspoold: do
 * its limits let through what the endpoints take, and does it pass what
 * hookspoold reads?
 */
#ifndef HOOKSPOOL_CHECK_LOCATION_H
#define HOOKSPOOL_CHECK_LOCATION_H

#include "check.h"
#include "webconf.h"

/* pass is the fastcgi_pass; max_body the largest of the endpoints behind it. */
void check_location(struct check *check, const struct webconf *conf,
                    const struct webconf_node *pass, uint64_t max_body);

/* The endpoint that the location names; NULL: none, then *named tells whether it tries to. */
const struct config_endpoint *check_location_endpoint(const struct check *check,
                                                      const struct webconf_node *location,
                                                      bool *named);

#endif
