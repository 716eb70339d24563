/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "agetable.h"
#include "jsonc.h"
#include "member.h"
#include "out.h"
#include "survey.h"
#include "table.h"
#include "when.h"

/* ---- for people */

static const struct table_column columns[] = {
    {"CONSUMER", 40, false, false}, {"WAITING", 12, true, false}, {"BYTES", 6, true, false},
    {"OLDEST", 8, true, false},     {"FAILED", 8, true, false},   {"DEAD", 8, true, false},
    {"SINCE", 8, true, false},      {"", 24, false, false}};

/* What else there is to say of a consumer. */
static const char *remark(const struct standing *standing)
{
    if (standing->unread)
        return "cannot be read";
    if (standing->config == NULL)
        return "not in the configuration";
    if (standing->drained)
        return "is being drained";
    if (standing->replays > 0)
        return "a replay is asked for";
    return standing->consumer.dir < 0 ? "was never drained" : "";
}

static void add_consumer(struct table *table, const struct survey *survey, size_t which)
{
    const struct standing *standing = &survey->standings.list[which];
    const struct tally *tally = &survey->backlogs.list[which].tally;
    char bytes[OUT_SIZE];

    table_string(table, standing->name);
    if (standing->unread) {
        for (int i = 0; i < 6; i++)
            table_string(table, "?");
    } else {
        table_number(table, tally->total.events);
        table_string(table, out_bytes(bytes, tally->total.bytes));
        table_age(table, survey->now, tally->oldest);
        table_number(table, standing->failed);
        table_number(table, standing->dead);
        table_age(table, survey->now, standing->oldest_failure);
    }
    table_string(table, remark(standing));
}

static void put_head(const struct survey *survey)
{
    const uint64_t bytes = survey->view.end - survey->view.begin;
    char size[OUT_SIZE], age[WHEN_AGE_SIZE], stamp[WHEN_SIZE];

    fputs(out_style(stdout, OUT_BOLD), stdout);
    printf("spool %s", survey->config->name);
    fputs(out_style(stdout, OUT_PLAIN), stdout);
    if (!survey->made) {
        puts(": hookspoold has not made it yet");
        return;
    }
    printf(": %s in %zu segment%s; ", out_bytes(size, bytes), survey->segments,
           survey->segments == 1 ? "" : "s");
    if (survey->last == 0) {
        puts("nothing was ever stored");
        return;
    }
    when_stamp(stamp, survey->last);
    printf("last event %s ago, at %s\n", when_age(age, survey->now - survey->last), stamp);
}

static void put_ages(const struct survey *survey, size_t which, bool all)
{
    const struct tally *tally = &survey->backlogs.list[which].tally;

    if (tally->damaged > 0)
        printf("\n%" PRIu64 " damaged lines are left out: see hookspool fsck\n", tally->damaged);
    if (tally->total.events == 0)
        return;
    if (which < survey->standings.count)
        printf("\nwaiting for %s, by age in minutes\n", survey->standings.list[which].name);
    else
        puts("\nno consumer; all events, by age in minutes");
    agetable_put(stdout, tally, &survey->backlogs.types, all);
}

static int put_survey(const struct survey *survey, bool all)
{
    put_head(survey);
    if (survey->standings.count > 0) {
        struct table *table =
            table_new(stdout, columns, sizeof(columns) / sizeof(columns[0]), true);
        if (table == NULL)
            return EX_OSERR;
        for (size_t i = 0; i < survey->standings.count; i++)
            add_consumer(table, survey, i);
        table_free(table);
    }
    for (size_t i = 0; i < survey->backlogs.count; i++)
        put_ages(survey, i, all);
    return EX_OK;
}

/* ---- JSON */

static void put_backlog(const struct survey *survey, size_t which)
{
    const struct tally *tally = &survey->backlogs.list[which].tally;

    printf("{\"events\":%" PRIu64, tally->total.events);
    member_number("bytes", tally->total.bytes);
    member_number("damaged", tally->damaged);
    member_time("oldest", tally->oldest);
    fputs(",\"by_age\":", stdout);
    agetable_json(stdout, tally, &survey->backlogs.types);
    putchar('}');
}

static void put_consumer(const struct survey *survey, size_t which)
{
    const struct standing *standing = &survey->standings.list[which];

    fputs("{\"consumer\":", stdout);
    jsonc_put(stdout, standing->name, strlen(standing->name));
    member_flag("configured", standing->config != NULL);
    member_flag("readable", !standing->unread);
    if (!standing->unread) {
        member_flag("drained", standing->drained);
        member_number("position", standing->cursor.position);
        member_number("failed", standing->failed);
        member_number("dead", standing->dead);
        member_number("replays", standing->replays);
        member_time("oldest_failure", standing->oldest_failure);
        member_time("next_attempt", standing->next);
        fputs(",\"backlog\":", stdout);
        put_backlog(survey, which);
    }
    putchar('}');
}

static void put_json(const struct survey *survey)
{
    printf("{\"spool\":\"%s\"", survey->config->name);
    member_flag("made", survey->made);
    member_number("begin", survey->view.begin);
    member_number("end", survey->view.end);
    member_number("segments", survey->segments);
    member_time("last_stored", survey->last);
    fputs(",\"consumers\":[", stdout);
    for (size_t i = 0; i < survey->standings.count; i++) {
        if (i > 0)
            putchar(',');
        put_consumer(survey, i);
    }
    putchar(']');
    if (survey->standings.count == 0 && survey->backlogs.count > 0) {
        fputs(",\"all\":", stdout);
        put_backlog(survey, 0);
    }
    puts("}");
}

/* ---- the verb */

static int tell(struct cli *cli, const struct config_spool *spool, int64_t now, bool first)
{
    const char *only = cli_text(cli, "consumer");
    struct survey survey;

    int status = survey_read(&survey, cli_config(cli), spool, only, now);
    if (survey.read || !survey.made) {
        if (!first && !cli_flag(cli, "json"))
            putchar('\n');
        if (cli_flag(cli, "json"))
            put_json(&survey);
        else if (put_survey(&survey, cli_verbose(cli)) != EX_OK)
            status = EX_OSERR;
    }
    survey_release(&survey);
    return status;
}

static int run(struct cli *cli)
{
    const struct config *config = cli_config(cli);
    const char *name = cli_text(cli, "spool");
    const int64_t now = (int64_t)time(NULL);
    int status = EX_OK;

    if (config == NULL || (name != NULL && cli_spool(cli, name) == NULL))
        return EX_CONFIG;
    for (size_t i = 0; i < config->spool_count; i++) {
        const struct config_spool *spool = &config->spools[i];
        if (name != NULL && strcmp(spool->name, name) != 0)
            continue;
        const int one = tell(cli, spool, now, i == 0 || name != NULL);
        if (status == EX_OK)
            status = one;
    }
    return out_flush() < 0 ? EX_IOERR : status;
}

static const struct cli_option options[] = {
    {"consumer", 'C', "NAME", "only this consumer", CLI_CONSUMER},
    {"json", 'j', NULL, "print a line of JSON for each spool", CLI_NOTHING},
    VIEW_SPOOL,
    {0}};

const struct verb verb_status = {
    .name = "status",
    .operands = "",
    .summary = "tell what waits, for whom, and since when",
    .help =
        "For each spool and consumer: how many events wait and since when, how many\n"
        "have failed and wait for their next attempt, how many are dead, when the first\n"
        "of those failures was, and whether a drain runs, or a replay waits for one.\n"
        "\n"
        "Then the events that wait by type and age, as qshape prints a mail queue: T is\n"
        "the total, 5 those of the last five minutes, 10 those before up to ten minutes\n"
        "old, and so on. With -v all types are printed, else the most frequent ones.\n"
        "\n"
        "A consumer that was taken out of the configuration is shown as long as its\n"
        "directory is there. For alarms see hookspool stats.",
    .example = "hookspool status",
    .words = CLI_NOTHING,
    .options = options,
    .run = run};
