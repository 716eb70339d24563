/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "selection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "log.h"

/* An id may be anything, but this is more likely the name of something else. */
static void doubt(struct cli *cli, const char *id)
{
    const struct config *config = cli_config(cli);
    const char *what = NULL;

    for (size_t i = 0; config != NULL && i < config->consumer_count; i++) {
        if (strcmp(config->consumers[i].name, id) == 0)
            what = "consumer";
    }
    for (size_t i = 0; config != NULL && i < config->endpoint_count; i++) {
        if (strcmp(config->endpoints[i].name, id) == 0)
            what = "endpoint";
    }
    for (size_t i = 0; config != NULL && i < config->spool_count; i++) {
        if (strcmp(config->spools[i].name, id) == 0)
            what = "spool";
    }
    if (what != NULL)
        log_warn("'%s' is taken for the id of an event, and not for the %s of that name; see "
                 "--help for the options", id, what);
}

static int read_ids(struct selection *selection, struct cli *cli, int first)
{
    struct filter *filter = &selection->filter;
    const char *id = cli_text(cli, "id");

    selection->ids = calloc((size_t)cli_count(cli) + 2, sizeof(*selection->ids));
    if (selection->ids == NULL) {
        log_error("cannot take the ids: %s", strerror(errno));
        return EX_OSERR;
    }
    if (id != NULL)
        selection->ids[filter->id_count++] = (char *)id;
    for (int i = first; i < cli_count(cli); i++) {
        selection->ids[filter->id_count++] = (char *)cli_operand(cli, i);
        doubt(cli, cli_operand(cli, i));
    }
    filter->ids = selection->ids;
    return EX_OK;
}

/* Requests are files of lines (replay.h), and no id or type has one of those bytes. */
static bool is_line(const char *text)
{
    return text == NULL || strpbrk(text, "\n\r") == NULL;
}

int selection_read(struct selection *selection, struct cli *cli, int first)
{
    bool since, until;

    *selection = (struct selection){.filter = FILTER_ALL};
    struct filter *filter = &selection->filter;
    if (cli_time(cli, "since", &since, &filter->since) < 0
        || cli_time(cli, "until", &until, &filter->until) < 0)
        return EX_USAGE;
    if (since && until && filter->since >= filter->until)
        return cli_usage(cli, "--until is not after --since");
    filter->type = cli_text(cli, "type");
    bool lines = is_line(filter->type) && is_line(cli_text(cli, "id"));
    for (int i = first; i < cli_count(cli); i++)
        lines &= is_line(cli_operand(cli, i));
    return lines ? read_ids(selection, cli, first)
                 : cli_usage(cli, "a type or an id has no line break");
}

void selection_release(struct selection *selection)
{
    free(selection->ids);
    selection->ids = NULL;
}

bool selection_is_all(const struct selection *selection)
{
    const struct filter *filter = &selection->filter;

    return filter->since == INT64_MIN && filter->until == INT64_MAX && filter->type == NULL
        && filter->id_count == 0;
}
