/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_tail.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "await.h"
#include "follow.h"
#include "listing.h"
#include "log.h"
#include "out.h"
#include "selection.h"
#include "sift.h"
#include "view.h"

enum { LINES = 10 };

struct tail {
    struct view view;
    struct selection selection;
    uint64_t lines;
    bool json, stays;
    struct sift *sift;
    struct listing listing;
    struct follow *follow;
    bool damaged;
};

/* What there is up to the view's end, from where the sift is. */
static int show(struct tail *tail)
{
    struct segment_line line;
    int found;

    while ((found = sift_next(tail->sift, tail->view.end, &line)) > 0) {
        if (line.damaged)
            view_damaged(&tail->view, &line);
        else if (tail->json)
            fwrite(line.text, 1, line.len, stdout);
        else
            listing_event(&tail->listing, &line);
        tail->damaged |= line.damaged;
    }
    listing_flush(&tail->listing);
    return found < 0 || out_flush() < 0 ? EX_IOERR : EX_OK;
}

/* Waits until something was stored: false when there is nobody any more who reads what we print. */
static bool wait_for_more(struct tail *tail)
{
    struct pollfd fds[] = {{.fd = follow_fd(tail->follow), .events = POLLIN},
                           {.fd = STDOUT_FILENO}};

    while (poll(fds, 2, -1) < 0) {
        if (errno != EINTR)
            return false;
    }
    return (fds[1].revents & (POLLERR | POLLHUP)) == 0;
}

static int stay(struct tail *tail)
{
    int status = EX_OK;

    while (status == EX_OK && wait_for_more(tail)) {
        if (follow_clear(tail->follow) < 0)
            return EX_OSERR;
        status = view_look(&tail->view);
        if (status == EX_OK)
            status = show(tail);
        else if (status == EX_TEMPFAIL)
            status = EX_OK; /* whoever repairs the spool will wake us */
    }
    return status;
}

/* Opens it; with --follow, when it is there and not being repaired. */
static int open_view(struct tail *tail, struct cli *cli)
{
    const struct config_spool *spool = cli_spool(cli, cli_text(cli, "spool"));
    struct view *view = &tail->view;

    if (spool == NULL)
        return EX_CONFIG;
    if (!tail->stays)
        return view_open(view, cli);
    if (await_spool(cli_config(cli), spool) < 0)
        return EX_OSERR;
    const int status = view_open_spool(view, cli_config(cli), spool);
    if (status != EX_OK)
        return status;
    tail->follow = follow_open(view->spool.log_dir, view->spool.log_path);
    if (tail->follow == NULL)
        return EX_OSERR;
    /* What came before it was watched is seen now, the rest wakes us. */
    return view_look(view);
}

static int run_opened(struct tail *tail)
{
    const struct view *view = &tail->view;

    tail->sift = sift_new(&view->spool, &tail->selection.filter);
    if (tail->sift == NULL || listing_open(&tail->listing, LISTING_BRIEF, tail->json, NULL) < 0)
        return EX_OSERR;
    if (sift_seek_last(tail->sift, view->begin, view->end, tail->lines) < 0)
        return EX_IOERR;
    int status = show(tail);
    if (status == EX_OK && tail->stays)
        status = stay(tail);
    return status == EX_OK && tail->damaged ? EX_DATAERR : status;
}

static int run(struct cli *cli)
{
    struct tail tail = {.view = VIEW_CLOSED, .json = cli_flag(cli, "json"),
                        .stays = cli_flag(cli, "follow")};
    int64_t lines;

    if (cli_number(cli, "lines", 0, INT64_MAX, LINES, &lines) < 0)
        return EX_USAGE;
    tail.lines = (uint64_t)lines;
    int status = selection_read(&tail.selection, cli, 0);
    if (status == EX_OK)
        status = open_view(&tail, cli);
    if (status == EX_OK)
        status = run_opened(&tail);
    listing_close(&tail.listing);
    sift_free(tail.sift);
    follow_close(tail.follow);
    selection_release(&tail.selection);
    view_close(&tail.view);
    return status;
}

static const struct cli_option options[] = {
    {"lines", 'n', "N", "the last N events (default 10)", CLI_NOTHING},
    {"follow", 'f', NULL, "stay, and print events as they come", CLI_NOTHING},
    {"json", 'j', NULL, "print the events as they are stored, a line of JSON each", CLI_NOTHING},
    SELECTION_OPTIONS,
    VIEW_SPOOL,
    {0}};

const struct verb verb_tail = {
    .name = "tail",
    .operands = "[ID...]",
    .most = -1,
    .summary = "print the last events, and those that come",
    .help =
        "A line for each event: when it arrived, its type, its id, and how many bytes\n"
        "it takes in the log. With a selection, the last ones of that.\n"
        "\n"
        "With --follow a spool that is not there yet is waited for.\n"
        "\n"
        SELECTION_HELP,
    .example = "hookspool tail -f --type 'phone_call.*'",
    .words = CLI_NOTHING,
    .options = options,
    .run = run};
