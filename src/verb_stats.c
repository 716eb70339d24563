/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_stats.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "jsonc.h"
#include "log.h"
#include "member.h"
#include "nagios.h"
#include "out.h"
#include "prometheus.h"
#include "survey.h"
#include "table.h"
#include "when.h"

enum { HOUR = 60, DAY = 24 * HOUR }; /* minutes */

/* ---- for people */

static const struct table_column request_columns[] = {
    {"OUTCOME", 12, false, false}, {"TOTAL", 12, true, false}, {"LAST HOUR", 12, true, false},
    {"LAST DAY", 12, true, false}, {"LAST", 20, false, false}};

static const struct table_column consumer_columns[] = {
    {"CONSUMER", 40, false, false}, {"WAITING", 12, true, false}, {"OLDEST", 8, true, false},
    {"FAILED", 8, true, false},     {"DEAD", 8, true, false},     {"SINCE", 8, true, false}};

static void put_requests(const struct survey *survey)
{
    struct table *table = table_new(stdout, request_columns, 5, true);

    for (int i = 0; i < STATS_OUTCOMES && table != NULL; i++) {
        const enum stats_outcome outcome = (enum stats_outcome)i;
        const struct stats_page *page = survey->stats;
        char stamp[WHEN_SIZE] = "-";
        const int64_t last = atomic_load(&page->last[i]);
        if (last > 0)
            when_stamp(stamp, last);
        table_string(table, stats_name(outcome));
        table_number(table, atomic_load(&page->count[i]));
        table_number(table, stats_recent(survey->stats, outcome, survey->now, HOUR));
        table_number(table, stats_recent(survey->stats, outcome, survey->now, DAY));
        table_string(table, stamp);
    }
    table_free(table);
}

static void put_consumers(const struct survey *survey)
{
    struct table *table = table_new(stdout, consumer_columns, 6, true);

    for (size_t i = 0; i < survey->standings.count && table != NULL; i++) {
        const struct standing *standing = &survey->standings.list[i];
        const struct tally *tally = &survey->backlogs.list[i].tally;
        table_string(table, standing->name);
        for (int j = 0; j < 5 && standing->unread; j++)
            table_string(table, "?");
        if (standing->unread)
            continue;
        table_number(table, tally->total.events);
        table_age(table, survey->now, tally->oldest);
        table_number(table, standing->failed);
        table_number(table, standing->dead);
        table_age(table, survey->now, standing->oldest_failure);
    }
    table_free(table);
}

static void put_text(const struct survey *survey, bool first)
{
    if (!first)
        putchar('\n');
    printf("spool %s%s\n", survey->config->name,
           survey->made ? "" : ": hookspoold has not made it yet");
    if (survey->stats != NULL)
        put_requests(survey);
    else if (survey->made)
        puts("there are no counters");
    if (survey->standings.count > 0) {
        putchar('\n');
        put_consumers(survey);
    }
}

/* ---- JSON */

static void json_requests(const struct survey *survey)
{
    const struct stats_page *page = survey->stats;
    bool first = true;

    fputs(",\"requests\":{", stdout);
    for (int i = 0; i < STATS_OUTCOMES; i++) {
        const enum stats_outcome outcome = (enum stats_outcome)i;
        printf("%s\"%s\":{\"total\":%" PRIu64 ",\"last_hour\":%" PRIu64 ",\"last_day\":%" PRIu64,
               i > 0 ? "," : "", stats_name(outcome), (uint64_t)atomic_load(&page->count[i]),
               stats_recent(survey->stats, outcome, survey->now, HOUR),
               stats_recent(survey->stats, outcome, survey->now, DAY));
        member_time("last", atomic_load(&page->last[i]));
        putchar('}');
    }
    fputs("},\"secrets\":[", stdout);
    for (int i = 0; i < STATS_SECRETS; i++) {
        const struct stats_secret *secret = &page->secrets[i];
        const uint64_t fingerprint = atomic_load(&secret->fingerprint);
        if (fingerprint == 0)
            continue;
        printf("%s{\"fingerprint\":\"%016" PRIx64 "\",\"matches\":%" PRIu64, first ? "" : ",",
               fingerprint, (uint64_t)atomic_load(&secret->matches));
        member_time("last", atomic_load(&secret->last));
        putchar('}');
        first = false;
    }
    putchar(']');
}

static void json_consumer(const struct survey *survey, size_t which)
{
    const struct standing *standing = &survey->standings.list[which];
    const struct tally *tally = &survey->backlogs.list[which].tally;

    fputs("{\"consumer\":", stdout);
    jsonc_put(stdout, standing->name, strlen(standing->name));
    member_flag("configured", standing->config != NULL);
    member_flag("readable", !standing->unread);
    if (!standing->unread) {
        member_flag("drained", standing->drained);
        member_number("waiting", tally->total.events);
        member_number("waiting_bytes", tally->total.bytes);
        member_number("damaged", tally->damaged);
        member_time("oldest", tally->oldest);
        member_number("failed", standing->failed);
        member_number("dead", standing->dead);
        member_time("oldest_failure", standing->oldest_failure);
    }
    putchar('}');
}

static void put_json(const struct survey *survey)
{
    printf("{\"spool\":\"%s\"", survey->config->name);
    member_flag("made", survey->made);
    member_number("log_bytes", survey->view.end - survey->view.begin);
    member_number("log_end", survey->view.end);
    member_number("segments", survey->segments);
    member_time("last_stored", survey->last);
    if (survey->stats != NULL)
        json_requests(survey);
    else
        fputs(",\"requests\":null,\"secrets\":[]", stdout);
    fputs(",\"consumers\":[", stdout);
    for (size_t i = 0; i < survey->standings.count; i++) {
        if (i > 0)
            putchar(',');
        json_consumer(survey, i);
    }
    puts("]}");
}

/* ---- the verb */

enum format { TEXT, JSON, PROMETHEUS, NAGIOS, FORMATS };

static int read_format(struct cli *cli, enum format *format)
{
    static const char *const names[FORMATS] = {"text", "json", "prometheus", "nagios"};
    const char *name = cli_text(cli, "format");
    int i = 0;

    if (cli_flag(cli, "json") && name != NULL)
        return cli_usage(cli, "--json and --format exclude each other");
    if (name == NULL)
        name = cli_flag(cli, "json") ? "json" : "text";
    while (i < FORMATS && strcmp(names[i], name) != 0)
        i++;
    *format = (enum format)i;
    return i < FORMATS ? EX_OK
                       : cli_usage(cli, "the formats are text, json, prometheus and nagios, not "
                                   "'%s'", name);
}

static const struct {
    const char *warn, *max;
    bool seconds;
    int64_t preset; /* of the warning */
    size_t offset;
} limit_options[] = {
    {"warn-age", "max-age", true, INT64_MAX, offsetof(struct nagios_limits, age)},
    {"warn-backlog", "max-backlog", false, INT64_MAX, offsetof(struct nagios_limits, backlog)},
    {"warn-failed", "max-failed", false, INT64_MAX, offsetof(struct nagios_limits, failed)},
    {"warn-dead", "max-dead", false, 0, offsetof(struct nagios_limits, dead)},
    {"warn-silence", "max-silence", true, INT64_MAX, offsetof(struct nagios_limits, silence)}};

static int read_limit(const struct cli *cli, const char *option, bool seconds, int64_t preset,
                      int64_t *value)
{
    return seconds ? cli_duration(cli, option, preset, value)
                   : cli_number(cli, option, 0, INT64_MAX - 2, preset, value);
}

static int read_limits(struct cli *cli, enum format format, struct nagios_limits *limits)
{
    *limits = (struct nagios_limits){.quiet = cli_quiet(cli)};
    for (size_t i = 0; i < sizeof(limit_options) / sizeof(limit_options[0]); i++) {
        const char *warn = limit_options[i].warn;
        const char *max = limit_options[i].max;
        struct nagios_limit *limit =
            (struct nagios_limit *)(void *)((char *)limits + limit_options[i].offset);
        if (read_limit(cli, warn, limit_options[i].seconds, limit_options[i].preset,
                       &limit->warning) < 0
            || read_limit(cli, max, limit_options[i].seconds, INT64_MAX, &limit->critical) < 0)
            return EX_USAGE;
        if (format != NAGIOS && (cli_flag(cli, warn) || cli_flag(cli, max)))
            return cli_usage(cli, "--%s is for --format nagios", cli_flag(cli, warn) ? warn : max);
    }
    return EX_OK;
}

static int put(const struct survey *surveys, const int *statuses, size_t count,
               enum format format, const struct nagios_limits *limits)
{
    int status = EX_OK;

    if (format == NAGIOS)
        return nagios_put(surveys, count, limits);
    if (format == PROMETHEUS)
        prometheus_put(stdout, surveys, count);
    for (size_t i = 0; i < count; i++) {
        const bool told = surveys[i].read || !surveys[i].made;
        if (format == TEXT && told)
            put_text(&surveys[i], i == 0);
        else if (format == JSON && told)
            put_json(&surveys[i]);
        if (status == EX_OK)
            status = statuses[i];
    }
    return status;
}

static int survey_all(struct cli *cli, enum format format, const struct nagios_limits *limits)
{
    const struct config *config = cli_config(cli);
    const char *name = cli_text(cli, "spool");
    struct survey *surveys = calloc(config->spool_count, sizeof(*surveys));
    int *statuses = calloc(config->spool_count, sizeof(*statuses));
    const int64_t now = (int64_t)time(NULL);
    size_t count = 0;
    int status = EX_OSERR;

    if (surveys == NULL || statuses == NULL)
        log_error("cannot begin: %s", strerror(ENOMEM));
    for (size_t i = 0; i < config->spool_count && surveys != NULL && statuses != NULL; i++) {
        const struct config_spool *spool = &config->spools[i];
        if (name != NULL && strcmp(name, spool->name) != 0)
            continue;
        statuses[count] = survey_read(&surveys[count], config, spool, NULL, now);
        count++;
    }
    if (count > 0)
        status = put(surveys, statuses, count, format, limits);
    for (size_t i = 0; i < count; i++)
        survey_release(&surveys[i]);
    free(surveys);
    free(statuses);
    return status;
}

static int run(struct cli *cli)
{
    const char *name = cli_text(cli, "spool");
    struct nagios_limits limits;
    enum format format;

    int status = read_format(cli, &format);
    if (status == EX_OK)
        status = read_limits(cli, format, &limits);
    if (status != EX_OK)
        return status;
    if (cli_config(cli) == NULL || (name != NULL && cli_spool(cli, name) == NULL))
        return format == NAGIOS ? (int)nagios_unknown("the configuration is at fault") : EX_CONFIG;
    status = survey_all(cli, format, &limits);
    if (out_flush() < 0)
        return format == NAGIOS ? NAGIOS_UNKNOWN : EX_IOERR;
    return status;
}

static const struct cli_option options[] = {
    {"format", 'F', "FORMAT", "text, json, prometheus or nagios", CLI_NOTHING},
    {"json", 'j', NULL, "the same as --format json: a line for each spool", CLI_NOTHING},
    {"max-age", 0, "TIME", "critical: the oldest event waits longer", CLI_NOTHING},
    {"max-backlog", 0, "N", "critical: more events wait", CLI_NOTHING},
    {"max-failed", 0, "N", "critical: more events have failed and will be tried again",
     CLI_NOTHING},
    {"max-dead", 0, "N", "critical: more events are dead", CLI_NOTHING},
    {"max-silence", 0, "TIME", "critical: no event was stored for longer", CLI_NOTHING},
    {"warn-age", 0, "TIME", "a warning, likewise", CLI_NOTHING},
    {"warn-backlog", 0, "N", "a warning, likewise", CLI_NOTHING},
    {"warn-failed", 0, "N", "a warning, likewise", CLI_NOTHING},
    {"warn-dead", 0, "N", "a warning, likewise (default 0: any dead event)", CLI_NOTHING},
    {"warn-silence", 0, "TIME", "a warning, likewise", CLI_NOTHING},
    VIEW_SPOOL,
    {0}};

const struct verb verb_stats = {
    .name = "stats",
    .operands = "",
    .summary = "print counters, or check them against limits",
    .help =
        "What the responder has counted, and what waits, has failed or is dead for each\n"
        "consumer; for people, as JSON, or in the text format of Prometheus.\n"
        "\n"
        "--format nagios is a check, with the exit status that Nagios wants: 0 all is\n"
        "well, 1 a warning, 2 critical, 3 not known. Limits hold for each consumer of\n"
        "the configuration, and --max-silence for each spool. With -q it says nothing\n"
        "when all is well, so that cron(8) sends mail only when it is not.",
    .example = "hookspool stats -q --format nagios --max-silence 6h --max-age 30m",
    .words = CLI_NOTHING,
    .options = options,
    .run = run};
