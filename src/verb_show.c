/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "body.h"
#include "dead.h"
#include "failedline.h"
#include "log.h"
#include "out.h"
#include "positions.h"
#include "selection.h"
#include "sheet.h"
#include "sift.h"
#include "status.h"
#include "view.h"

struct show {
    struct view view;
    struct selection selection;
    struct standings standings;
    struct entry entry;
    struct sheet sheet;
    const char *id;
    bool body;              /* the bytes of the last one, and nothing else */
    struct positions found;
    char *last;             /* the line that was found last, if its body is wanted */
    size_t last_len;
    uint64_t damaged;
};

static int no_memory(void)
{
    log_error("cannot show the event: %s", strerror(ENOMEM));
    errno = ENOMEM;
    return -1;
}

static bool is_found(const struct show *show, uint64_t position)
{
    size_t i = 0; /* as they were found: a few, in no order */

    while (i < show->found.count && show->found.list[i] != position)
        i++;
    return i < show->found.count;
}

static int keep(struct show *show, const struct segment_line *line)
{
    char *copy = malloc(line->len);

    if (copy == NULL)
        return no_memory();
    memcpy(copy, line->text, line->len);
    free(show->last);
    show->last = copy;
    show->last_len = line->len;
    return 0;
}

static int take(struct show *show, const struct segment_line *line, const struct standing *keeper)
{
    if (positions_add(&show->found, line->position) < 0)
        return no_memory();
    if (show->body)
        return keep(show, line);
    if (show->found.count > 1 && !show->sheet.json)
        putchar('\n');
    sheet_put(&show->sheet, line, keeper);
    return 0;
}

/* ---- in the log */

static int search_log(struct show *show)
{
    const struct view *view = &show->view;
    struct segment_line line;
    int found = -1;

    struct sift *sift = sift_new(&view->spool, &show->selection.filter);
    if (sift != NULL)
        found = sift_seek(sift, view->begin);
    while (found == 0 && (found = sift_next(sift, view->end, &line)) > 0) {
        show->damaged += line.damaged;
        found = line.damaged ? 0 : take(show, &line, NULL);
    }
    sift_free(sift);
    return found;
}

/* ---- in what consumers keep */

struct kept {
    struct show *show;
    const struct standing *standing;
};

static int take_kept(void *context, const struct failure *failure)
{
    const struct kept *kept = context;
    struct show *show = kept->show;
    struct segment_line line;
    int result = 0;

    if (strcmp(failure->id, show->id) != 0 || is_found(show, failure->position))
        return 0;
    if (failedline_of(failure, &line) < 0)
        return errno == ENOMEM ? no_memory() : 0;
    if (filter_takes(&show->selection.filter, &line.view))
        result = take(show, &line, kept->standing);
    free((char *)line.text);
    return result;
}

static int search_consumer(struct show *show, const struct standing *standing)
{
    struct kept kept = {.show = show, .standing = standing};
    int result = 0;

    for (size_t i = 0; i < standing->failed && result == 0; i++) {
        struct failure failure;
        char *line;
        if (retry_load(standing->retry, retry_at(standing->retry, i), &failure, &line) < 0)
            return -1;
        result = take_kept(&kept, &failure);
        free(line);
    }
    if (result == 0 && standing->dead > 0)
        result = dead_scan(standing->consumer.dir, standing->consumer.path, take_kept, &kept);
    return result;
}

static int search(struct show *show)
{
    int result = search_log(show);

    for (size_t i = 0; i < show->standings.count && result == 0; i++)
        result = search_consumer(show, &show->standings.list[i]);
    return result;
}

/* ---- the verb */

static int not_there(const struct show *show)
{
    const char *spool = show->view.spool.config->name;
    const bool known = show->entry.day[0] != '\0';

    if (show->entry.kind == ENTRY_STORED)
        log_error("event '%s' is not in spool '%s' any more: it was purged, but its id is "
                  "remembered%s%s%s", show->id, spool, known ? ", from " : "", show->entry.day,
                  known ? " on" : "");
    else
        log_error("event '%s' is not in spool '%s'", show->id, spool);
    if (show->damaged > 0)
        log_error("it may be one of %" PRIu64 " damaged lines: see hookspool fsck", show->damaged);
    return EX_DATAERR;
}

static int write_body(const struct show *show)
{
    struct record_view view;
    struct body body;
    char *bytes = NULL;

    if (record_check(show->last, show->last_len, &view)
        && body_find(&body, show->last, show->last_len, &view))
        bytes = body_bytes(&body);
    if (bytes == NULL) {
        log_error("the body of event '%s' cannot be had: %s", show->id, strerror(errno));
        return EX_DATAERR;
    }
    fwrite(bytes, 1, body.len, stdout);
    free(bytes);
    return EX_OK;
}

static int run_opened(struct show *show, struct cli *cli)
{
    struct spool *spool = &show->view.spool;

    if (standings_read(&show->standings, cli_config(cli), spool, NULL) < 0)
        return EX_OSERR;
    if (entry_look(&show->entry, spool->dir, spool->path, show->id) < 0)
        return status_of(errno);
    show->sheet = (struct sheet){.standings = &show->standings, .entry = &show->entry,
                                 .now = (int64_t)time(NULL), .json = cli_flag(cli, "json")};
    int status = search(show) != 0 ? EX_IOERR : show->found.count == 0 ? not_there(show) : EX_OK;
    if (status == EX_OK && show->body)
        status = write_body(show);
    if (out_flush() < 0)
        return EX_IOERR;
    return status == EX_OK ? standings_status(&show->standings) : status;
}

static int run(struct cli *cli)
{
    struct show show = {.view = VIEW_CLOSED, .id = cli_operand(cli, 0),
                        .body = cli_flag(cli, "body")};

    if (show.body && cli_flag(cli, "json"))
        return cli_usage(cli, "--body and --json exclude each other");
    int status = selection_read(&show.selection, cli, 0);
    if (status == EX_OK)
        status = view_open(&show.view, cli);
    if (status == EX_OK)
        status = run_opened(&show, cli);
    free(show.found.list);
    free(show.last);
    standings_release(&show.standings);
    selection_release(&show.selection);
    view_close(&show.view);
    return status;
}

static const struct cli_option options[] = {
    {"body", 'b', NULL, "write the body, exactly as it was sent, and nothing else", CLI_NOTHING},
    {"json", 'j', NULL, "print a line of JSON", CLI_NOTHING},
    {"since", 's', "TIME", "it arrived at that time or later", CLI_NOTHING},
    {"until", 'u', "TIME", "it arrived before that time", CLI_NOTHING},
    VIEW_SPOOL,
    {0}};

const struct verb verb_show = {
    .name = "show",
    .operands = "ID",
    .least = 1,
    .most = 1,
    .summary = "show all that is known of an event",
    .help =
        "Its fields and its body; what became of it at each consumer, with the reason\n"
        "and the standard error of a command that failed; and whether its id is\n"
        "remembered. An event that was purged is shown as long as a consumer keeps it.\n"
        "\n"
        "An id stands in the log twice when it was forgotten and sent again: then both\n"
        "are shown, and --body writes that of the later one.\n"
        "\n"
        SELECTION_HELP,
    .example = "hookspool show msg_2KxRk1mPLq9vXzT",
    .words = CLI_NOTHING,
    .options = options,
    .run = run};
