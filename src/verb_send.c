/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_send.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "campaign.h"
#include "expect.h"
#include "input.h"
#include "log.h"
#include "payload.h"
#include "sender.h"
#include "signer.h"

enum { COUNT_MAX = 1000000000, STALE_BY = 60, KEY_BYTES = 32 };

/* What the campaign borrows. */
struct belongings {
    struct signer signer;
    struct signature_key stranger; /* a key that nobody has */
    char *url, *body;
};

/* ---- the command line */

static int read_claim(struct campaign *campaign, struct cli *cli)
{
    const int status = claim_read(&campaign->claim, cli);

    if (status != EX_OK)
        return status;
    if (campaign->claim.id != NULL && campaign->count > 1)
        return cli_usage(cli, "--id is for one event, not for --count; see --duplicate");
    if (campaign->claim.stamp != 0 && cli_flag(cli, "stale"))
        return cli_usage(cli, "--stale and --timestamp both say when it was signed: one of them");
    return EX_OK;
}

static int read_line(struct campaign *campaign, struct cli *cli)
{
    const char *rate = cli_text(cli, "rate");

    if (cli_number(cli, "count", 1, COUNT_MAX, 1, &campaign->count) < 0)
        return EX_USAGE;
    if (rate != NULL && !pace_parse(&campaign->pace, rate))
        return cli_usage(cli, "--rate: '%s' is no rate; say 20, 20/s, 90/m or 500/h", rate);
    if (cli_flag(cli, "data") && (cli_flag(cli, "type") || cli_flag(cli, "oversized")))
        return cli_usage(cli, "--type and --oversized make a body, --data has one: one of them");
    campaign->type = cli_flag(cli, "type") ? cli_text(cli, "type") : PAYLOAD_TYPE;
    campaign->bad_signature = cli_flag(cli, "bad-signature");
    campaign->duplicate = cli_flag(cli, "duplicate");
    campaign->insecure = cli_flag(cli, "insecure");
    campaign->json = cli_flag(cli, "json");
    campaign->quiet = cli_quiet(cli);
    return read_claim(campaign, cli);
}

/* ---- what else it needs */

/* --url, else the endpoint's url, else this machine's web server. */
static int find_url(struct campaign *campaign, struct belongings *own, struct cli *cli)
{
    const struct config_endpoint *endpoint = campaign->endpoint;

    campaign->url = cli_text(cli, "url");
    if (campaign->url == NULL && endpoint == NULL)
        return cli_usage(cli, "without an endpoint of the configuration, --url must say where to");
    if (campaign->url == NULL && endpoint->url[0] != '\0')
        campaign->url = endpoint->url;
    if (campaign->url != NULL)
        return EX_OK;
    if (asprintf(&own->url, "http://localhost%s", endpoint->path) < 0) {
        own->url = NULL;
        log_error("cannot begin: out of memory");
        return EX_OSERR;
    }
    campaign->url = own->url;
    if (!campaign->quiet)
        log_info("[endpoint %s] has no url: trying %s", endpoint->name, own->url);
    return EX_OK;
}

/* A signature that anybody could have made: with a random key. */
static int find_key(struct campaign *campaign, struct belongings *own)
{
    campaign->key = &own->signer.secret->key;
    if (!campaign->bad_signature)
        return EX_OK;
    if (sender_random(own->stranger.bytes, KEY_BYTES) < 0)
        return EX_OSERR;
    own->stranger.len = KEY_BYTES;
    campaign->key = &own->stranger;
    return EX_OK;
}

static int prepare(struct campaign *campaign, struct belongings *own, struct cli *cli)
{
    int status = read_line(campaign, cli);

    if (status == EX_OK)
        status = signer_open(&own->signer, cli, cli_operand(cli, 0), cli_text(cli, "secret-file"));
    if (status != EX_OK)
        return status;
    campaign->endpoint = own->signer.endpoint;
    if (cli_flag(cli, "stale"))
        campaign->age = expect_tolerance(campaign->endpoint) + STALE_BY;
    if (cli_flag(cli, "oversized"))
        campaign->least = (size_t)expect_max_body(campaign->endpoint) + 1;
    status = find_url(campaign, own, cli);
    if (status == EX_OK)
        status = find_key(campaign, own);
    if (status == EX_OK && cli_flag(cli, "data")) {
        status = input_read(cli_text(cli, "data"), INPUT_MAX, &own->body, &campaign->body_len);
        campaign->body = own->body;
    }
    return status;
}

static int run(struct cli *cli)
{
    struct campaign campaign = {0};
    struct belongings own = {0};
    int status = prepare(&campaign, &own, cli);

    if (status == EX_OK)
        status = campaign_run(&campaign);
    signer_close(&own.signer);
    signature_key_wipe(&own.stranger);
    free(own.url);
    free(own.body);
    return status;
}

static const struct cli_option options[] = {
    {"url", 'u', "URL", "where to (default: the endpoint's url, or http://localhost and its path)",
     CLI_NOTHING},
    {"secret-file", 's', "FILE", "sign with the secret in this file", CLI_FILE},
    {"type", 't', "TYPE", "the event's type (default " PAYLOAD_TYPE ")", CLI_NOTHING},
    {"data", 'd', "FILE", "the body, instead of one that is made (-: standard input)", CLI_FILE},
    {"id", 'i', "ID", "the event's id (default: a new one each)", CLI_NOTHING},
    {"timestamp", 0, "TIME", "when it was signed (default: now)", CLI_NOTHING},
    {"family", 'f', "FAMILY", "the headers' names: svix (default) or webhook", CLI_NOTHING},
    {"bad-signature", 0, NULL, "sign with a key that nobody has: 401", CLI_NOTHING},
    {"stale", 0, NULL, "sign a minute before the tolerance began: 400", CLI_NOTHING},
    {"oversized", 0, NULL, "make the body one byte larger than max_body: 413", CLI_NOTHING},
    {"duplicate", 0, NULL, "send each event twice: 200 stored, then 200 duplicate", CLI_NOTHING},
    {"count", 'n', "N", "send so many events, one after the other (default 1)", CLI_NOTHING},
    {"rate", 'r', "N", "begin so many a second; or N/m, N/h (default: as fast as they go)",
     CLI_NOTHING},
    {"insecure", 'k', NULL, "do not check the server's certificate", CLI_NOTHING},
    {"json", 'j', NULL, "print JSON, an object a line", CLI_NOTHING},
    {0}};

const struct verb verb_send = {
    .name = "send",
    .operands = "[ENDPOINT]",
    .least = 0,
    .most = 1,
    .summary = "send signed test events through the real URL",
    .help =
        "Signs events as the endpoint's sender would, sends them to its URL, and tells\n"
        "whether each was answered as it must be: 200 stored, unless an option or the\n"
        "configuration has it otherwise. Exit status 0: all were. 65: one was answered\n"
        "otherwise; what to look at is said. 69: one was not answered.\n"
        "\n"
        "ENDPOINT may be left out where there is only one, or with --url and\n"
        "--secret-file. What is stored is an event like any other: jobs are offered it.\n"
        "The body that is made says that it is a test, in data.metadata.\n"
        "\n"
        "TIME is " SENDER_TIMES ".\n"
        "--rate is kept against the clock: what one took too long the next make up for.\n"
        "-q prints only what is not as expected, and the summary.",
    .example = "hookspool send levers --count 100 --rate 20",
    .words = CLI_ENDPOINT,
    .options = options,
    .run = run};
