/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_purge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "jsonc.h"
#include "log.h"
#include "out.h"
#include "purge.h"
#include "spool.h"
#include "when.h"

enum { HOUR = 60 * 60 };

static const char *ending(uint64_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

/* Why no more segments go, in words. */
static void say_reason(char *text, size_t size, const struct purge *purge)
{
    char stamp[WHEN_SIZE] = "no event";

    switch (purge->segments.reason) {
    case RETENTION_ACTIVE:
        snprintf(text, size, "the active segment stays");
        break;
    case RETENTION_UNSETTLED:
        snprintf(text, size, "the next segment is not settled yet");
        break;
    case RETENTION_HELD:
        snprintf(text, size, "%s holds the next segment", purge->holder);
        break;
    case RETENTION_YOUNG:
        snprintf(text, size, "the next segment is younger than keep");
        break;
    }
    /* Where that makes a difference it is well to know by which time things are old. */
    if (purge->held && purge->now < (int64_t)time(NULL) - HOUR) {
        const size_t len = strlen(text);
        if (purge->now != INT64_MIN)
            when_stamp(stamp, purge->now);
        snprintf(text + len, size - len,
                 "; by the newest event, %s, as no time server keeps the clock", stamp);
    }
}

/* What was removed, or would be, as one line. */
static void say(char *text, size_t size, const char *spool, const struct purge *purge)
{
    char bytes[OUT_SIZE], reason[256];

    say_reason(reason, sizeof(reason), purge);
    snprintf(text, size,
             "spool '%s': %s %zu segment%s (%s), %" PRIu64 " id%s, %" PRIu64
             " pending name%s of dead writers, %" PRIu64 " leftover%s; %s",
             spool, purge->dry ? "would remove" : "removed", purge->segments.segments,
             ending(purge->segments.segments, "", "s"), out_bytes(bytes, purge->segments.bytes),
             purge->ids, ending(purge->ids, "", "s"), purge->pending,
             ending(purge->pending, "", "s"), purge->leftovers,
             ending(purge->leftovers, "", "s"), reason);
}

static void print_json(const char *spool, const struct purge *purge, int status)
{
    static const char *const reasons[] = {[RETENTION_ACTIVE] = "active",
                                          [RETENTION_UNSETTLED] = "unsettled",
                                          [RETENTION_HELD] = "held",
                                          [RETENTION_YOUNG] = "young"};
    char stamp[WHEN_SIZE];

    printf("{\"spool\":");
    jsonc_put(stdout, spool, strlen(spool));
    printf(",\"dry_run\":%s,\"status\":%d,\"other_running\":%s", purge->dry ? "true" : "false",
           status, purge->other ? "true" : "false");
    if (purge->now == INT64_MIN)
        printf(",\"as_of\":null");
    else
        printf(",\"as_of\":\"%.*s\"", (int)when_stamp(stamp, purge->now), stamp);
    printf(",\"segments\":%zu,\"bytes\":%" PRIu64 ",\"begin\":%" PRIu64 ",\"next\":\"%s\"",
           purge->segments.segments, purge->segments.bytes, purge->segments.begin,
           reasons[purge->segments.reason]);
    printf(",\"held_by\":");
    if (purge->segments.reason == RETENTION_HELD)
        jsonc_put(stdout, purge->holder, strlen(purge->holder));
    else
        printf("null");
    printf(",\"ids\":%" PRIu64 ",\"pending\":%" PRIu64 ",\"recovered\":%" PRIu64
           ",\"busy\":%" PRIu64 ",\"days\":%" PRIu64 ",\"leftovers\":%" PRIu64 "}\n",
           purge->ids, purge->pending, purge->recovered, purge->busy, purge->days,
           purge->leftovers);
}

static int purge_one(struct cli *cli, const struct config_spool *spool)
{
    struct purge purge = {.dry = cli_flag(cli, "dry-run"), .verbose = cli_verbose(cli),
                          .quiet = cli_quiet(cli), .rest = PURGE_REST};
    char text[1024];

    const int status = purge_spool(&purge, cli_config(cli), spool);
    if (cli_flag(cli, "json")) {
        print_json(spool->name, &purge, status);
        return status;
    }
    if (purge.other) {
        if (purge.verbose)
            log_info("spool '%s' is being purged or repaired by another process", spool->name);
        return status;
    }
    say(text, sizeof(text), spool->name, &purge);
    if (purge.dry && (status == EX_OK || status == EX_TEMPFAIL))
        puts(text);
    else if (purge.verbose)
        log_info("%s", text);
    return status;
}

static int run(struct cli *cli)
{
    const struct config *config = cli_config(cli);
    const char *name = cli_text(cli, "spool");
    int status = EX_OK;

    if (config == NULL)
        return EX_CONFIG;
    if (name != NULL) {
        const struct config_spool *spool = cli_spool(cli, name);
        return spool == NULL ? EX_CONFIG : purge_one(cli, spool);
    }
    for (size_t i = 0; i < config->spool_count; i++) {
        if (!spool_exists(config, &config->spools[i]))
            continue; /* nothing was stored yet */
        const int one = purge_one(cli, &config->spools[i]);
        if (status == EX_OK || status == EX_TEMPFAIL)
            status = one == EX_OK ? status : one;
    }
    return status;
}

static const struct cli_option options[] = {
    {"spool", 'S', "NAME", "only this spool (default: all)", CLI_SPOOL},
    {"dry-run", 'n', NULL, "only say what would be removed", CLI_NOTHING},
    {"json", 'j', NULL, "print a line of JSON for each spool", CLI_NOTHING},
    {0}};

const struct verb verb_purge = {
    .name = "purge",
    .operands = "",
    .most = 0,
    .summary = "remove what has had its time: old events and ids",
    .help =
        "Made for a line of crontab(5), once a day, as the user that hookspoold runs as\n"
        "or as root; it runs beside hookspoold, takes a fifth of the time, and is silent\n"
        "unless something is wrong.\n"
        "\n"
        "Events go by whole segments, when all in it are older than keep and every\n"
        "consumer in the configuration has passed them: one that was never drained has\n"
        "passed nothing. One that was taken out of the configuration holds nothing. What\n"
        "has failed, or was given up, is kept beside the log and stays.\n"
        "\n"
        "Ids go by the day, when dedupe_window has passed since the day ended. With them\n"
        "go files that a process which died has left.\n"
        "\n"
        "A clock that has jumped ahead removes nothing: unless the kernel says that a\n"
        "time server keeps it, things are as old as the newest event makes them.\n"
        "\n"
        "Exit status: 0, done, or another purge is at it; 65, a consumer's files are\n"
        "damaged, so no segment was removed; 75, some of it is left for the next time.",
    .example = "hookspool purge --dry-run",
    .words = CLI_NOTHING,
    .options = options,
    .run = run};
