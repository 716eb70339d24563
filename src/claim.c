/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "claim.h"

#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "delivery.h"
#include "sender.h"

int claim_read(struct claim *claim, struct cli *cli)
{
    const char *stamp = cli_text(cli, "timestamp");

    *claim = (struct claim){.id = cli_text(cli, "id"), .family = cli_text(cli, "family")};
    if (claim->family == NULL)
        claim->family = "svix";
    if (strcmp(claim->family, "svix") != 0 && strcmp(claim->family, "webhook") != 0)
        return cli_usage(cli, "--family is svix or webhook, not '%s'", claim->family);
    if (claim->id != NULL && !delivery_is_id(claim->id, strlen(claim->id)))
        return cli_usage(cli, "--id: '%s' is not an id: " DELIVERY_IDS, claim->id);
    if (stamp != NULL && !sender_time(stamp, (int64_t)time(NULL), &claim->stamp))
        return cli_usage(cli, "--timestamp: '%s' is no time; say " SENDER_TIMES, stamp);
    return EX_OK;
}
