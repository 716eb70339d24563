/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "check_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sysexits.h>
#include <unistd.h>

#include "filesystem.h"
#include "out.h"
#include "sample.h"

enum {
    INODES_RESERVED = 64, /* as store.c has it */
    INODES_FEW = 1000,
    DAYS_FEW = 3,
    DAY = 24 * 60 * 60
};

/* The spool, or where it will be. */
static const char *existing(const struct check *check, const struct config_spool *spool,
                            char path[PATH_MAX])
{
    (void)check_spool_path(check, spool, path);
    return access(path, F_OK) == 0 ? path : check->config->spool_dir;
}

/* ---- what it is */

static bool find_mount(const char *path, struct filesystem_mount *mount)
{
    char real[PATH_MAX];
    FILE *mountinfo = fopen("/proc/self/mountinfo", "re");
    bool found = false;

    memset(mount, 0, sizeof(*mount));
    if (mountinfo == NULL)
        return false;
    if (realpath(path, real) != NULL)
        found = filesystem_find(mountinfo, real, mount) > 0;
    fclose(mountinfo);
    return found;
}

static void tell_kind(struct check *check, const char *what, const char *path,
                      const struct filesystem_kind *kind, const char *type)
{
    switch (kind->verdict) {
    case FILESYSTEM_GOOD:
        finding_ok(check->findings, what, "'%s' is on %s", path, type);
        return;
    case FILESYSTEM_REFUSED:
        finding_fail(check->findings, EX_CONFIG, what, "'%s' is on %s, %s", path, type,
                     kind->reason);
        break;
    case FILESYSTEM_DOUBTFUL:
        finding_warn(check->findings, what, "'%s' is on %s, %s", path, type, kind->reason);
        break;
    case FILESYSTEM_UNKNOWN:
        finding_warn(check->findings, what, "'%s' is on %s, which is not known here", path, type);
        break;
    }
    finding_advise(check->findings, "move it to a local disk with ext4, xfs, btrfs or zfs, and "
                   "set spool_dir in '%s'", check->config->file);
}

static void tell_options(struct check *check, const char *what,
                         const struct filesystem_mount *mount)
{
    const char *option, *reason;

    switch (filesystem_options(mount->options, &option, &reason)) {
    case FILESYSTEM_REFUSED:
        finding_fail(check->findings, EX_CONFIG, what, "'%s' is mounted with %s: %s",
                     mount->point, option, reason);
        finding_advise(check->findings, "see why with dmesg, then: mount -o remount,rw '%s'",
                       mount->point);
        break;
    case FILESYSTEM_DOUBTFUL:
        finding_warn(check->findings, what, "'%s' is mounted with %s: %s", mount->point, option,
                     reason);
        finding_advise(check->findings, "mount -o remount,barrier=1 '%s', and take %s out of "
                       "/etc/fstab", mount->point, option);
        break;
    default:
        if (option != NULL)
            finding_ok(check->findings, what, "'%s' is mounted with %s: %s", mount->point, option,
                       reason);
        break;
    }
}

/* ---- locks, tried on a file without a name: nobody sees it, and it is gone when closed */

/* Does a lock of one descriptor keep the other one out, and let go when released? */
static bool flock_holds(int one, int other)
{
    return flock(one, LOCK_EX | LOCK_NB) == 0 && flock(other, LOCK_EX | LOCK_NB) < 0
        && errno == EWOULDBLOCK && flock(one, LOCK_UN) == 0
        && flock(other, LOCK_EX | LOCK_NB) == 0;
}

static bool ofd_holds(int one, int other)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 7, .l_len = 1};

    if (fcntl(one, F_OFD_SETLK, &lock) < 0)
        return false;
    lock.l_pid = 0;
    if (fcntl(other, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES))
        return false;
    lock.l_start = 8; /* the byte beside it is free */
    return fcntl(other, F_OFD_SETLK, &lock) == 0;
}

static void try_locks(struct check *check, const char *what, const char *path)
{
    char again[64];
    const int one = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    snprintf(again, sizeof(again), "/proc/self/fd/%d", one);
    const int other = one < 0 ? -1 : open(again, O_RDWR | O_CLOEXEC);
    if (other >= 0 && flock_holds(one, other) && ofd_holds(one, other)) {
        finding_ok(check->findings, what, "locks hold there: flock and open file descriptions");
    } else if (other >= 0) {
        finding_fail(check->findings, EX_CONFIG, what, "locks do not hold on '%s'", path);
        finding_advise(check->findings, "move it to a local disk with ext4, xfs, btrfs or zfs");
    } /* else not allowed, or no such files: nothing is said */
    if (other >= 0)
        close(other);
    if (one >= 0)
        close(one);
}

/* Spools on one file system are told of once. */
static bool is_told(const struct check *check, size_t which)
{
    char path[PATH_MAX];
    struct stat one, other;

    if (stat(existing(check, &check->config->spools[which], path), &one) < 0)
        return false;
    for (size_t i = 0; i < which; i++) {
        if (stat(existing(check, &check->config->spools[i], path), &other) == 0
            && one.st_dev == other.st_dev)
            return true;
    }
    return false;
}

void check_filesystem(struct check *check)
{
    static const char what[] = "file system";
    struct filesystem_mount mount;
    char buffer[PATH_MAX];
    struct statfs fs;

    for (size_t i = 0; i < check->config->spool_count; i++) {
        const char *path = existing(check, &check->config->spools[i], buffer);
        if (is_told(check, i))
            continue;
        if (statfs(path, &fs) < 0) {
            if (errno != ENOENT) /* said with the files */
                check_unseen(check, what, path);
            continue;
        }
        const bool found = find_mount(path, &mount);
        const struct filesystem_kind *kind =
            filesystem_kind(found ? mount.type : NULL, (uint64_t)(uint32_t)fs.f_type);
        tell_kind(check, what, path, kind, found ? mount.type : kind->name);
        if (found)
            tell_options(check, what, &mount);
        if (kind->verdict != FILESYSTEM_REFUSED)
            try_locks(check, what, path);
    }
}

/* ---- how full it is */

/* Bytes that a day brings, 0: not known. */
static double bytes_a_day(const struct sample *sample)
{
    if (!sample->counted || sample->lines == 0)
        return 0;
    return (double)sample->bytes / (double)sample->lines * (double)sample->day;
}

/* Is there room for what `keep` asks for, once it is in full swing? */
static void tell_retention(struct check *check, const char *what,
                           const struct config_spool *spool, const struct sample *sample,
                           double a_day, double room)
{
    char need[OUT_SIZE], have[OUT_SIZE], keep[CHECK_DURATION];
    const double wanted = a_day * (double)spool->keep / DAY;
    const double there = room + (double)sample->log_bytes;

    if (a_day <= 0 || wanted <= there)
        return;
    finding_warn(check->findings, what, "at this rate keep = %s takes %s, and there is room for %s",
                 check_duration(keep, spool->keep), out_bytes(need, (uint64_t)wanted),
                 out_bytes(have, (uint64_t)there));
    finding_advise(check->findings, "set keep to %.0fd or less in [spool %s], or enlarge the disk",
                   there / a_day > 1 ? there / a_day * 0.9 : 1, spool->name);
}

static void tell_space(struct check *check, const char *what, const struct config_spool *spool,
                       const struct sample *sample, uint64_t free_bytes)
{
    char free_text[OUT_SIZE], least[OUT_SIZE], rate[OUT_SIZE];
    const double a_day = bytes_a_day(sample);
    const double room =
        free_bytes > spool->min_free ? (double)(free_bytes - spool->min_free) : 0;

    (void)out_bytes(free_text, free_bytes);
    (void)out_bytes(least, spool->min_free);
    if (free_bytes <= spool->min_free) {
        finding_fail(check->findings, EX_TEMPFAIL, what, "%s free, and min_free is %s: every event "
                     "is refused with 503", free_text, least);
        finding_advise(check->findings, "make room: hookspool purge --spool %s; or lower min_free "
                       "in [spool %s]", spool->name, spool->name);
        return;
    }
    if (a_day > 0 && room / a_day < DAYS_FEW) {
        finding_warn(check->findings, what, "%s free above min_free (%s) lasts %.1f days at %s a "
                     "day", out_bytes(free_text, (uint64_t)room), least, room / a_day,
                     out_bytes(rate, (uint64_t)a_day));
        finding_advise(check->findings, "make room: hookspool purge --spool %s; lower keep, or "
                       "enlarge the disk", spool->name);
    } else if (room < (double)spool->min_free / 4) {
        finding_warn(check->findings, what, "%s free, not much above min_free (%s)", free_text,
                     least);
        finding_advise(check->findings, "make room: hookspool purge --spool %s", spool->name);
    } else if (a_day > 0) {
        finding_ok(check->findings, what, "%s free, min_free %s; %" PRIu64 " events, %s a day: "
                   "lasts %.0f days", free_text, least, sample->day,
                   out_bytes(rate, (uint64_t)a_day), room / a_day);
    } else {
        finding_ok(check->findings, what, "%s free, min_free %s", free_text, least);
    }
    tell_retention(check, what, spool, sample, a_day, room);
}

static void tell_inodes(struct check *check, const char *what, const char *path,
                        const struct statvfs *fs)
{
    if (fs->f_files == 0) /* has no limit */
        return;
    if (fs->f_favail < INODES_RESERVED) {
        finding_fail(check->findings, EX_TEMPFAIL, what, "%" PRIu64 " inodes free, and %d are kept "
                     "back: every event is refused with 503", (uint64_t)fs->f_favail,
                     INODES_RESERVED);
    } else if (fs->f_favail < INODES_FEW) {
        finding_warn(check->findings, what, "%" PRIu64 " inodes free", (uint64_t)fs->f_favail);
    } else {
        finding_ok(check->findings, what, "%" PRIu64 " inodes free", (uint64_t)fs->f_favail);
        return;
    }
    finding_advise(check->findings, "find what uses them up: du --inodes -x -d 2 \"$(stat -c %%m "
                   "'%s')\" | sort -n | tail", path);
}

void check_space(struct check *check)
{
    char buffer[PATH_MAX], what[FINDING_WHAT];
    struct sample sample;
    struct statvfs fs;

    for (size_t i = 0; i < check->config->spool_count; i++) {
        const struct config_spool *spool = &check->config->spools[i];
        const char *path = existing(check, spool, buffer);
        snprintf(what, sizeof(what), "room of spool %s", spool->name);
        if (statvfs(path, &fs) < 0) {
            if (errno != ENOENT)
                check_unseen(check, what, path);
            continue;
        }
        if (path != buffer || sample_take(&sample, path, check->now) < 0)
            sample = (struct sample){.lines = 0};
        tell_space(check, what, spool, &sample, (uint64_t)fs.f_bavail * fs.f_frsize);
        if (!is_told(check, i))
            tell_inodes(check, "inodes", path, &fs);
    }
}
