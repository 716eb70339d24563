/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "dead.h"
#include "failedline.h"
#include "listing.h"
#include "log.h"
#include "out.h"
#include "selection.h"
#include "sift.h"
#include "standing.h"
#include "view.h"

struct list {
    struct view view;
    struct selection selection;
    struct standings standings;
    struct listing listing;
    const char *consumer; /* NULL: of no particular one */
    uint64_t max;
    uint64_t skip; /* of the failures: so many are not among the last */
    bool counts;   /* only counts them, into skip */
};

/* ---- events of the log */

static int list_events(struct list *list)
{
    const struct view *view = &list->view;
    struct segment_line line;
    bool damaged = false;
    int found = -1;

    struct sift *sift = sift_new(&view->spool, &list->selection.filter);
    if (sift != NULL)
        found = list->max == UINT64_MAX
                  ? sift_seek(sift, view->begin)
                  : sift_seek_last(sift, view->begin, view->end, list->max);
    while (found == 0 && (found = sift_next(sift, view->end, &line)) > 0) {
        found = ferror(stdout) ? -1 : 0;
        damaged |= line.damaged;
        if (line.damaged)
            view_damaged(view, &line);
        else
            listing_event(&list->listing, &line);
    }
    sift_free(sift);
    return found < 0 ? EX_IOERR : damaged ? EX_DATAERR : EX_OK;
}

/* ---- failures */

/* Is it meant? By what its event says, as for those of the log. */
static bool is_taken(const struct list *list, const struct failure *failure)
{
    struct segment_line line;

    if (selection_is_all(&list->selection))
        return true;
    if (failedline_of(failure, &line) < 0)
        return false;
    const bool taken = filter_takes(&list->selection.filter, &line.view);
    free((char *)line.text);
    return taken;
}

static int visit_failure(void *context, const struct failure *failure)
{
    struct list *list = context;

    if (!is_taken(list, failure))
        return 0;
    if (list->counts)
        list->skip++;
    else if (list->skip > 0)
        list->skip--;
    else
        listing_failure(&list->listing, failure);
    return ferror(stdout) ? 1 : 0;
}

static int scan_failed(struct list *list, const struct standing *standing)
{
    int result = 0;

    for (size_t i = 0; i < standing->failed && result == 0; i++) {
        struct failure failure;
        char *line;
        if (retry_load(standing->retry, retry_at(standing->retry, i), &failure, &line) < 0)
            return -1;
        result = visit_failure(list, &failure);
        free(line);
    }
    return result;
}

static int scan(struct list *list)
{
    const struct standing *standing = &list->standings.list[0];
    const struct consumer *consumer = &standing->consumer;

    if (consumer->dir < 0)
        return 0; /* it was never drained */
    return list->listing.kind == LISTING_FAILED
             ? scan_failed(list, standing)
             : dead_scan(consumer->dir, consumer->path, visit_failure, list);
}

static int list_failures(struct list *list)
{
    int result = 0;

    if (list->max != UINT64_MAX) {
        list->counts = true;
        result = scan(list);
        list->counts = false;
        list->skip -= list->skip < list->max ? list->skip : list->max;
    }
    if (result == 0)
        result = scan(list);
    return result != 0 ? EX_IOERR : EX_OK;
}

/* ---- the verb */

/* The spool: that of --spool, or of the consumer, or the only one. */
static const struct config_spool *find_spool(struct cli *cli, const char *consumer)
{
    const struct config *config = cli_config(cli);
    const char *name = cli_text(cli, "spool");

    for (size_t i = 0; config != NULL && name == NULL && consumer != NULL
                       && i < config->consumer_count; i++) {
        if (strcmp(config->consumers[i].name, consumer) == 0)
            return config->consumers[i].spool_config;
    }
    return cli_spool(cli, name);
}

static int read_consumer(struct list *list, struct cli *cli)
{
    const struct config *config = cli_config(cli);

    if (list->consumer == NULL)
        return EX_OK;
    if (standings_read(&list->standings, config, &list->view.spool, list->consumer) < 0)
        return EX_OSERR;
    if (list->standings.count > 0)
        return standings_status(&list->standings);
    log_error("spool '%s' has no consumer '%s'; see hookspool status",
              list->view.spool.config->name, list->consumer);
    return EX_CONFIG;
}

static int run_opened(struct list *list, struct cli *cli, enum listing_kind kind)
{
    const struct standing *standing = NULL;

    int status = read_consumer(list, cli);
    if (status != EX_OK)
        return status;
    if (list->consumer != NULL)
        standing = &list->standings.list[0];
    if (listing_open(&list->listing, kind, cli_flag(cli, "json"), standing) < 0)
        return EX_OSERR;
    status = kind == LISTING_FAILED || kind == LISTING_DEAD ? list_failures(list)
                                                            : list_events(list);
    listing_close(&list->listing);
    return out_flush() < 0 ? EX_IOERR : status;
}

/* What is to be listed, and of whom. */
static int read_kind(struct cli *cli, enum listing_kind *kind, const char **consumer)
{
    static const struct {
        const char *option;
        enum listing_kind kind;
    } kinds[] = {{"consumer", LISTING_STATES}, {"failed", LISTING_FAILED}, {"dead", LISTING_DEAD}};

    *kind = LISTING_EVENTS;
    *consumer = NULL;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const char *name = cli_text(cli, kinds[i].option);
        if (name == NULL)
            continue;
        if (*consumer != NULL)
            return cli_usage(cli, "--consumer, --failed and --dead exclude each other");
        *consumer = name;
        *kind = kinds[i].kind;
    }
    return EX_OK;
}

static int run(struct cli *cli)
{
    struct list list = {.view = VIEW_CLOSED};
    enum listing_kind kind;
    int64_t max;

    int status = read_kind(cli, &kind, &list.consumer);
    if (status != EX_OK)
        return status;
    if (cli_number(cli, "max", 1, INT64_MAX, 0, &max) < 0)
        return EX_USAGE;
    list.max = max == 0 ? UINT64_MAX : (uint64_t)max;
    status = selection_read(&list.selection, cli, 0);
    if (status == EX_OK) {
        const struct config_spool *spool = find_spool(cli, list.consumer);
        status = spool == NULL ? EX_CONFIG : view_open_spool(&list.view, cli_config(cli), spool);
    }
    if (status == EX_OK)
        status = run_opened(&list, cli, kind);
    standings_release(&list.standings);
    selection_release(&list.selection);
    view_close(&list.view);
    return status;
}

static const struct cli_option options[] = {
    {"consumer", 'C', "NAME", "also tell what became of each at this consumer", CLI_CONSUMER},
    {"failed", 'f', "NAME", "those of this consumer that wait for their next attempt",
     CLI_CONSUMER},
    {"dead", 'd', "NAME", "those that this consumer has given up", CLI_CONSUMER},
    {"max", 'm', "N", "only the last N", CLI_NOTHING},
    {"json", 'j', NULL, "print a line of JSON for each", CLI_NOTHING},
    SELECTION_OPTIONS,
    VIEW_SPOOL,
    {0}};

const struct verb verb_list = {
    .name = "list",
    .operands = "[ID...]",
    .most = -1,
    .summary = "list events, or those that failed",
    .help =
        "A row for each event: when it arrived, its type, its id, how many bytes it\n"
        "takes in the log, and its position there. The newest one is the last.\n"
        "\n"
        "With --consumer it is also told what became of it: waiting, failed (and when\n"
        "it is offered again), dead, or done. --failed and --dead list what a consumer\n"
        "keeps of events that failed, with the reason; they need not be in the log any\n"
        "more.\n"
        "\n"
        SELECTION_HELP,
    .example = "hookspool list --failed billing",
    .words = CLI_NOTHING,
    .options = options,
    .run = run};
