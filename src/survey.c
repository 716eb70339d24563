/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "survey.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "dayfile.h"
#include "expiry.h"
#include "io.h"
#include "log.h"
#include "logstate.h"
#include "upkeep.h"

void survey_failed(struct survey *survey, int error)
{
    if (survey->status == EX_OK || survey->status == EX_TEMPFAIL)
        survey->status = upkeep_status(error);
}

static bool failed(struct survey *survey, const char *operation, const char *name)
{
    const int error = errno;

    log_error("cannot %s '%s/%s': %s", operation, survey->spool.path, name, strerror(error));
    survey_failed(survey, error);
    return false;
}

bool survey_open(struct survey *survey, const struct config *config,
                 const struct config_spool *which)
{
    survey->config = config;
    survey->spool = SPOOL_CLOSED;
    survey->right = survey->locks = -1;
    if (spool_open(&survey->spool, config, which) < 0) {
        survey->status = errno == ENOENT ? EX_UNAVAILABLE : upkeep_status(errno);
        return false;
    }
    if (asprintf(&survey->locks_path, "%s/locks", survey->spool.path) < 0) {
        survey->locks_path = NULL;
        return failed(survey, "open", "locks");
    }
    survey->locks = io_openat(survey->spool.dir, "locks", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    return survey->locks >= 0 || errno == ENOENT || failed(survey, "open", "locks");
}

bool survey_open_store(struct survey *survey)
{
    survey->store = upkeep_open(survey->config, survey->spool.config, &survey->status);
    if (survey->store == NULL)
        return false;
    if (survey->locks >= 0)
        return true;
    survey->locks = io_openat(survey->spool.dir, "locks", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    return survey->locks >= 0 || failed(survey, "open", "locks");
}

static bool read_expired(struct survey *survey)
{
    const int known = expiry_marker(survey->locks, survey->locks_path, &survey->expired);

    if (known > 0)
        return true;
    survey->expired = INT64_MIN;
    return known == 0 || errno == EUCLEAN || failed(survey, "read", "locks/expired");
}

/* The position before which all ids have their entry; 0 without a file. */
static bool read_settled(struct survey *survey)
{
    char text[32] = "";
    char *end;

    survey->settled = 0;
    survey->bad_settled = false;
    const int fd = io_openat(survey->locks, "settled", O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0)
        return errno == ENOENT || failed(survey, "open", "locks/settled");
    const ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (got < 0)
        return failed(survey, "read", "locks/settled");
    errno = 0;
    survey->settled = strtoull(text, &end, 10);
    survey->bad_settled = errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\n';
    return true;
}

bool survey_read(struct survey *survey)
{
    /* What must hold of the end holds of what was read before it. */
    if (survey->locks >= 0) {
        if (!read_expired(survey) || !read_settled(survey))
            return false;
        forgotten_close(survey->forgotten);
        survey->forgotten = forgotten_open(survey->locks, survey->locks_path, false);
        if (survey->forgotten == NULL) {
            survey_failed(survey, errno);
            return false;
        }
    }
    const struct spool *spool = &survey->spool;
    uint64_t synced;
    const int live = logstate_read(spool->log_dir, spool->log_path, &synced);
    survey->live = live > 0;
    if (live < 0 || spool_begin(&survey->spool, &survey->begin) < 0
        || spool_end(&survey->spool, &survey->end) < 0) {
        survey_failed(survey, errno);
        return false;
    }
    if (survey->begin > survey->end) /* there is none */
        survey->begin = survey->end;
    survey->all = survey->end - survey->begin;
    return true;
}

bool survey_refresh(struct survey *survey)
{
    if (!read_expired(survey))
        return false;
    if (forgotten_refresh(survey->forgotten) == 0)
        return true;
    survey_failed(survey, errno);
    return false;
}

bool survey_wants_entry(const struct survey *survey, const char *id, size_t len, uint64_t position,
                        int64_t received)
{
    return dayfile_day(received) > survey->expired
        && position >= forgotten_before(survey->forgotten, id, len);
}

void survey_close(struct survey *survey)
{
    forgotten_close(survey->forgotten);
    if (survey->store != NULL)
        upkeep_close(survey->store);
    if (survey->right >= 0)
        close(survey->right);
    if (survey->locks >= 0)
        close(survey->locks);
    spool_close(&survey->spool);
    free(survey->locks_path);
}
