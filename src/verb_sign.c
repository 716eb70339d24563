/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "claim.h"
#include "crypto.h"
#include "input.h"
#include "out.h"
#include "sender.h"
#include "signer.h"

static int sign(const struct claim *claim, const struct secret *secret, const char *path)
{
    const int64_t stamp = claim->stamp != 0 ? claim->stamp : (int64_t)time(NULL);
    struct sender_headers headers;
    char made[SENDER_ID];
    char *body;
    size_t len;

    if (claim->id == NULL && sender_id(made) < 0)
        return EX_OSERR;
    int status = input_read(path, INPUT_MAX, &body, &len);
    if (status != EX_OK)
        return status;
    if (sender_sign(&headers, claim->family, &secret->key, claim->id != NULL ? claim->id : made,
                    stamp, body, len) < 0) {
        status = EX_OSERR;
    } else {
        for (int i = 0; i < SENDER_HEADERS; i++)
            puts(headers.line[i]);
        status = out_flush() < 0 ? EX_IOERR : EX_OK;
    }
    crypto_wipe(&headers, sizeof(headers));
    free(body);
    return status;
}

static int run(struct cli *cli)
{
    const char *name = cli_text(cli, "endpoint"), *file = cli_text(cli, "secret-file");
    struct claim claim;
    struct signer signer;

    if (name != NULL && file != NULL)
        return cli_usage(cli, "--endpoint and --secret-file both say which secret: one of them");
    int status = claim_read(&claim, cli);
    if (status == EX_OK)
        status = signer_open(&signer, cli, name, file);
    if (status != EX_OK)
        return status;
    status = sign(&claim, signer.secret, cli_operand(cli, 0));
    signer_close(&signer);
    return status;
}

static const struct cli_option options[] = {
    {"endpoint", 'e', "NAME", "with the secret of this endpoint (default: the only one)",
     CLI_ENDPOINT},
    {"secret-file", 's', "FILE", "with the secret in this file", CLI_FILE},
    {"id", 'i', "ID", "the event's id (default: a new one)", CLI_NOTHING},
    {"timestamp", 't', "TIME", "when it was signed (default: now)", CLI_NOTHING},
    {"family", 'f', "FAMILY", "the headers' names: svix (default) or webhook", CLI_NOTHING},
    {0}};

const struct verb verb_sign = {
    .name = "sign",
    .operands = "[FILE]",
    .least = 0,
    .most = 1,
    .summary = "print the headers that a sender would send with a body",
    .help =
        "Signs the body in FILE, or on standard input, as a sender would, and prints\n"
        "the three headers, one a line: svix-id, svix-timestamp, svix-signature. curl\n"
        "takes them with -H @-, and the very bytes that were signed with --data-binary.\n"
        "\n"
        "Where a file holds several secrets, the first that has not expired signs.\n"
        "TIME is " SENDER_TIMES ".",
    .example = "hookspool sign -e levers call.json | curl -H @- --data-binary @call.json $URL",
    .words = CLI_FILE,
    .options = options,
    .run = run};
