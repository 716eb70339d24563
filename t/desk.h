/* SPDX-License-Identifier: ISC */
/*
 * desk: what the tests of the consuming half work on: a configuration with one
 * spool and one consumer, and a log that is written by hand, as it stands
 * after a boot, before a responder has opened it.
 *
 * Events are called e0, e1 ...; desk_open() opens the spool and the consumer's
 * directory. A desk is a struct temp with more in it: temp_start() comes first.
 */
#ifndef DESK_H
#define DESK_H

#include "consumer.h"
#include "dead.h"
#include "retry.h"
#include "segment.h"
#include "spool.h"
#include "temp.h"

enum { DESK_EVENTS = 80 };

static struct {
    struct temp temp;
    struct config_spool spool_config;
    struct config_consumer consumer_config;
    struct config config;
    struct spool spool;
    struct consumer consumer;
    uint64_t position[DESK_EVENTS + 1]; /* of each event, and the end */
    int events;
    uint64_t segment; /* where the last one begins */
} desk;

static inline void desk_make(void)
{
    temp_make(&desk.temp);
    desk.spool_config = (struct config_spool){.name = (char *)"calls"};
    desk.consumer_config = (struct config_consumer){
        .name = (char *)"billing", .spool = desk.spool_config.name,
        .spool_config = &desk.spool_config, .max_attempts = 3, .max_age = 100,
        .backoff_min = 30, .backoff_max = 3600};
    desk.config = (struct config){.spool_dir = desk.temp.path, .spools = &desk.spool_config,
                                  .spool_count = 1, .consumers = &desk.consumer_config,
                                  .consumer_count = 1};
    desk.spool = SPOOL_CLOSED;
    desk.consumer = CONSUMER_CLOSED;
    desk.events = 0;
    desk.segment = 0;
    desk.position[0] = 0;
    if (mkdirat(desk.temp.dir, "calls", 0750) < 0 || mkdirat(desk.temp.dir, "calls/log", 0750) < 0)
        temp_die("calls/log");
}

/* More events, in the last segment or a new one. */
static inline void desk_add(int count, bool new_segment)
{
    char path[64], id[16];
    size_t len;

    if (new_segment)
        desk.segment = desk.position[desk.events];
    snprintf(path, sizeof(path), "calls/log/%020ju.ndjson", (uintmax_t)desk.segment);
    const int fd = openat(desk.temp.dir, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    for (int i = 0; i < count; i++) {
        snprintf(id, sizeof(id), "e%d", desk.events);
        char *line = temp_line(id, "{\"type\":\"test.made\"}", &len);
        if (write(fd, line, len) != (ssize_t)len)
            temp_die(path);
        free(line);
        desk.events++;
        desk.position[desk.events] = desk.position[desk.events - 1] + len;
    }
    close(fd);
}

static inline uint64_t desk_end(void)
{
    return desk.position[desk.events];
}

static inline void desk_open(void)
{
    if (spool_open(&desk.spool, &desk.config, &desk.spool_config) < 0
        || consumer_open(&desk.consumer, &desk.spool, "billing", &desk.consumer_config, true) < 0)
        temp_die("consumer");
}

static inline void desk_close(void)
{
    consumer_close(&desk.consumer);
    spool_close(&desk.spool);
}

static inline void desk_drop(void)
{
    desk_close();
    temp_drop(&desk.temp);
}

/* What a command has failed with, of an event that stands at a position. */
static inline struct failure desk_failure(int event)
{
    struct failure failure = {.position = desk.position[event], .status = 1,
                              .event = "{\"event\":1}", .event_len = 11};

    snprintf(failure.id, sizeof(failure.id), "e%d", event);
    strcpy(failure.type, "test.made");
    strcpy(failure.reason, "exit status 1");
    return failure;
}

static inline int desk_note(void *context, const struct failure *failure)
{
    char *text = context;

    sprintf(text + strlen(text), "%s%s*%u", text[0] != '\0' ? " " : "", failure->id,
            failure->attempts);
    return 0;
}

/* Who waits in retry.ndjson, by position, and who is dead: "e1*2 e3*1 | e2*3". */
static inline const char *desk_failed(void)
{
    static char text[2048];

    text[0] = '\0';
    struct retry *retry = retry_open(desk.consumer.dir, desk.consumer.path, false);
    for (size_t i = 0; retry != NULL && i < retry_count(retry); i++) {
        struct failure failure;
        char *line;
        if (retry_load(retry, retry_at(retry, i), &failure, &line) == 0)
            (void)desk_note(text, &failure);
        free(line);
    }
    retry_close(retry);
    strcat(text, text[0] != '\0' ? " |" : "|");
    (void)dead_scan(desk.consumer.dir, desk.consumer.path, desk_note, text);
    return text;
}

#endif
