/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

struct service_spool {
    char *path;
    struct store_limits limits;
    struct store *store; /* NULL: not open yet */
    struct stats *stats;
    atomic_uint users; /* snapshots */
};

static char *spool_path(const struct config *config, const char *name)
{
    char *path;

    return asprintf(&path, "%s/%s", config->spool_dir, name) < 0 ? NULL : path;
}

static struct store_limits limits_of(const struct config_spool *config)
{
    return (struct store_limits){.segment_size = config->segment_size,
                                 .min_free = config->min_free};
}

static void drop_spool(struct service_spool *spool)
{
    if (spool == NULL || atomic_fetch_sub(&spool->users, 1) > 1)
        return;
    stats_close(spool->stats);
    store_close(spool->store);
    free(spool->path);
    free(spool);
}

static int open_spool(struct service_spool *spool)
{
    spool->store = store_open(spool->path, &spool->limits);
    if (spool->store == NULL)
        return -1;
    spool->stats = stats_open(store_directory(spool->store));
    if (spool->stats == NULL)
        log_warn("cannot open '%s/stats': %s; going on without statistics", spool->path,
                 strerror(errno));
    return 0;
}

/* The spool of a section: the previous snapshot's, if that has it, or a new one. */
static struct service_spool *take_spool(const struct service *previous, const struct config *config,
                                        const struct config_spool *wanted)
{
    struct service_spool *spool = calloc(1, sizeof(*spool));
    char *path = spool_path(config, wanted->name);

    if (spool == NULL || path == NULL) {
        log_error("cannot open spool '%s': %s", wanted->name, strerror(ENOMEM));
        free(spool);
        free(path);
        return NULL;
    }
    for (size_t i = 0; previous != NULL && i < previous->config->spool_count; i++) {
        if (strcmp(previous->spools[i]->path, path) == 0) {
            free(spool);
            free(path);
            spool = previous->spools[i];
            atomic_fetch_add(&spool->users, 1);
            return spool;
        }
    }
    spool->path = path;
    spool->limits = limits_of(wanted);
    atomic_init(&spool->users, 1);
    return spool;
}

static void free_service(struct service *service)
{
    if (service == NULL)
        return;
    for (size_t i = 0; service->endpoints != NULL && i < service->config->endpoint_count; i++) {
        secrets_release(&service->endpoints[i].secrets);
        ring_free(service->endpoints[i].ring);
    }
    for (size_t i = 0; service->spools != NULL && i < service->config->spool_count; i++)
        drop_spool(service->spools[i]);
    free(service->endpoints);
    free(service->spools);
    config_free(service->config);
    free(service);
}

static int load_secrets(struct service *service)
{
    char why[1024];
    int result = 0;

    for (size_t i = 0; i < service->config->endpoint_count; i++) {
        struct service_endpoint *endpoint = &service->endpoints[i];
        endpoint->config = &service->config->endpoints[i];
        if (secrets_load(&endpoint->secrets, endpoint->config->secret_file, why, sizeof(why)) < 0) {
            log_error("%s", why);
            result = -1; /* go on, to tell of all of them */
        }
    }
    return result;
}

/* Configuration and secrets only: what can be judged without touching a spool. */
static struct service *read_service(const char *path)
{
    struct service *service = calloc(1, sizeof(*service));
    struct config *config = service == NULL ? NULL : config_load(path);

    if (config == NULL) {
        free(service);
        return NULL;
    }
    service->config = config;
    service->users = 1;
    service->endpoints = calloc(config->endpoint_count, sizeof(*service->endpoints));
    service->spools = calloc(config->spool_count, sizeof(struct service_spool *));
    if (service->endpoints == NULL || service->spools == NULL)
        log_error("cannot load '%s': %s", path, strerror(ENOMEM));
    else if (load_secrets(service) == 0)
        return service;
    free_service(service);
    return NULL;
}

/* Of the endpoints that want their requests kept. No file is touched before one comes. */
static int make_rings(struct service *service)
{
    for (size_t i = 0; i < service->config->endpoint_count; i++) {
        struct service_endpoint *endpoint = &service->endpoints[i];
        if (endpoint->config->inspect == 0)
            continue;
        endpoint->ring = ring_new(endpoint->spool->path, endpoint->config->name,
                                  endpoint->config->inspect,
                                  endpoint->config->spool_config->min_free);
        if (endpoint->ring == NULL) {
            log_error("cannot keep requests of '%s': %s", endpoint->config->name, strerror(errno));
            return -1;
        }
    }
    return 0;
}

static int take_spools(struct service *service, const struct service *previous,
                       enum service_spools when)
{
    struct config *config = service->config;

    for (size_t i = 0; i < config->spool_count; i++) {
        struct service_spool *spool = take_spool(previous, config, &config->spools[i]);
        service->spools[i] = spool;
        if (spool == NULL
            || (when == SERVICE_SPOOLS_NOW && spool->store == NULL && open_spool(spool) < 0))
            return -1;
    }
    for (size_t i = 0; i < config->endpoint_count; i++) {
        const ptrdiff_t index = config->endpoints[i].spool_config - config->spools;
        service->endpoints[i].spool = service->spools[index];
    }
    if (make_rings(service) < 0)
        return -1;
    for (size_t i = 0; i < config->spool_count; i++) { /* nothing can fail any more */
        struct service_spool *spool = service->spools[i];
        spool->limits = limits_of(&config->spools[i]);
        if (spool->store != NULL)
            store_limit(spool->store, &spool->limits);
    }
    return 0;
}

enum service_loaded service_start(struct service_slot *slot, const char *path,
                                  enum service_spools when)
{
    *slot = (struct service_slot){.when = when};
    pthread_mutex_init(&slot->mutex, NULL);
    return service_reload(slot, path);
}

enum service_loaded service_reload(struct service_slot *slot, const char *path)
{
    struct service *service = read_service(path);

    if (service == NULL)
        return SERVICE_BAD_CONFIG;
    /* Outside the mutex, for a repair may take long: the current one stays, we alone replace it. */
    if (take_spools(service, slot->current, slot->when) < 0) {
        free_service(service);
        return SERVICE_NO_SPOOL;
    }
    pthread_mutex_lock(&slot->mutex);
    struct service *old = slot->current;
    slot->current = service;
    pthread_mutex_unlock(&slot->mutex);
    if (old != NULL)
        service_let_go(slot, old);
    return SERVICE_LOADED;
}

void service_stop(struct service_slot *slot)
{
    service_let_go(slot, slot->current);
    slot->current = NULL;
    pthread_mutex_destroy(&slot->mutex);
}

struct service *service_hold(struct service_slot *slot)
{
    pthread_mutex_lock(&slot->mutex);
    struct service *service = slot->current;
    service->users++;
    pthread_mutex_unlock(&slot->mutex);
    return service;
}

void service_let_go(struct service_slot *slot, struct service *service)
{
    pthread_mutex_lock(&slot->mutex);
    const bool last = --service->users == 0;
    pthread_mutex_unlock(&slot->mutex);
    if (last)
        free_service(service);
}

const struct service_endpoint *service_endpoint(const struct service *service, const char *name,
                                                const char *path)
{
    const struct config_endpoint *found = name != NULL
        ? config_endpoint_by_name(service->config, name)
        : config_endpoint_by_path(service->config, path);

    return found == NULL ? NULL : &service->endpoints[found - service->config->endpoints];
}

struct store *service_store(const struct service_endpoint *endpoint)
{
    struct service_spool *spool = endpoint->spool;

    if (spool->store == NULL) /* one thread only: SERVICE_SPOOLS_LATER */
        (void)open_spool(spool);
    return spool->store;
}

void service_settle(const struct service_endpoint *endpoint)
{
    if (endpoint->spool->store != NULL)
        store_settle(endpoint->spool->store);
}

struct stats *service_stats(const struct service_endpoint *endpoint)
{
    return endpoint->spool->stats;
}

/* Where it is, what it is for, and whether its requests are kept. */
static void print_endpoint(const struct config_endpoint *endpoint)
{
    printf("endpoint %s: %s", endpoint->name, endpoint->path);
    if (endpoint->description[0] != '\0')
        printf(", %s", endpoint->description);
    if (endpoint->inspect > 0)
        printf(", keeps its last %u request%s", endpoint->inspect,
               endpoint->inspect == 1 ? "" : "s");
    putchar('\n');
}

/* How often each secret has matched, so that an old one can be retired with proof. */
static void print_secrets(const struct service_endpoint *endpoint, struct stats *stats,
                          bool readable)
{
    for (size_t i = 0; i < endpoint->secrets.count; i++) {
        const struct secret *secret = &endpoint->secrets.list[i];
        int64_t last;
        char when[40] = "";
        const uint64_t matches = stats_matches(stats, secret->fingerprint, &last);
        const time_t seconds = (time_t)last;
        struct tm tm;
        if (last != 0 && gmtime_r(&seconds, &tm) != NULL)
            strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
        printf("%s:%u: endpoint %s, ", endpoint->config->secret_file, secret->line,
               endpoint->config->name);
        if (!readable)
            printf("matches unknown: the spool's statistics cannot be read");
        else if (last == 0)
            printf("never matched");
        else
            printf("matched %" PRIu64 " deliveries, last %s", matches, when);
        puts(secret->expires != 0 && secret->expires <= (int64_t)time(NULL) ? ", expired" : "");
    }
}

int service_test(const char *path)
{
    struct service *service = read_service(path);

    if (service == NULL)
        return -1;
    printf("%s: configuration ok\n", path);
    for (size_t i = 0; i < service->config->endpoint_count; i++) {
        const struct service_endpoint *endpoint = &service->endpoints[i];
        char *directory = spool_path(service->config, endpoint->config->spool);
        const int dir =
            directory == NULL ? -1 : open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        /* Only what is there: a test creates nothing. Where nothing is, nothing has matched. */
        const bool none = dir < 0 ? errno == ENOENT : faccessat(dir, "stats", F_OK, 0) < 0;
        struct stats *stats = none || dir < 0 ? NULL : stats_open(dir);
        print_endpoint(endpoint->config);
        print_secrets(endpoint, stats, none || stats != NULL);
        stats_close(stats);
        if (dir >= 0)
            close(dir);
        free(directory);
    }
    free_service(service);
    return 0;
}
