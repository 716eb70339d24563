/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "view.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "io.h"
#include "log.h"
#include "logstate.h"
#include "status.h"

void view_damaged(const struct view *view, const struct segment_line *line)
{
    log_error("damaged line of %zu bytes at position %" PRIu64 " of '%s': left out; see hookspool "
              "fsck", line->len, line->position, view->spool.log_path);
}

/* Until nobody repairs the spool. */
static int await_repair(const struct spool *spool)
{
    int result;

    const int guard = io_openat(spool->dir, ".", O_RDONLY | O_DIRECTORY, 0);
    do
        result = guard < 0 ? -1 : flock(guard, LOCK_SH);
    while (result < 0 && errno == EINTR);
    const int saved = errno;
    if (result < 0)
        log_error("cannot lock '%s': %s", spool->path, strerror(saved));
    if (guard >= 0)
        close(guard);
    errno = saved;
    return result;
}

int view_look(struct view *view)
{
    struct spool *spool = &view->spool;

    const int known = logstate_read(spool->log_dir, spool->log_path, &view->end);
    if (known > 0)
        return EX_OK;
    if ((known < 0 && errno != EWOULDBLOCK) || await_repair(spool) < 0
        || spool_end(spool, &view->end) < 0)
        return status_of(errno);
    return EX_OK;
}

int view_open_spool(struct view *view, const struct config *config,
                    const struct config_spool *spool)
{
    *view = VIEW_CLOSED;
    if (spool_open(&view->spool, config, spool) < 0)
        return status_of(errno);
    int status = view_look(view);
    if (status == EX_OK && spool_begin(&view->spool, &view->begin) < 0)
        status = status_of(errno);
    if (status != EX_OK)
        view_close(view);
    else if (view->begin > view->end)
        view->begin = view->end; /* there is no segment */
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
