/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "prometheus.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>

/* One metric: how its samples come out of a survey. */
struct metric {
    const char *name, *type, *help;
    void (*put)(FILE *out, const struct metric *metric, const struct survey *survey);
    /* Of one consumer, for put_consumers(); negative: it has none. */
    int64_t (*value)(const struct survey *survey, size_t which);
};

/* A label's value: backslash, quotation mark and line feed are escaped. */
static void put_label(FILE *out, const char *name, const char *value)
{
    fprintf(out, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '\n')
            fputs("\\n", out);
        else if (*value == '\\' || *value == '"')
            fprintf(out, "\\%c", *value);
        else
            putc(*value, out);
    }
    putc('"', out);
}

/* A sample of the spool, with one more label unless that is NULL. */
static void put_sample(FILE *out, const struct metric *metric, const struct survey *survey,
                       const char *label, const char *value, uint64_t number)
{
    fprintf(out, "hookspool_%s{", metric->name);
    put_label(out, "spool", survey->config->name);
    if (label != NULL) {
        putc(',', out);
        put_label(out, label, value);
    }
    fprintf(out, "} %" PRIu64 "\n", number);
}

/* ---- the responder's counters */

static void put_requests(FILE *out, const struct metric *metric, const struct survey *survey)
{
    for (int i = 0; i < STATS_OUTCOMES && survey->stats != NULL; i++)
        put_sample(out, metric, survey, "outcome", stats_name((enum stats_outcome)i),
                   atomic_load(&survey->stats->count[i]));
}

static void put_lasts(FILE *out, const struct metric *metric, const struct survey *survey)
{
    for (int i = 0; i < STATS_OUTCOMES && survey->stats != NULL; i++) {
        const int64_t last = atomic_load(&survey->stats->last[i]);
        if (last > 0) /* never: no sample */
            put_sample(out, metric, survey, "outcome", stats_name((enum stats_outcome)i),
                       (uint64_t)last);
    }
}

static void put_secrets(FILE *out, const struct metric *metric, const struct survey *survey)
{
    for (int i = 0; i < STATS_SECRETS && survey->stats != NULL; i++) {
        const struct stats_secret *secret = &survey->stats->secrets[i];
        char name[24];
        const uint64_t fingerprint = atomic_load(&secret->fingerprint);
        if (fingerprint == 0)
            continue;
        snprintf(name, sizeof(name), "%016" PRIx64, fingerprint);
        put_sample(out, metric, survey, "fingerprint", name, atomic_load(&secret->matches));
    }
}

/* ---- the log */

static void put_made(FILE *out, const struct metric *metric, const struct survey *survey)
{
    put_sample(out, metric, survey, NULL, NULL, survey->made);
}

static void put_last(FILE *out, const struct metric *metric, const struct survey *survey)
{
    if (survey->last > 0)
        put_sample(out, metric, survey, NULL, NULL, (uint64_t)survey->last);
}

static void put_end(FILE *out, const struct metric *metric, const struct survey *survey)
{
    if (survey->read)
        put_sample(out, metric, survey, NULL, NULL, survey->view.end);
}

static void put_bytes(FILE *out, const struct metric *metric, const struct survey *survey)
{
    if (survey->read)
        put_sample(out, metric, survey, NULL, NULL, survey->view.end - survey->view.begin);
}

static void put_segments(FILE *out, const struct metric *metric, const struct survey *survey)
{
    if (survey->read)
        put_sample(out, metric, survey, NULL, NULL, survey->segments);
}

/* ---- consumers */

static void put_consumers(FILE *out, const struct metric *metric, const struct survey *survey)
{
    for (size_t i = 0; i < survey->standings.count; i++) {
        const struct standing *standing = &survey->standings.list[i];
        const int64_t value = metric->value(survey, i);
        if (value >= 0)
            put_sample(out, metric, survey, "consumer", standing->name, (uint64_t)value);
    }
}

/* -1: it cannot be read, so that nothing is known. */
static int64_t known(const struct survey *survey, size_t which, uint64_t value)
{
    return survey->standings.list[which].unread ? -1 : (int64_t)value;
}

static int64_t age(const struct survey *survey, int64_t then)
{
    return then == 0 || then == INT64_MAX || then > survey->now ? 0 : survey->now - then;
}

static int64_t configured(const struct survey *survey, size_t which)
{
    return survey->standings.list[which].config != NULL;
}

static int64_t readable(const struct survey *survey, size_t which)
{
    return !survey->standings.list[which].unread;
}

static int64_t drained(const struct survey *survey, size_t which)
{
    return known(survey, which, survey->standings.list[which].drained);
}

static int64_t waiting(const struct survey *survey, size_t which)
{
    return known(survey, which, survey->backlogs.list[which].tally.total.events);
}

static int64_t waiting_bytes(const struct survey *survey, size_t which)
{
    return known(survey, which, survey->backlogs.list[which].tally.total.bytes);
}

static int64_t waiting_age(const struct survey *survey, size_t which)
{
    return known(survey, which, (uint64_t)age(survey, survey->backlogs.list[which].tally.oldest));
}

static int64_t damaged(const struct survey *survey, size_t which)
{
    return known(survey, which, survey->backlogs.list[which].tally.damaged);
}

static int64_t failed(const struct survey *survey, size_t which)
{
    return known(survey, which, survey->standings.list[which].failed);
}

static int64_t dead(const struct survey *survey, size_t which)
{
    return known(survey, which, survey->standings.list[which].dead);
}

static int64_t failure_age(const struct survey *survey, size_t which)
{
    return known(survey, which,
                 (uint64_t)age(survey, survey->standings.list[which].oldest_failure));
}

/* ---- the table */

static const struct metric metrics[] = {
    {"spool_made", "gauge", "Whether hookspoold has made the spool.", put_made, NULL},
    {"requests_total", "counter", "Genuine and other requests, by what came of them.",
     put_requests, NULL},
    {"last_timestamp_seconds", "gauge", "When a request had this outcome last.", put_lasts, NULL},
    {"secret_matches_total", "counter", "Signatures that a secret has made.", put_secrets, NULL},
    {"last_stored_timestamp_seconds", "gauge", "When an event was stored last.", put_last, NULL},
    {"log_written_bytes_total", "counter", "Bytes that were ever committed to the log.", put_end,
     NULL},
    {"log_bytes", "gauge", "Bytes of the log that have not been purged.", put_bytes, NULL},
    {"log_segments", "gauge", "Segments of the log.", put_segments, NULL},
    {"consumer_configured", "gauge", "Whether the consumer is in the configuration.",
     put_consumers, configured},
    {"consumer_readable", "gauge", "Whether the state of the consumer can be read.",
     put_consumers, readable},
    {"consumer_drained", "gauge", "Whether a drain of the consumer runs.", put_consumers, drained},
    {"waiting_events", "gauge", "Events that the consumer has not been offered.", put_consumers,
     waiting},
    {"waiting_bytes", "gauge", "Their bytes in the log.", put_consumers, waiting_bytes},
    {"waiting_oldest_age_seconds", "gauge", "Age of the oldest of them; 0: none waits.",
     put_consumers, waiting_age},
    {"waiting_damaged_lines", "gauge", "Damaged lines among them.", put_consumers, damaged},
    {"failed_events", "gauge", "Events that failed and wait for their next attempt.",
     put_consumers, failed},
    {"dead_events", "gauge", "Events that the consumer has given up.", put_consumers, dead},
    {"failure_oldest_age_seconds", "gauge", "Age of the first failure of those; 0: none.",
     put_consumers, failure_age}};

void prometheus_put(FILE *out, const struct survey *surveys, size_t count)
{
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        const struct metric *metric = &metrics[i];
        fprintf(out, "# HELP hookspool_%s %s\n", metric->name, metric->help);
        fprintf(out, "# TYPE hookspool_%s %s\n", metric->name, metric->type);
        for (size_t j = 0; j < count; j++)
            metric->put(out, metric, &surveys[j]);
    }
}
