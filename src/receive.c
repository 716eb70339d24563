/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "receive.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "delivery.h"
#include "event.h"
#include "io.h"
#include "kept.h"
#include "log.h"
#include "record.h"
#include "ring.h"

enum { LOGGED_PATH = 128 };

/* How a request ends. The word is all that the client is told. */
struct outcome {
    int status;
    const char *word;
    const char *reason; /* for the log; NULL when the word says it */
    enum stats_outcome counted;
};

static const struct outcome stored = {200, "stored", NULL, STATS_STORED};
static const struct outcome duplicate = {200, "duplicate", NULL, STATS_DUPLICATE};
static const struct outcome ignored = {200, "ignored", NULL, STATS_IGNORED};
static const struct outcome forged = {401, "refused", "no signature matches", STATS_FORGED};
static const struct outcome too_large = {413, "refused", "body over max_body", STATS_REFUSED};
static const struct outcome broken_body = {400, "refused", "body incomplete or not as announced",
                                           STATS_REFUSED};
static const struct outcome no_memory = {503, "unavailable", "out of memory", STATS_UNAVAILABLE};

/* A request on its way through the steps, and what is known of it so far. */
struct reception {
    struct request *request;
    const struct service *service;
    const struct service_endpoint *endpoint;
    struct delivery delivery;
    struct event event;
    const struct secret *secret; /* that signed it; NULL: not known yet */
    int64_t start, deadline, now;
    char *body, *line;
    size_t line_len;
    struct store_ticket ticket;
    bool late;
    struct ring *ring;      /* that is to keep it, whatever comes of it; NULL: none */
    struct kept_head *note; /* of what is gone with the answer */
    size_t note_len;
    char path[REQUEST_PATH_SIZE]; /* asked for */
};

static struct outcome refuse(int status, const char *reason)
{
    return (struct outcome){status, "refused", reason, STATS_REFUSED};
}

static struct outcome unavailable(const char *reason)
{
    return (struct outcome){503, "unavailable", reason, STATS_UNAVAILABLE};
}

static bool is_post(const struct request *request)
{
    const char *method = request_variable(request, "REQUEST_METHOD");

    return method != NULL && strcmp(method, "POST") == 0;
}

/* The web server may name the endpoint; a client cannot, for its headers arrive as HTTP_…. */
static const struct service_endpoint *find_endpoint(struct reception *reception)
{
    request_path(reception->request, reception->path);
    return service_endpoint(reception->service,
                            request_variable(reception->request, "HOOKSPOOL_ENDPOINT"),
                            reception->path);
}

/* The body as it came, or why not. */
static struct outcome take_body(struct reception *reception)
{
    struct event *event = &reception->event;

    switch (request_body(reception->request, reception->endpoint->config->max_body,
                         reception->deadline, &reception->body, &event->body_len)) {
    case REQUEST_BODY:
        event->body = reception->body;
        return stored;
    case REQUEST_TOO_LARGE:
        return too_large;
    case REQUEST_NO_MEMORY:
        return no_memory;
    case REQUEST_BROKEN:
        break;
    }
    return broken_body;
}

/* Did one of the endpoint's secrets sign this? */
static struct outcome check_signature(struct reception *reception)
{
    const struct delivery *delivery = &reception->delivery;
    int error;
    reception->secret = secrets_verify(
        &reception->endpoint->secrets, reception->now, delivery->id, delivery->timestamp,
        reception->body, reception->event.body_len, delivery->signatures,
        delivery->signatures_len, &error);

    if (reception->secret == NULL)
        return error == 0 ? forged : no_memory;
    return stored;
}

/* What the sender meant: its type, its time, and the form of its body. */
static int describe(struct reception *reception)
{
    const struct config_endpoint *endpoint = reception->endpoint->config;
    struct event *event = &reception->event;

    event->id = reception->delivery.id;
    event->source = endpoint->path;
    event->time = reception->delivery.when;
    clock_gettime(CLOCK_REALTIME, &event->received);
    return event_examine(event, endpoint->default_type);
}

static struct outcome put(struct reception *reception)
{
    struct store *store = service_store(reception->endpoint);

    if (store == NULL)
        return unavailable("spool cannot be opened");
    switch (store_put(store, reception->delivery.id, reception->line, reception->line_len,
                      reception->deadline, &reception->ticket)) {
    case STORE_STORED:
        return stored;
    case STORE_DUPLICATE:
        return duplicate;
    case STORE_BUSY:
        return unavailable("id is being stored by another request");
    case STORE_FULL:
        return unavailable("no room in the spool");
    case STORE_LATE:
        reception->late = true;
        return unavailable("disk has not answered in time");
    case STORE_SLOW:
        return unavailable("disk has not answered in time");
    case STORE_FAILED:
        break;
    }
    return unavailable("spool failed");
}

/* The steps. Up to the signature everything is a stranger's, and nothing touches the disk. */
static struct outcome take_in(struct reception *reception)
{
    struct outcome outcome;

    if (!is_post(reception->request))
        return refuse(405, "method is not POST");

    reception->endpoint = find_endpoint(reception);
    if (reception->endpoint == NULL)
        return refuse(404, "no endpoint at this path");
    const struct config_endpoint *config = reception->endpoint->config;

    outcome = take_body(reception);
    if (outcome.status != 200)
        return outcome;

    const char *fault = delivery_parse(&reception->delivery, reception->request->env,
                                       reception->now, config->tolerance);
    if (fault != NULL)
        return refuse(400, fault);

    outcome = check_signature(reception);
    if (outcome.status != 200)
        return outcome;

    /* From here on it is genuine: whatever it holds, it is not refused. */
    if (describe(reception) < 0)
        return no_memory;
    if (!config_wants(config, reception->event.type))
        return ignored;

    reception->line = record_encode(&reception->event, &reception->line_len);
    if (reception->line == NULL)
        return no_memory;

    return put(reception); /* returns with the event durable, or not 200 */
}

/* A stranger's path as one word of a log line, short and without blanks, quotes or signs. */
static void clean_path(const char *path, char out[LOGGED_PATH])
{
    static const char kept[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_.~%-";

    size_t len = 0;

    for (; path[len] != '\0' && len + 1 < LOGGED_PATH; len++)
        out[len] = strchr(kept, path[len]) == NULL ? '?' : path[len];
    out[len] = '\0';
}

static void report(const struct reception *reception, const struct outcome *outcome)
{
    char where[LOGGED_PATH + sizeof(" path=")] = "";
    const char *id = reception->delivery.id;
    const char *type = reception->event.type;
    const double ms = (double)(io_now() - reception->start) / 1e6;

    if (reception->path[0] != '\0' && reception->endpoint == NULL) {
        memcpy(where, " path=", sizeof(" path="));
        clean_path(reception->path, where + sizeof(" path=") - 1);
    }
    log_info("event=%s endpoint=%s type=%s status=%d %s%s%s%s bytes=%zu ms=%.3f secret=%u",
             id[0] == '\0' ? "-" : id,
             reception->endpoint == NULL ? "-" : reception->endpoint->config->name,
             type[0] == '\0' ? "-" : type, outcome->status,
             outcome->reason == NULL ? "outcome=" : "reason=\"",
             outcome->reason == NULL ? outcome->word : outcome->reason,
             outcome->reason == NULL ? "" : "\"", where, reception->event.body_len, ms,
             reception->secret == NULL ? 0 : reception->secret->line);
}

static void count(const struct reception *reception, const struct outcome *outcome)
{
    if (reception->endpoint == NULL)
        return;
    struct stats *stats = service_stats(reception->endpoint);
    stats_count(stats, outcome->counted, reception->now);
    if (reception->secret != NULL)
        stats_match(stats, reception->secret->fingerprint, reception->now);
}

/* The ring of its endpoint. What is no POST was refused before that was looked for. */
static struct ring *find_ring(struct reception *reception)
{
    const struct service_endpoint *endpoint = reception->endpoint;

    if (endpoint == NULL && !is_post(reception->request)) {
        char path[REQUEST_PATH_SIZE];
        request_path(reception->request, path);
        endpoint = service_endpoint(reception->service,
                                    request_variable(reception->request, "HOOKSPOOL_ENDPOINT"),
                                    path);
    }
    return endpoint == NULL ? NULL : endpoint->ring;
}

/* Notes down for `inspect` what is gone with the answer; it is written after that. */
static void note_down(struct reception *reception, const struct outcome *outcome)
{
    struct timespec now;

    reception->ring = find_ring(reception);
    if (reception->ring == NULL)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    const int64_t late = (int64_t)now.tv_sec - reception->now;
    const struct kept_facts facts = {
        .came = reception->now, /* what its timestamp was compared with */
        .nanoseconds = late == 0 ? (uint32_t)now.tv_nsec : late < 0 ? 0 : 999999999,
        .status = (unsigned)outcome->status, .word = outcome->word, .reason = outcome->reason,
        .secret_line = reception->secret == NULL ? 0 : reception->secret->line};
    reception->note = kept_note(&facts, reception->request->env, &reception->note_len);
}

/* What can wait until the client has its answer. */
static void clean_up(struct reception *reception)
{
    if (reception->late)
        store_finish(service_store(reception->endpoint), reception->delivery.id,
                     &reception->ticket);
    if (reception->note != NULL)
        ring_put(reception->ring, reception->note, reception->note_len, reception->body,
                 reception->event.body_len);
    free(reception->note);
    free(reception->line);
    free(reception->body);
    if (reception->endpoint != NULL)
        service_settle(reception->endpoint);
}

void receive(struct service_slot *slot, struct request *request)
{
    struct reception reception = {.request = request, .start = io_now(),
                                  .now = (int64_t)time(NULL)};
    struct service *service = service_hold(slot);

    reception.service = service;
    reception.deadline = reception.start + service->config->deadline * 1000000;
    const struct outcome outcome = take_in(&reception);
    note_down(&reception, &outcome);
    request_answer(request, outcome.status, outcome.word);
    count(&reception, &outcome);
    report(&reception, &outcome);
    clean_up(&reception);
    service_let_go(slot, service);
}
