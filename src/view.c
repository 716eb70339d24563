/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "view.h"

#include <errno.h>
#include <inttypes.h>
#include <sysexits.h>

#include "log.h"

void view_damaged(const struct view *view, const struct segment_line *line)
{
    log_error("damaged line of %zu bytes at position %" PRIu64 " of '%s': left out; see hookspool "
              "fsck", line->len, line->position, view->spool.log_path);
}

int view_failure(void)
{
    switch (errno) {
    case ENOENT:
        return EX_UNAVAILABLE;
    case EACCES:
    case EPERM:
        return EX_NOPERM;
    case ENOMEM:
        return EX_OSERR;
    default:
        return EX_IOERR;
    }
}

int view_open_spool(struct view *view, const struct config *config,
                    const struct config_spool *spool)
{
    *view = VIEW_CLOSED;
    if (spool_open(&view->spool, config, spool) < 0)
        return view_failure();
    view->spool.patient = true;
    if (spool_end(&view->spool, &view->end) == 0 && spool_begin(&view->spool, &view->begin) == 0) {
        if (view->begin > view->end)
            view->begin = view->end; /* there is no segment */
        return EX_OK;
    }
    const int status = view_failure();
    view_close(view);
    return status;
}

int view_open(struct view *view, struct cli *cli)
{
    *view = VIEW_CLOSED;
    const struct config_spool *spool = cli_spool(cli, cli_text(cli, "spool"));
    return spool == NULL ? EX_CONFIG : view_open_spool(view, cli_config(cli), spool);
}

void view_close(struct view *view)
{
    spool_close(&view->spool);
}
