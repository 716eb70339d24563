/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_fsck.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "fsck.h"
#include "jsonc.h"
#include "out.h"

/* What it comes to. */
static void sum_up(const struct audit *audit, const char *spool, int status)
{
    const struct flaws *flaws = &audit->flaws;
    char bytes[OUT_SIZE];

    if (flaws->json) {
        printf("{\"spool\":");
        jsonc_put(stdout, spool, strlen(spool));
        printf(",\"kind\":\"summary\",\"status\":%d,\"segments\":%" PRIu64 ",\"events\":%" PRIu64
               ",\"bytes\":%" PRIu64 ",\"damage\":%" PRIu64 ",\"repaired\":%" PRIu64
               ",\"notes\":%" PRIu64 "}\n",
               status, audit->segments, audit->events, audit->bytes, flaws->damage,
               flaws->repaired, flaws->notes);
        return;
    }
    printf("%s: %" PRIu64 " segment%s, %" PRIu64 " event%s, %s: ", spool, audit->segments,
           audit->segments == 1 ? "" : "s", audit->events, audit->events == 1 ? "" : "s",
           out_bytes(bytes, audit->bytes));
    if (status != EX_OK && status != EX_DATAERR)
        printf("not all of it could be looked at\n");
    else if (flaws->damage == 0)
        printf("%sclean%s\n", out_style(stdout, OUT_GOOD), out_style(stdout, OUT_PLAIN));
    else
        printf("%s%" PRIu64 " fault%s%s, %" PRIu64 " repaired\n", out_style(stdout, OUT_BAD),
               flaws->damage, flaws->damage == 1 ? "" : "s", out_style(stdout, OUT_PLAIN),
               flaws->repaired);
}

static int check_one(struct cli *cli, const struct config_spool *spool)
{
    const bool json = cli_flag(cli, "json");
    struct audit audit = {.flaws = {.spool = spool->name, .json = json,
                                      .verbose = cli_verbose(cli)}};

    audit.flaws.progress = &audit.progress;
    progress_begin(&audit.progress, spool->name, !cli_quiet(cli));
    const int status = fsck_spool(&audit, cli_config(cli), spool, cli_flag(cli, "repair"));
    if (json || !cli_quiet(cli))
        sum_up(&audit, spool->name, status);
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
        return spool == NULL ? EX_CONFIG : check_one(cli, spool);
    }
    for (size_t i = 0; i < config->spool_count; i++) {
        if (!spool_exists(config, &config->spools[i]))
            continue; /* nothing was stored yet */
        const int one = check_one(cli, &config->spools[i]);
        if (status == EX_OK || (status == EX_DATAERR && one != EX_OK))
            status = one;
    }
    return status;
}

static const struct cli_option options[] = {
    {"spool", 'S', "NAME", "only this spool (default: all)", CLI_SPOOL},
    {"repair", 'r', NULL, "mend what can be mended", CLI_NOTHING},
    {"json", 'j', NULL, "print a line of JSON for each finding", CLI_NOTHING},
    {0}};

const struct verb verb_fsck = {
    .name = "fsck",
    .operands = "",
    .most = 0,
    .summary = "check a spool, every line of it, and repair it",
    .help =
        "Reads all of a spool and changes nothing: read access is enough, and hookspoold\n"
        "may run. Does every line prove itself, does one segment end where the next one\n"
        "begins, has every id its entry and stands there once, are the positions of\n"
        "consumers in the log, can what has failed be read?\n"
        "\n"
        "With --repair, as the user that hookspoold runs as or as root, and beside\n"
        "hookspoold: damaged lines are moved to log/POSITION.damaged and blanks take\n"
        "their place, so that no other line moves; missing entries are made again from\n"
        "the log, but for ids that were forgotten or had expired. A consumer's position\n"
        "is left for a person to set.\n"
        "\n"
        "A fault is a line; a note, of what is as it may be, is one, too, and only the\n"
        "first of a kind without -v.\n"
        "\n"
        "Exit status: 0, clean; 65, there is damage, or there was and it was repaired;\n"
        "75, another purge or fsck is at it, or hookspoold has to be stopped first.",
    .example = "hookspool fsck --repair",
    .words = CLI_NOTHING,
    .options = options,
    .run = run};
