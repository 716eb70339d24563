/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_cat.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"
#include "out.h"
#include "pour.h"
#include "selection.h"
#include "sift.h"
#include "view.h"

enum { AT_ONCE = 1024 * 1024 };

/* Lines that stand one behind the other in a segment, to be written at once. */
struct extent {
    int fd;         /* a copy: the segment stays open until they are written; -1: none is */
    uint64_t start; /* of the segment */
    uint64_t from, to;
    const char *path;
};

static int flush(struct extent *extent)
{
    const int result =
        extent->to > extent->from
            ? pour(extent->fd, extent->from - extent->start, extent->to - extent->from,
                   extent->path)
            : 0;

    extent->from = extent->to;
    return result;
}

/* The next line stands in another segment. */
static int change_segment(struct extent *extent, const struct sift *sift)
{
    uint64_t start;

    const int fd = sift_descriptor(sift, &start);
    if (extent->fd >= 0 && extent->start == start)
        return 0;
    if (flush(extent) < 0)
        return -1;
    if (extent->fd >= 0)
        close(extent->fd);
    extent->start = start;
    extent->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (extent->fd < 0)
        log_error("cannot keep a segment of '%s' open: %s", extent->path, strerror(errno));
    return extent->fd < 0 ? -1 : 0;
}

static int put(struct extent *extent, const struct sift *sift, const struct segment_line *line)
{
    if (change_segment(extent, sift) < 0)
        return -1;
    if (line->position != extent->to || extent->to - extent->from >= AT_ONCE) {
        if (flush(extent) < 0)
            return -1;
        extent->from = line->position;
    }
    extent->to = line->position + line->len;
    return 0;
}

/* All that the sift lets through. *damaged counts what does not prove itself. */
static int copy(struct sift *sift, const struct view *view, uint64_t *damaged)
{
    struct extent extent = {.fd = -1, .path = view->spool.log_path};
    struct segment_line line;
    int found = sift_seek(sift, view->begin);

    while (found == 0 && (found = sift_next(sift, view->end, &line)) > 0) {
        found = 0;
        if (line.damaged) {
            view_damaged(view, &line);
            *damaged += 1;
        } else {
            found = put(&extent, sift, &line);
        }
    }
    if (found == 0)
        found = flush(&extent);
    if (extent.fd >= 0)
        close(extent.fd);
    return found;
}

static int run_opened(struct cli *cli, struct view *view)
{
    struct selection selection;
    struct sift *sift = NULL;
    uint64_t damaged = 0;
    int status = selection_read(&selection, cli, 0);

    if (status == EX_OK) {
        status = EX_IOERR;
        sift = sift_new(&view->spool, &selection.filter);
        if (sift != NULL && copy(sift, view, &damaged) == 0)
            status = damaged > 0 ? EX_DATAERR : EX_OK;
    }
    sift_free(sift);
    selection_release(&selection);
    return status;
}

static int run(struct cli *cli)
{
    struct view view;

    int status = view_open(&view, cli);
    if (status == EX_OK)
        status = run_opened(cli, &view);
    view_close(&view);
    return status;
}

static const struct cli_option options[] = {
    SELECTION_OPTIONS,
    VIEW_SPOOL,
    {0}};

const struct verb verb_cat = {
    .name = "cat",
    .operands = "[ID...]",
    .most = -1,
    .summary = "print stored events, a line of JSON each",
    .help =
        "Prints the lines of the log as they are, all of them or a selection. Only what\n"
        "is on stable storage is printed, and only lines that prove themselves: damaged\n"
        "ones are named on standard error instead, and the exit status is 65.\n"
        "\n"
        SELECTION_HELP,
    .example = "hookspool cat --since 2h --type 'phone_call.*' | jq .data",
    .words = CLI_NOTHING,
    .options = options,
    .run = run};
