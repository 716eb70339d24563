/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "audit.h"

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

void audit_failed(struct audit *audit, int error)
{
    if (audit->status == EX_OK || audit->status == EX_TEMPFAIL)
        audit->status = upkeep_status(error);
}

static bool failed(struct audit *audit, const char *operation, const char *name)
{
    const int error = errno;

    log_error("cannot %s '%s/%s': %s", operation, audit->spool.path, name, strerror(error));
    audit_failed(audit, error);
    return false;
}

bool audit_open(struct audit *audit, const struct config *config,
                 const struct config_spool *which)
{
    audit->config = config;
    audit->spool = SPOOL_CLOSED;
    audit->right = audit->locks = -1;
    if (spool_open(&audit->spool, config, which) < 0) {
        audit->status = errno == ENOENT ? EX_UNAVAILABLE : upkeep_status(errno);
        return false;
    }
    if (asprintf(&audit->locks_path, "%s/locks", audit->spool.path) < 0) {
        audit->locks_path = NULL;
        return failed(audit, "open", "locks");
    }
    audit->locks = io_openat(audit->spool.dir, "locks", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    return audit->locks >= 0 || errno == ENOENT || failed(audit, "open", "locks");
}

bool audit_open_store(struct audit *audit)
{
    audit->store = upkeep_open(audit->config, audit->spool.config, &audit->status);
    if (audit->store == NULL)
        return false;
    if (audit->locks >= 0)
        return true;
    audit->locks = io_openat(audit->spool.dir, "locks", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    return audit->locks >= 0 || failed(audit, "open", "locks");
}

static bool read_expired(struct audit *audit)
{
    const int known = expiry_marker(audit->locks, audit->locks_path, &audit->expired);

    if (known > 0)
        return true;
    audit->expired = INT64_MIN;
    return known == 0 || errno == EUCLEAN || failed(audit, "read", "locks/expired");
}

/* The position before which all ids have their entry; 0 without a file. */
static bool read_settled(struct audit *audit)
{
    char text[32] = "";
    char *end;

    audit->settled = 0;
    audit->bad_settled = false;
    const int fd = io_openat(audit->locks, "settled", O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0)
        return errno == ENOENT || failed(audit, "open", "locks/settled");
    const ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (got < 0)
        return failed(audit, "read", "locks/settled");
    errno = 0;
    audit->settled = strtoull(text, &end, 10);
    audit->bad_settled = errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\n';
    return true;
}

bool audit_read(struct audit *audit)
{
    /* What must hold of the end holds of what was read before it. */
    if (audit->locks >= 0) {
        if (!read_expired(audit) || !read_settled(audit))
            return false;
        forgotten_close(audit->forgotten);
        audit->forgotten = forgotten_open(audit->locks, audit->locks_path, false);
        if (audit->forgotten == NULL) {
            audit_failed(audit, errno);
            return false;
        }
    }
    const struct spool *spool = &audit->spool;
    uint64_t synced;
    const int live = logstate_read(spool->log_dir, spool->log_path, &synced);
    audit->live = live > 0;
    if (live < 0 && errno == EWOULDBLOCK) {
        log_error("spool '%s' is being repaired: try again", spool->path);
        errno = EWOULDBLOCK;
    }
    if (live < 0 || spool_begin(&audit->spool, &audit->begin) < 0
        || spool_end(&audit->spool, &audit->end) < 0) {
        audit_failed(audit, errno);
        return false;
    }
    if (audit->begin > audit->end) /* there is none */
        audit->begin = audit->end;
    audit->all = audit->end - audit->begin;
    return true;
}

bool audit_refresh(struct audit *audit)
{
    if (!read_expired(audit))
        return false;
    if (forgotten_refresh(audit->forgotten) == 0)
        return true;
    audit_failed(audit, errno);
    return false;
}

bool audit_wants_entry(const struct audit *audit, const char *id, size_t len, uint64_t position,
                        int64_t received)
{
    return dayfile_day(received) > audit->expired
        && position >= forgotten_before(audit->forgotten, id, len);
}

void audit_close(struct audit *audit)
{
    forgotten_close(audit->forgotten);
    if (audit->store != NULL)
        upkeep_close(audit->store);
    if (audit->right >= 0)
        close(audit->right);
    if (audit->locks >= 0)
        close(audit->locks);
    spool_close(&audit->spool);
    free(audit->locks_path);
}
