/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "fsck.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "fsckids.h"
#include "fsckjobs.h"
#include "fscklocks.h"
#include "fscklog.h"
#include "io.h"
#include "log.h"
#include "owner.h"
#include "purge.h"

/* ---- before it can be opened */

/* The state of a log that others have open cannot be begun anew. */
static bool remove_state(struct audit *audit)
{
    const int dir = io_openat(audit->spool.dir, ".", O_RDONLY | O_DIRECTORY, 0);
    bool removed = false;

    if (dir >= 0 && flock(dir, LOCK_EX | LOCK_NB) == 0)
        removed = io_unlinkat(audit->spool.log_dir, "state") == 0;
    if (!removed)
        log_error("cannot begin '%s/state' anew: %s", audit->spool.log_path,
                  errno == EWOULDBLOCK ? "hookspoold uses it: stop that first" : strerror(errno));
    if (dir >= 0)
        close(dir);
    return removed;
}

static void check_state(struct audit *audit, bool repair)
{
    if (fscklog_state(audit))
        return;
    flaws_add(&audit->flaws, &(struct flaw){.kind = FLAW_STATE, .file = "log/state",
                                             .repaired = repair && remove_state(audit)});
}

/* Keeps others out who look after the spool. */
static bool take_right(struct audit *audit)
{
    if (io_mkdirat(audit->locks, "days", 0750) < 0 && errno != EEXIST)
        log_error("cannot create '%s/days': %s", audit->locks_path, strerror(errno));
    audit->right = purge_right(audit->locks, audit->locks_path);
    if (audit->right >= 0)
        return true;
    if (errno == EAGAIN)
        log_error("spool '%s' is being purged or repaired by another process: try again",
                  audit->spool.config->name);
    audit_failed(audit, errno);
    return false;
}

static bool prepare(struct audit *audit, bool repair)
{
    check_state(audit, repair);
    if (audit->locks < 0)
        flaws_add(&audit->flaws, &(struct flaw){.kind = FLAW_MISSING_SHARD, .file = "locks",
                                                 .repaired = repair});
    else if ((repair && !take_right(audit)) || !audit_read(audit))
        return false;
    else
        fscklocks_shards(audit, repair);
    if (!repair)
        return audit_read(audit);
    if (audit->locks >= 0)
        fscklocks_unsettle(audit);
    if (!audit_open_store(audit))
        return false;
    return (audit->right >= 0 || take_right(audit)) && audit_read(audit);
}

/* ---- all of it */

static void sync_entries(struct audit *audit)
{
    if (lockdir_sync(store_locks(audit->store)) < 0)
        audit_failed(audit, errno);
}

/* The log, and its ids in as many rounds as they need. */
static void check_ids(struct audit *audit)
{
    const struct spool *spool = &audit->spool;
    struct fsckids ids;

    if (!fsckids_begin(&ids, audit))
        return;
    fscklog_run(audit, fsckids_line, &ids);
    while (audit->status == EX_OK) {
        fsckids_round(&ids);
        if (!fsckids_next(&ids))
            break;
        if (segment_scan(spool->log_dir, spool->log_path, audit->begin, audit->end, fsckids_line,
                         &ids) < 0)
            audit_failed(audit, errno);
    }
    if (ids.entered)
        sync_entries(audit);
    fsckids_end(&ids);
}

static int skip(void *context, const struct segment_line *line)
{
    (void)context, (void)line;
    return 0;
}

static void go_over(struct audit *audit)
{
    fscklog_names(audit);
    if (audit->locks < 0) {
        fscklog_run(audit, skip, NULL);
    } else {
        check_ids(audit);
        fscklocks_files(audit);
    }
    fsckjobs_run(audit);
    flaws_end(&audit->flaws);
}

int fsck_spool(struct audit *audit, const struct config *config,
               const struct config_spool *which, bool repair)
{
    char *path;

    if (asprintf(&path, "%s/%s", config->spool_dir, which->name) < 0) {
        log_error("cannot look at spool '%s': %s", which->name, strerror(ENOMEM));
        return EX_OSERR;
    }
    if (repair && spool_exists(config, which) && owner_become(path) < 0)
        audit->status = EX_NOPERM;
    free(path);
    if (audit->status == EX_OK && audit_open(audit, config, which)
        && prepare(audit, repair))
        go_over(audit);
    audit_close(audit);
    owner_leave();
    if (audit->status != EX_OK)
        return audit->status;
    return audit->flaws.damage > 0 ? EX_DATAERR : EX_OK;
}
