/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "dayfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io.h"
#include "log.h"
#include "when.h"

enum { FILES = 20000 /* a day's files looked through for one with links left: 10^9 ids */ };

static int fail(const struct dayfiles *days, const char *operation, const char *name)
{
    const int saved = errno;

    log_error("cannot %s '%s/%s': %s", operation, days->path, name, strerror(saved));
    errno = saved;
    return -1;
}

int64_t dayfile_day(int64_t seconds)
{
    const int64_t day = seconds / DAYFILE_SECONDS;

    return seconds % DAYFILE_SECONDS < 0 ? day - 1 : day;
}

void dayfile_date(char date[DAYFILE_DATE], int64_t day)
{
    char stamp[WHEN_SIZE];

    when_stamp(stamp, day * DAYFILE_SECONDS);
    memcpy(date, stamp, DAYFILE_DATE - 1);
    date[DAYFILE_DATE - 1] = '\0';
}

bool dayfile_parse(const char *name, int64_t *day)
{
    char stamp[WHEN_SIZE];
    int64_t seconds;
    long nanoseconds;

    if (strlen(name) < DAYFILE_DATE - 1)
        return false;
    const int len = snprintf(stamp, sizeof(stamp), "%.*sT00:00:00Z", DAYFILE_DATE - 1, name);
    if (!when_parse_stamp(stamp, (size_t)len, &seconds, &nanoseconds))
        return false;
    const char *rest = name + DAYFILE_DATE - 1;
    if (rest[0] != '\0' && (rest[0] != '.' || rest[1] < '1' || rest[1] > '9' || strlen(rest) > 10
                            || strspn(rest + 1, "0123456789") != strlen(rest + 1)))
        return false;
    *day = dayfile_day(seconds);
    return true;
}

void dayfiles_open(struct dayfiles *days, int dir, const char *path)
{
    *days = (struct dayfiles){.dir = dir, .path = path};
    pthread_mutex_init(&days->mutex, NULL);
}

void dayfiles_close(struct dayfiles *days)
{
    pthread_mutex_destroy(&days->mutex);
}

/* Creates the file of the day, or its next one when those before have no links left. */
static int begin_file(struct dayfiles *days, int64_t day, const struct dayfile *used)
{
    struct dayfile file = {.day = day, .serial = used->day == day ? used->serial + 1 : 0};
    char date[DAYFILE_DATE];

    dayfile_date(date, day);
    const int len = snprintf(file.name, sizeof(file.name), "days/%s", date);
    if (file.serial > 0)
        snprintf(file.name + len, sizeof(file.name) - (size_t)len, ".%u", file.serial);

    int result = 0;
    pthread_mutex_lock(&days->mutex);
    if (strcmp(days->used.name, used->name) == 0) { /* else another thread has been here */
        const int fd = io_openat(days->dir, file.name, O_WRONLY | O_CREAT | O_NOFOLLOW, 0640);
        if (fd < 0)
            result = fail(days, "create", file.name);
        else
            days->used = file;
        if (fd >= 0)
            close(fd);
    }
    pthread_mutex_unlock(&days->mutex);
    return result;
}

int dayfiles_link(struct dayfiles *days, const char *name, int64_t least)
{
    for (unsigned tries = 0; tries < FILES; tries++) {
        const int64_t today = dayfile_day((int64_t)time(NULL));
        const int64_t day = today > least ? today : least;
        pthread_mutex_lock(&days->mutex);
        const struct dayfile used = days->used;
        pthread_mutex_unlock(&days->mutex);
        if (used.day == day && used.name[0] != '\0') {
            if (io_linkat(days->dir, used.name, name) == 0)
                return 0;
            const bool gone = errno == ENOENT && faccessat(days->dir, used.name, F_OK, 0) < 0;
            if (errno != EMLINK && !gone)
                return errno == EEXIST ? -1 : fail(days, "create", name);
        }
        if (begin_file(days, day, &used) < 0)
            return -1;
    }
    errno = EMLINK;
    return fail(days, "create", name);
}
