/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "fsckids.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dayfile.h"
#include "delivery.h"
#include "filter.h"
#include "io.h"
#include "log.h"
#include "settle.h"
#include "shards.h"

enum {
    TABLE = 16 * 1024 * 1024, /* ids: 256 MiB */
    PATIENCE = 10,            /* seconds that an id is waited for which is being stored */
    LEAST_WINDOW = 3 * DAYFILE_SECONDS
};

static int fail(const struct fsckids *ids, const char *operation, const char *name)
{
    const int error = errno;

    log_error("cannot %s '%s/%s': %s", operation, ids->audit->locks_path, name,
              strerror(error));
    audit_failed(ids->audit, error);
    return -1;
}

bool fsckids_begin(struct fsckids *ids, struct audit *audit)
{
    *ids = (struct fsckids){.audit = audit, .first = true};
    idtable_begin(&ids->table, TABLE);
    ids->claims = io_openat(audit->locks, "claims", O_RDONLY | O_NOFOLLOW, 0);
    return ids->claims >= 0 || errno == ENOENT || fail(ids, "open", "claims") == 0;
}

void fsckids_end(struct fsckids *ids)
{
    if (ids->claims >= 0)
        close(ids->claims);
    idtable_end(&ids->table);
}

/* ---- lines and their entries */

static bool has_entry(const struct fsckids *ids, const char *id, size_t len)
{
    char name[SHARDS_NAME];

    shards_entry(name, id, len);
    return faccessat(ids->audit->locks, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Makes the entry of an id under its claim, unless it need not have one after all: 1, 0, -1. */
static int make_entry(struct fsckids *ids, const char *id, const struct segment_line *line,
                      int64_t received)
{
    struct lockdir *locks = store_locks(ids->audit->store);
    struct lockdir_claim claim;
    const int64_t deadline = io_now() + (int64_t)PATIENCE * 1000000000;

    if (lockdir_claim(locks, id, deadline, &claim) < 0)
        return -1;
    int result = lockdir_stored(locks, id);
    if (result == 0 && audit_refresh(ids->audit)
        && audit_wants_entry(ids->audit, id, strlen(id), line->position, received))
        result = lockdir_restore(locks, id, received) < 0 ? -1 : 1;
    lockdir_release(locks, &claim);
    ids->entered |= result > 0;
    return result;
}

/* In the tail whoever stores it may be about to make it. */
static void tell_unentered(struct fsckids *ids, const char *id, uint64_t position)
{
    const struct flaw flaw = {.kind = FLAW_UNENTERED, .id = id, .placed = true,
                              .position = position};

    if (ids->claims >= 0 && lockdir_claimed(ids->claims, id) == 0
        && !has_entry(ids, id, strlen(id)))
        flaws_add(&ids->audit->flaws, &flaw);
}

/* An id of the log has no entry. */
static void miss(struct fsckids *ids, const char *id, const struct segment_line *line)
{
    struct audit *audit = ids->audit;
    const int64_t received = filter_received(&line->view);
    struct flaw flaw = {.kind = FLAW_MISSING_ENTRY, .id = id, .placed = true,
                        .position = line->position};

    /* Where the directory is missing, that is told once. Or it has expired a moment ago. */
    if (!shards_has(audit->locks, shards_of(id, strlen(id)))
        || !audit_wants_entry(audit, id, strlen(id), line->position, received)
        || !audit_refresh(audit)
        || !audit_wants_entry(audit, id, strlen(id), line->position, received))
        return;
    if (audit->store != NULL) {
        const int made = make_entry(ids, id, line, received);
        if (made < 0)
            audit_failed(audit, errno);
        if (made == 0)
            return;
        flaw.repaired = made > 0;
    }
    if (line->position >= audit->settled && !audit->bad_settled && !audit->unsettled)
        tell_unentered(ids, id, line->position);
    else
        flaws_add(&audit->flaws, &flaw);
}

int fsckids_line(void *context, const struct segment_line *line)
{
    struct fsckids *ids = context;
    const uint64_t hash = record_id_hash(line->view.id, line->view.id_len);
    char id[SETTLE_ID];

    if (idtable_add(&ids->table, hash, line->position) < 0) {
        (void)fail(ids, "remember the ids of", ".");
        return 1;
    }
    if (!ids->first || !settle_id(id, line))
        return 0;
    const int64_t day = dayfile_day(filter_received(&line->view));
    if (ids->oldest == 0)
        ids->oldest = day;
    ids->newest = day;
    if (!has_entry(ids, id, strlen(id)))
        miss(ids, id, line);
    return 0;
}

/* ---- ids that stand there twice */

struct twin {
    char id[SETTLE_ID];
    int64_t received;
    bool good;
};

static int take_twin(void *context, const struct segment_line *line)
{
    struct twin *twin = context;

    twin->good = settle_id(twin->id, line);
    twin->received = twin->good ? filter_received(&line->view) : 0;
    return 1;
}

static struct twin read_twin(const struct fsckids *ids, uint64_t position)
{
    const struct spool *spool = &ids->audit->spool;
    struct twin twin = {.good = false};

    if (segment_scan(spool->log_dir, spool->log_path, position, UINT64_MAX, take_twin, &twin) < 0)
        audit_failed(ids->audit, errno);
    return twin;
}

/* May the second line be there, since the first one was forgotten or had expired? */
static bool may_stand(const struct fsckids *ids, const struct twin *first, uint64_t first_position,
                      const struct twin *second)
{
    const struct audit *audit = ids->audit;
    const int64_t apart = second->received - first->received;

    if (first_position < forgotten_before(audit->forgotten, first->id, strlen(first->id)))
        return true;
    return apart >= audit->spool.config->dedupe_window
        || (apart >= LEAST_WINDOW && dayfile_day(first->received) <= audit->expired);
}

static void check_twins(struct fsckids *ids)
{
    for (size_t i = 1; i < ids->table.count; i++) {
        const struct idtable_item *one = &ids->table.items[i - 1], *two = &ids->table.items[i];
        if (one->hash != two->hash)
            continue;
        const struct twin first = read_twin(ids, one->position);
        const struct twin second = read_twin(ids, two->position);
        if (first.good && second.good && strcmp(first.id, second.id) == 0
            && !may_stand(ids, &first, one->position, &second))
            flaws_add(&ids->audit->flaws,
                      &(struct flaw){.kind = FLAW_DUPLICATE_ID, .id = first.id, .placed = true,
                                     .position = two->position});
    }
}

/* ---- entries without a line */

/* An entry, or what is none. */
static void check_name(struct fsckids *ids, unsigned shard, int dir, const char *name)
{
    struct flaws *flaws = &ids->audit->flaws;
    char file[SHARDS_NAME + 8];
    const char *id = name + (name[0] == '.');
    const size_t len = strlen(id);
    struct stat st;

    snprintf(file, sizeof(file), "locks/%02x/%.200s", shard, name);
    if (!delivery_is_id(id, len) || shards_of(id, len) != shard) {
        flaws_add(flaws, &(struct flaw){.kind = FLAW_STRAY_ENTRY, .file = file});
    } else if (id != name) {
        if (ids->claims >= 0 && lockdir_claimed(ids->claims, id) == 0
            && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            flaws_add(flaws, &(struct flaw){.kind = FLAW_PENDING, .file = file});
    } else if (idtable_find(&ids->table, record_id_hash(id, len)) == NULL && ids->oldest > 0
               && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        const int64_t day = dayfile_day((int64_t)st.st_mtime);
        if (day > ids->oldest && day < ids->newest)
            flaws_add(flaws, &(struct flaw){.kind = FLAW_UNLOGGED, .file = file, .id = id});
    }
}

static void check_shard(struct fsckids *ids, unsigned shard)
{
    struct dirent *entry;
    char name[8];

    snprintf(name, sizeof(name), "%02x", shard);
    const int fd = io_openat(ids->audit->locks, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (stream == NULL) {
        if (errno != ENOENT) /* else it was told of */
            (void)fail(ids, "read directory", name);
        return;
    }
    while (errno = 0, (entry = readdir(stream)) != NULL) {
        const char *id = entry->d_name + (entry->d_name[0] == '.');
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0
            && (idtable_wants(&ids->table, record_id_hash(id, strlen(id)))))
            check_name(ids, shard, dirfd(stream), entry->d_name);
    }
    if (errno != 0)
        (void)fail(ids, "read directory", name);
    closedir(stream);
}

void fsckids_round(struct fsckids *ids)
{
    idtable_sort(&ids->table);
    check_twins(ids);
    for (unsigned shard = 0; shard < SHARDS_COUNT; shard++)
        check_shard(ids, shard);
    ids->first = false;
}

bool fsckids_next(struct fsckids *ids)
{
    return idtable_next(&ids->table);
}
