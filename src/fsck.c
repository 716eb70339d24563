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
static bool remove_state(struct survey *survey)
{
    const int dir = io_openat(survey->spool.dir, ".", O_RDONLY | O_DIRECTORY, 0);
    bool removed = false;

    if (dir >= 0 && flock(dir, LOCK_EX | LOCK_NB) == 0)
        removed = io_unlinkat(survey->spool.log_dir, "state") == 0;
    if (!removed)
        log_error("cannot begin '%s/state' anew: %s", survey->spool.log_path,
                  errno == EWOULDBLOCK ? "hookspoold uses it: stop that first" : strerror(errno));
    if (dir >= 0)
        close(dir);
    return removed;
}

static void check_state(struct survey *survey, bool repair)
{
    if (fscklog_state(survey))
        return;
    flaws_add(&survey->flaws, &(struct flaw){.kind = FLAW_STATE, .file = "log/state",
                                             .repaired = repair && remove_state(survey)});
}

/* Keeps others out who look after the spool. */
static bool take_right(struct survey *survey)
{
    if (io_mkdirat(survey->locks, "days", 0750) < 0 && errno != EEXIST)
        log_error("cannot create '%s/days': %s", survey->locks_path, strerror(errno));
    survey->right = purge_right(survey->locks, survey->locks_path);
    if (survey->right >= 0)
        return true;
    if (errno == EAGAIN)
        log_error("spool '%s' is being purged or repaired by another process: try again",
                  survey->spool.config->name);
    survey_failed(survey, errno);
    return false;
}

static bool prepare(struct survey *survey, bool repair)
{
    check_state(survey, repair);
    if (survey->locks < 0)
        flaws_add(&survey->flaws, &(struct flaw){.kind = FLAW_MISSING_SHARD, .file = "locks",
                                                 .repaired = repair});
    else if ((repair && !take_right(survey)) || !survey_read(survey))
        return false;
    else
        fscklocks_shards(survey, repair);
    if (!repair)
        return survey_read(survey);
    if (survey->locks >= 0)
        fscklocks_unsettle(survey);
    if (!survey_open_store(survey))
        return false;
    return (survey->right >= 0 || take_right(survey)) && survey_read(survey);
}

/* ---- all of it */

static void sync_entries(struct survey *survey)
{
    if (lockdir_sync(store_locks(survey->store)) < 0)
        survey_failed(survey, errno);
}

/* The log, and its ids in as many rounds as they need. */
static void check_ids(struct survey *survey)
{
    const struct spool *spool = &survey->spool;
    struct fsckids ids;

    if (!fsckids_begin(&ids, survey))
        return;
    fscklog_run(survey, fsckids_line, &ids);
    while (survey->status == EX_OK) {
        fsckids_round(&ids);
        if (!fsckids_next(&ids))
            break;
        if (segment_scan(spool->log_dir, spool->log_path, survey->begin, survey->end, fsckids_line,
                         &ids) < 0)
            survey_failed(survey, errno);
    }
    if (ids.entered)
        sync_entries(survey);
    fsckids_end(&ids);
}

static int skip(void *context, const struct segment_line *line)
{
    (void)context, (void)line;
    return 0;
}

static void go_over(struct survey *survey)
{
    fscklog_names(survey);
    if (survey->locks < 0) {
        fscklog_run(survey, skip, NULL);
    } else {
        check_ids(survey);
        fscklocks_files(survey);
    }
    fsckjobs_run(survey);
    flaws_end(&survey->flaws);
}

int fsck_spool(struct survey *survey, const struct config *config,
               const struct config_spool *which, bool repair)
{
    char *path;

    if (asprintf(&path, "%s/%s", config->spool_dir, which->name) < 0) {
        log_error("cannot look at spool '%s': %s", which->name, strerror(ENOMEM));
        return EX_OSERR;
    }
    if (repair && spool_exists(config, which) && owner_become(path) < 0)
        survey->status = EX_NOPERM;
    free(path);
    if (survey->status == EX_OK && survey_open(survey, config, which)
        && prepare(survey, repair))
        go_over(survey);
    survey_close(survey);
    owner_leave();
    if (survey->status != EX_OK)
        return survey->status;
    return survey->flaws.damage > 0 ? EX_DATAERR : EX_OK;
}
