/* SPDX-License-Identifier: ISC */
/*
 * service: everything a request needs, as one snapshot: the configuration,
 * the secrets of each endpoint, and its open spool.
 *
 * A snapshot is constant. A reload makes a new one, which takes over the
 * spools that both name, and puts it in the slot; requests that run keep the
 * one they hold, and the last to let go frees it. A configuration or secret
 * file that is not in order leaves the old snapshot in place.
 *
 * Threads: service_hold() and service_let_go() any; the rest the main thread.
 * Errors are logged here or below; nothing else is said to the caller but
 * that it failed.
 */
#ifndef HOOKSPOOL_SERVICE_H
#define HOOKSPOOL_SERVICE_H

#include <pthread.h>
#include <stdbool.h>

#include "config.h"
#include "ring.h"
#include "secret.h"
#include "stats.h"
#include "store.h"

struct service_spool; /* shared by snapshots */

struct service_endpoint {
    const struct config_endpoint *config;
    struct secrets secrets;
    struct service_spool *spool;
    struct ring *ring; /* NULL: requests are not kept */
};

struct service {
    struct config *config;
    struct service_endpoint *endpoints; /* in the order of the configuration */
    struct service_spool **spools;      /* likewise */
    unsigned users;
};

/*
 * When spools are opened: at once, so that a daemon repairs and complains
 * before it serves; or, for a CGI program with one thread, when an event is
 * to be stored, so that a forged request never touches the disk there either.
 */
enum service_spools { SERVICE_SPOOLS_NOW, SERVICE_SPOOLS_LATER };

struct service_slot {
    pthread_mutex_t mutex;
    enum service_spools when;
    struct service *current;
};

enum service_loaded {
    SERVICE_LOADED,
    SERVICE_BAD_CONFIG, /* the configuration or a secret file: wants a human */
    SERVICE_NO_SPOOL    /* a spool cannot be opened: may pass */
};

/* Loads the file into an empty slot. */
enum service_loaded service_start(struct service_slot *slot, const char *path,
                                  enum service_spools when);
/* Loads it again; unless it succeeds the slot holds what it held. */
enum service_loaded service_reload(struct service_slot *slot, const char *path);
/* Nobody holds a snapshot any more: closes everything. */
void service_stop(struct service_slot *slot);

struct service *service_hold(struct service_slot *slot);
void service_let_go(struct service_slot *slot, struct service *service);

/* The endpoint of a name or, with NULL, of a path; NULL: none. */
const struct service_endpoint *service_endpoint(const struct service *service, const char *name,
                                                const char *path);

/* NULL: cannot be opened. */
struct store *service_store(const struct service_endpoint *endpoint);
/* NULL: not open, or done without. */
struct stats *service_stats(const struct service_endpoint *endpoint);
/* What was put off until the client has its answer (store.h). */
void service_settle(const struct service_endpoint *endpoint);

/* Loads configuration and secrets, touching no spool, and says so on standard output: 0 or -1. */
int service_test(const char *path);

#endif
