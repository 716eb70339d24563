/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_drain.h"

#include <sysexits.h>

#include "drain.h"

enum { BATCH = 1000, FAILURES = 10, WEEK = 7 * 24 * 60 * 60 };

static int read_options(struct cli *cli, struct offer_options *options)
{
    int64_t batch, jobs, max, failures;

    if (cli_number(cli, "batch", 1, OFFER_BATCH, BATCH, &batch) < 0
        || cli_number(cli, "jobs", 1, OFFER_JOBS, 1, &jobs) < 0
        || cli_number(cli, "max", 1, INT64_MAX, INT64_MAX, &max) < 0
        || cli_number(cli, "max-failures", 0, 1000000, FAILURES, &failures) < 0
        || cli_duration(cli, "timeout", 0, &options->timeout) < 0)
        return -1;
    options->batch = cli_flag(cli, "each") ? 1 : (size_t)batch;
    options->jobs = (unsigned)jobs;
    options->max = (uint64_t)max;
    options->max_failures = (unsigned)failures;
    options->wait = cli_flag(cli, "wait");
    options->follow = cli_flag(cli, "follow");
    options->ordered = cli_flag(cli, "ordered");
    options->report_failures = cli_flag(cli, "report-failures");
    options->verbose = cli_verbose(cli);
    options->quiet = cli_quiet(cli);
    options->command = cli_operands(cli, 1);
    return 0;
}

static int run(struct cli *cli)
{
    struct offer_options options;

    if (read_options(cli, &options) < 0)
        return EX_USAGE;
    if (cli_flag(cli, "each") && cli_text(cli, "batch") != NULL)
        return cli_usage(cli, "--each and --batch exclude each other");
    if (options.ordered && options.jobs > 1)
        return cli_usage(cli, "--ordered allows one job at a time");
    if (options.timeout > WEEK)
        return cli_usage(cli, "--timeout is at most 7d");
    const struct config_consumer *consumer = cli_consumer(cli, cli_operand(cli, 0));
    return consumer == NULL ? EX_CONFIG : drain_run(&options, cli_config(cli), consumer);
}

static const struct cli_option options[] = {
    {"each", 0, NULL, "run the command once for each event", CLI_NOTHING},
    {"batch", 'b', "N", "at most N events a run (default 1000)", CLI_NOTHING},
    {"jobs", 'j', "N", "N runs at a time (default 1)", CLI_NOTHING},
    {"timeout", 't', "TIME", "end a run that takes longer, which then has failed", CLI_NOTHING},
    {"max", 'm', "N", "offer at most N events", CLI_NOTHING},
    {"max-failures", 0, "N", "stop when N events in a row failed alone (10; 0: never)",
     CLI_NOTHING},
    {"wait", 'w', NULL, "wait for a drain of this consumer that runs already", CLI_NOTHING},
    {"follow", 'f', NULL, "stay, and offer events as they come", CLI_NOTHING},
    {"ordered", 'o', NULL, "nothing overtakes an event that has failed", CLI_NOTHING},
    {"report-failures", 0, NULL, "the command prints the ids of the events that failed",
     CLI_NOTHING},
    {0}};

const struct verb verb_drain = {
    .name = "drain",
    .operands = "CONSUMER -- COMMAND [ARGUMENT...]",
    .least = 2,
    .most = -1,
    .summary = "hand the events that wait for a consumer to a command",
    .help =
        "The command gets a batch of events on its standard input, one line of JSON\n"
        "each; with --each it is run for every event, and finds HOOKSPOOL_ID, _TYPE,\n"
        "_TIME, _RECEIVED, _POSITION and _ATTEMPT in its environment.\n"
        "\n"
        "When it ends with 0, its events are done. When it does not, or takes too long,\n"
        "the batch is offered again in halves until each event that fails has failed\n"
        "alone. Such an event is offered again later, after 30 seconds, a minute, two\n"
        "(backoff in the configuration), until it has had its attempts and its time;\n"
        "then it is given up: see retry --dead. An exit status of 126 or 127 says that\n"
        "the command cannot be run; nothing is counted against the events then.\n"
        "\n"
        "After --max-failures events in a row have failed alone, it is taken to be the\n"
        "command that is broken: the rest stays where it is for the next drain.\n"
        "\n"
        "A second drain of the same consumer ends at once, with 0. SIGTERM and SIGINT\n"
        "let what runs come to its end. A second one ends it, a third kills it; what was\n"
        "ended so is not counted against the events, and is offered again.\n"
        "\n"
        "With --follow it may be started before hookspoold has made the spool. It sleeps\n"
        "until an event arrives, one that failed is due, or somebody asks for a retry.\n"
        "\n"
        "Exit status: 0, all that was offered is done, or one that stays was asked to\n"
        "end; 75, some events failed or were left, or the drain could not go on; 65,\n"
        "damaged lines were skipped; 77, this user may not; 78, the command or the\n"
        "configuration is at fault.",
    .example = "hookspool drain billing -- /usr/local/bin/import-calls",
    .words = CLI_COMMAND,
    .options = options,
    .run = run};
