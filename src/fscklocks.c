/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "fscklocks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "dayfile.h"
#include "expiry.h"
#include "filter.h"
#include "io.h"
#include "log.h"
#include "mend.h"
#include "settle.h"
#include "shards.h"

struct rebuild {
    struct audit *audit;
    struct dayfiles days;
    bool missing[SHARDS_COUNT];
};

static int fail(struct audit *audit, const char *operation, const char *name)
{
    const int error = errno;

    log_error("cannot %s '%s/%s': %s", operation, audit->locks_path, name, strerror(error));
    audit_failed(audit, error);
    return -1;
}

/* ---- directories */

/* Removes a directory that an earlier attempt left, with what is in it. */
static int remove_attempt(struct audit *audit, const char *name)
{
    struct dirent *entry;

    const int fd = io_openat(audit->locks, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (stream == NULL)
        return errno == ENOENT ? 0 : fail(audit, "open", name);
    while ((entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)io_unlinkat(dirfd(stream), entry->d_name);
    }
    closedir(stream);
    return unlinkat(audit->locks, name, AT_REMOVEDIR) < 0 ? fail(audit, "remove", name) : 0;
}

static void attempt_name(char name[16], unsigned shard)
{
    snprintf(name, 16, "%02x.new", shard);
}

static int begin_shards(struct rebuild *rebuild)
{
    struct audit *audit = rebuild->audit;

    if (io_mkdirat(audit->locks, "days", 0750) < 0 && errno != EEXIST)
        return fail(audit, "create", "days");
    for (unsigned i = 0; i < SHARDS_COUNT; i++) {
        char name[16];
        attempt_name(name, i);
        if (remove_attempt(audit, name) < 0)
            return -1;
        if (rebuild->missing[i] && io_mkdirat(audit->locks, name, 0750) < 0)
            return fail(audit, "create", name);
    }
    return 0;
}

/* The entry of a line whose directory is missing. */
static int fill(void *context, const struct segment_line *line)
{
    struct rebuild *rebuild = context;
    struct audit *audit = rebuild->audit;
    char id[SETTLE_ID], name[SETTLE_ID + 16];

    progress_show(&audit->progress, 0, line->position - audit->begin, audit->all);
    if (!settle_id(id, line))
        return 0;
    const unsigned shard = shards_of(id, strlen(id));
    const int64_t received = filter_received(&line->view);
    if (!rebuild->missing[shard]
        || !audit_wants_entry(audit, id, strlen(id), line->position, received))
        return 0;
    snprintf(name, sizeof(name), "%02x.new/%s", shard, id);
    if (dayfiles_link(&rebuild->days, name, dayfile_day(received)) == 0 || errno == EEXIST)
        return 0;
    audit_failed(audit, errno);
    return 1;
}

/* It is complete: gives it its name. */
static int name_shard(struct audit *audit, unsigned shard)
{
    char from[16], to[8];

    attempt_name(from, shard);
    snprintf(to, sizeof(to), "%02x", shard);
    const int fd = io_openat(audit->locks, from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0)
        return fail(audit, "open", from);
    const int synced = io_fsync(fd);
    close(fd);
    if (synced < 0)
        return fail(audit, "sync", from);
    return io_renameat(audit->locks, from, to) < 0 ? fail(audit, "rename", from) : 0;
}

static int make_shards(struct rebuild *rebuild)
{
    struct audit *audit = rebuild->audit;
    const struct spool *spool = &audit->spool;

    if (begin_shards(rebuild) < 0)
        return -1;
    const int scanned = segment_scan(spool->log_dir, spool->log_path, audit->begin, audit->end,
                                     fill, rebuild);
    progress_wipe(&audit->progress);
    if (scanned != 0) {
        if (scanned < 0)
            audit_failed(audit, errno);
        return -1;
    }
    for (unsigned i = 0; i < SHARDS_COUNT; i++) {
        if (rebuild->missing[i] && name_shard(audit, i) < 0)
            return -1;
    }
    return io_fsync(audit->locks) < 0 ? fail(audit, "sync", ".") : 0;
}

void fscklocks_shards(struct audit *audit, bool repair)
{
    struct rebuild rebuild = {.audit = audit};
    unsigned missing = 0;

    for (unsigned i = 0; i < SHARDS_COUNT; i++) {
        rebuild.missing[i] = !shards_has(audit->locks, i);
        missing += rebuild.missing[i];
    }
    bool repaired = false;
    /* Without the last one all are made when the spool is opened, and filled then (store.c). */
    if (repair && missing > 0 && !rebuild.missing[SHARDS_COUNT - 1]) {
        dayfiles_open(&rebuild.days, audit->locks, audit->locks_path);
        repaired = make_shards(&rebuild) == 0;
        dayfiles_close(&rebuild.days);
    }
    for (unsigned i = 0; i < SHARDS_COUNT; i++) {
        char file[16];
        snprintf(file, sizeof(file), "locks/%02x", i);
        if (rebuild.missing[i])
            flaws_add(&audit->flaws, &(struct flaw){.kind = FLAW_MISSING_SHARD, .file = file,
                                                     .repaired = repaired});
    }
}

/* ---- small files */

void fscklocks_unsettle(struct audit *audit)
{
    const struct spool *spool = &audit->spool;
    const int boundary = segment_boundary(spool->log_dir, spool->log_path, audit->settled);

    if (boundary < 0)
        audit_failed(audit, errno);
    if (!audit->bad_settled && audit->settled <= audit->end && boundary != 0)
        return;
    /* Without the file all of the log is unsettled, which is right whatever is true. */
    const int right = flock(audit->locks, LOCK_EX | LOCK_NB);
    if (right < 0 || (io_unlinkat(audit->locks, "settled") < 0 && errno != ENOENT)) {
        (void)fail(audit, "remove", "settled");
        return;
    }
    (void)flock(audit->locks, LOCK_UN);
    audit->unsettled = true;
    audit->was_settled = audit->settled;
}

/* All of the log has been gone over, and every id has its entry: settled may say so. */
static bool set_settled(struct audit *audit)
{
    struct lockdir *locks = audit->store == NULL ? NULL : store_locks(audit->store);

    if (locks == NULL || audit->status != 0)
        return false;
    const int right = lockdir_settling(locks);
    if (right < 0) {
        audit_failed(audit, errno);
        return false;
    }
    const bool set = lockdir_sync(locks) == 0 && lockdir_set_settled(locks, audit->end) == 0;
    if (!set)
        audit_failed(audit, errno);
    close(right);
    return set;
}

static void check_expired(struct audit *audit)
{
    struct flaw flaw = {.kind = FLAW_SMALL_FILE, .file = "locks/expired"};
    int64_t day;

    if (expiry_marker(audit->locks, audit->locks_path, &day) >= 0 || errno != EUCLEAN)
        return;
    if (audit->store != NULL) { /* the next purge writes it */
        flaw.repaired = io_unlinkat(audit->locks, "expired") == 0;
        if (!flaw.repaired)
            (void)fail(audit, "remove", "expired");
    }
    flaws_add(&audit->flaws, &flaw);
}

/* Whoever forgets an id is kept out while the file is written anew. */
static void check_forgotten(struct audit *audit)
{
    int lock = -1;

    if (audit->store != NULL) {
        lock = io_openat(audit->locks, "claims", O_RDWR | O_NOFOLLOW, 0);
        if (lock < 0 || flock(lock, LOCK_EX) < 0) {
            (void)fail(audit, "lock", "claims");
            if (lock >= 0)
                close(lock);
            return;
        }
    }
    mend_journal(audit, audit->locks, "locks", "forgotten");
    if (lock >= 0)
        close(lock);
}

void fscklocks_files(struct audit *audit)
{
    if (audit->bad_settled || audit->unsettled)
        flaws_add(&audit->flaws,
                  &(struct flaw){
                      .kind = FLAW_SETTLED, .file = "locks/settled", .placed = true,
                      .position = audit->unsettled ? audit->was_settled : audit->settled,
                      .repaired = set_settled(audit)});
    check_expired(audit);
    check_forgotten(audit);
}
