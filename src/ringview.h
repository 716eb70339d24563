/* SPDX-License-Identifier: ISC */
/*
 * ringview: the kept requests of an endpoint as the operator's program sees
 * them. A listed request may be written over before it is looked at; it is
 * gone then. Changes nothing but by ringview_clear().
 *
 * One thread. Errors: -1 with errno, logged here.
 */
#ifndef HOOKSPOOL_RINGVIEW_H
#define HOOKSPOOL_RINGVIEW_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "kept.h"
#include "ringfile.h"

struct ringview {
    const struct config_endpoint *endpoint; /* borrowed */
    char *directory, *path;                 /* SPOOL/inspect, and the file in it */
    int fd;                                 /* -1: there is none yet */
    struct ringfile file;
};

#define RINGVIEW_CLOSED ((struct ringview){.fd = -1})

/* 0 too where nothing was kept yet. */
int ringview_open(struct ringview *view, const struct config *config,
                  const struct config_endpoint *endpoint);
void ringview_close(struct ringview *view);

/* The numbers of what is kept now, oldest first, *count of them; the caller frees. NULL: error. */
uint64_t *ringview_numbers(struct ringview *view, size_t *count);

/* One of them: 1; 0: it is damaged, or was written over; -1. kept_release() when done with it. */
int ringview_read(struct ringview *view, uint64_t number, struct kept *kept);

/* Forgets all of them. */
int ringview_clear(struct ringview *view);

#endif
