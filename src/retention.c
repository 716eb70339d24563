/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "retention.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "age.h"
#include "cursor.h"
#include "io.h"
#include "log.h"
#include "replay.h"
#include "segment.h"

static int fail(const char *operation, const char *path, const char *name)
{
    const int saved = errno;

    log_error("cannot %s '%s/%s': %s", operation, path, name, strerror(saved));
    errno = saved;
    return -1;
}

/* ---- who holds what */

static void hold(struct retention *retention, uint64_t position, const char *what,
                 const char *consumer)
{
    if (position >= retention->hold)
        return;
    retention->hold = position;
    snprintf(retention->holder, sizeof(retention->holder), "%s '%s'", what, consumer);
}

/* Where the consumer is stays so after a power cut. */
static int sync_cursor(const struct consumer *consumer)
{
    const int fd = io_openat(consumer->dir, "cursor", O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0)
        return fail("open", consumer->path, "cursor");
    const int result = io_fdatasync(fd) < 0 ? fail("sync", consumer->path, "cursor") : 0;
    close(fd);
    return result;
}

static int hold_replays(struct retention *retention, const struct consumer *consumer)
{
    struct replay replay = {.number = 0};
    int found;

    while ((found = replay_next(consumer, replay.number, &replay)) > 0) {
        hold(retention, replay.from, "a request to replay events of consumer", consumer->name);
        replay_release(&replay);
    }
    return found;
}

static int hold_cursor(struct retention *retention, const struct consumer *consumer, bool dry)
{
    struct cursor cursor;
    const int found = cursor_read(&cursor, consumer->dir, consumer->path, "cursor");

    if (found < 0)
        return -1;
    hold(retention, found > 0 ? cursor.position : 0, "consumer", consumer->name);
    return found > 0 && !dry ? sync_cursor(consumer) : 0;
}

static int add_consumer(struct retention *retention, const struct config_consumer *config,
                        bool dry)
{
    struct consumer *consumer = &retention->consumers[retention->count];

    if (consumer_open(consumer, retention->spool, config->name, config, false) < 0) {
        if (errno != ENOENT)
            return -1;
        hold(retention, 0, "consumer", config->name); /* it was never drained */
        return 0;
    }
    retention->count++;
    if (faccessat(consumer->dir, "cursor", F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) {
        hold(retention, 0, "consumer", config->name); /* nor was it; its lock may not be there */
        return 0;
    }
    if (!dry && consumer_enter(consumer) < 0)
        return -1;
    return hold_cursor(retention, consumer, dry) < 0 || hold_replays(retention, consumer) < 0 ? -1
                                                                                             : 0;
}

int retention_open(struct retention *retention, const struct config *config,
                   const struct spool *spool, bool dry)
{
    *retention = (struct retention){.spool = spool, .hold = UINT64_MAX};
    retention->consumers = calloc(config->consumer_count + 1, sizeof(*retention->consumers));
    if (retention->consumers == NULL)
        return fail("look at", spool->path, "consumers");
    for (size_t i = 0; i < config->consumer_count; i++) {
        if (config->consumers[i].spool_config == spool->config
            && add_consumer(retention, &config->consumers[i], dry) < 0) {
            retention_close(retention);
            return -1;
        }
    }
    return 0;
}

void retention_close(struct retention *retention)
{
    for (size_t i = 0; i < retention->count; i++)
        consumer_close(&retention->consumers[i]); /* which lets its lock go */
    const int saved = errno;
    free(retention->consumers);
    errno = saved;
    retention->consumers = NULL;
    retention->count = 0;
}

/* ---- what may go */

/* Is all of the segment older than `keep`? 1, 0, -1; its file's size is added to *bytes if so. */
static int is_old(const struct spool *spool, uint64_t start, uint64_t end, int64_t now,
                  uint64_t *bytes)
{
    char name[SEGMENT_NAME_SIZE];
    struct stat st;
    int64_t newest;

    segment_name(name, start);
    if (fstatat(spool->log_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail("stat", spool->log_path, name);
    const int found = age_newest(spool->log_dir, spool->log_path, start, end, &newest);
    if (found < 0)
        return -1;
    if (found == 0) /* nothing in it proves itself: when it was written to last */
        newest = (int64_t)st.st_mtime;
    if (newest > now - spool->config->keep)
        return 0;
    *bytes += (uint64_t)st.st_size;
    return 1;
}

int retention_plan(const struct retention *retention, uint64_t settled, int64_t now,
                   struct retention_plan *plan)
{
    const struct spool *spool = retention->spool;
    struct segment_list list;
    int old = 1;

    if (segment_list_read(&list, spool->log_dir, spool->log_path) < 0)
        return -1;
    *plan = (struct retention_plan){.begin = list.count > 0 ? list.starts[0] : 0,
                                    .reason = RETENTION_ACTIVE};
    for (size_t i = 0; i + 1 < list.count && old > 0; i++) {
        const uint64_t next = list.starts[i + 1];
        if (next > settled || next > retention->hold) {
            plan->reason = next > settled ? RETENTION_UNSETTLED : RETENTION_HELD;
            break;
        }
        old = now == INT64_MIN ? 0 : is_old(spool, list.starts[i], next, now, &plan->bytes);
        if (old == 0)
            plan->reason = RETENTION_YOUNG;
        if (old > 0) {
            plan->segments++;
            plan->begin = next;
        }
    }
    const int saved = errno;
    segment_list_release(&list);
    errno = saved;
    return old < 0 ? -1 : 0;
}

int retention_carry_out(const struct retention *retention, const struct retention_plan *plan,
                        struct throttle *throttle)
{
    const struct spool *spool = retention->spool;
    struct segment_list list;
    int result = 0;

    if (segment_list_read(&list, spool->log_dir, spool->log_path) < 0)
        return -1;
    for (size_t i = 0; i < list.count && list.starts[i] < plan->begin && result == 0; i++) {
        char name[SEGMENT_NAME_SIZE];
        segment_name(name, list.starts[i]);
        if (io_unlinkat(spool->log_dir, name) < 0)
            result = fail("remove", spool->log_path, name);
        else if (io_fsync(spool->log_dir) < 0) /* so that no gap comes of a power cut */
            result = fail("sync", spool->log_path, ".");
        throttle_step(throttle);
    }
    const int saved = errno;
    segment_list_release(&list);
    errno = saved;
    return result;
}
