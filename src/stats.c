/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"

static const char magic[8] = "hookstS1";

struct stats {
    struct stats_page page;
};

/* Written, not merely sized: a hole could not be filled on a full disk (SIGBUS). Magic last. */
static int fill(int fd)
{
    char zeros[4096] = {0};

    for (size_t at = 0; at < sizeof(struct stats); at += sizeof(zeros)) {
        const size_t rest = sizeof(struct stats) - at;
        struct iovec piece = {.iov_base = zeros,
                              .iov_len = rest < sizeof(zeros) ? rest : sizeof(zeros)};
        if (io_pwritev_all(fd, &piece, 1, (off_t)at) < 0)
            return -1;
    }
    struct iovec name = {.iov_base = (char *)magic, .iov_len = sizeof(magic)};
    return io_pwritev_all(fd, &name, 1, 0);
}

/* Makes a new file whole, or one whose maker died. Those who start together take turns. */
static int complete(int fd)
{
    char found[sizeof(magic)] = {0};
    static const char nothing[sizeof(magic)];
    struct stat st;

    while (flock(fd, LOCK_EX) < 0) {
        if (errno != EINTR)
            return -1;
    }
    int result = fstat(fd, &st);
    if (result == 0 && pread(fd, found, sizeof(found), 0) >= 0
        && memcmp(found, nothing, sizeof(found)) == 0)
        result = fill(fd);
    else if (result == 0 && (st.st_size < (off_t)sizeof(struct stats)
                             || memcmp(found, magic, sizeof(magic)) != 0)) {
        errno = EINVAL; /* somebody else's file, or another version's */
        result = -1;
    }
    const int saved = errno;
    (void)flock(fd, LOCK_UN);
    errno = saved;
    return result;
}

struct stats *stats_open(int dir)
{
    const int fd = io_openat(dir, "stats", O_RDWR | O_CREAT | O_NOFOLLOW, 0640);

    if (fd < 0)
        return NULL;
    void *page = MAP_FAILED;
    if (complete(fd) == 0)
        page = mmap(NULL, sizeof(struct stats), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    const int saved = errno;
    close(fd);
    errno = saved;
    return page == MAP_FAILED ? NULL : page;
}

int stats_read(int dir, struct stats_page *page)
{
    const int fd = io_openat(dir, "stats", O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    const ssize_t got = pread(fd, page, sizeof(*page), 0);
    const int saved = errno;
    close(fd);
    errno = saved;
    if (got < 0)
        return -1;
    if (got == (ssize_t)sizeof(*page) && memcmp(page->magic, magic, sizeof(magic)) == 0)
        return 0;
    errno = EINVAL;
    return -1;
}

void stats_close(struct stats *stats)
{
    if (stats != NULL)
        munmap(stats, sizeof(*stats));
}

/* The slot of this minute; whoever meets yesterday's in it empties it. */
static struct stats_minute *this_minute(struct stats *stats, int64_t now)
{
    const uint32_t minute = (uint32_t)(now / 60);
    struct stats_minute *slot = &stats->page.minutes[minute % STATS_MINUTES];
    uint32_t found = atomic_load(&slot->minute);

    if (found != minute && atomic_compare_exchange_strong(&slot->minute, &found, minute)) {
        for (int i = 0; i < STATS_OUTCOMES; i++)
            atomic_store(&slot->count[i], 0);
    }
    return slot;
}

void stats_count(struct stats *stats, enum stats_outcome outcome, int64_t now)
{
    if (stats == NULL)
        return;
    atomic_fetch_add(&stats->page.count[outcome], 1);
    atomic_store(&stats->page.last[outcome], now);
    atomic_fetch_add(&this_minute(stats, now)->count[outcome], 1);
}

/* The slot of a fingerprint, taken if it has none and `take` says so: the longest unused. */
static struct stats_secret *find_secret(struct stats *stats, uint64_t fingerprint, bool take)
{
    struct stats_secret *oldest = &stats->page.secrets[0];

    for (int i = 0; i < STATS_SECRETS; i++) {
        struct stats_secret *slot = &stats->page.secrets[i];
        uint64_t found = atomic_load(&slot->fingerprint);
        if (found == 0 && take
            && atomic_compare_exchange_strong(&slot->fingerprint, &found, fingerprint))
            return slot;
        if (found == fingerprint)
            return slot;
        if (found == 0 && !take)
            return NULL;
        if (atomic_load(&slot->last) < atomic_load(&oldest->last))
            oldest = slot;
    }
    if (!take)
        return NULL;
    atomic_store(&oldest->matches, 0);
    atomic_store(&oldest->fingerprint, fingerprint);
    return oldest;
}

void stats_match(struct stats *stats, uint64_t fingerprint, int64_t now)
{
    struct stats_secret *slot = stats == NULL ? NULL : find_secret(stats, fingerprint, true);

    if (slot == NULL)
        return;
    atomic_fetch_add(&slot->matches, 1);
    atomic_store(&slot->last, now);
}

uint64_t stats_matches(struct stats *stats, uint64_t fingerprint, int64_t *last)
{
    struct stats_secret *slot = stats == NULL ? NULL : find_secret(stats, fingerprint, false);

    *last = slot == NULL ? 0 : atomic_load(&slot->last);
    return slot == NULL ? 0 : atomic_load(&slot->matches);
}

const char *stats_name(enum stats_outcome outcome)
{
    static const char *const names[STATS_OUTCOMES] = {"stored",  "duplicate", "ignored",
                                                      "refused", "forged",    "unavailable"};

    return names[outcome];
}

uint64_t stats_recent(const struct stats_page *page, enum stats_outcome outcome, int64_t now,
                      unsigned minutes)
{
    const int64_t this = now / 60;
    uint64_t count = 0;

    for (unsigned i = 0; i < STATS_MINUTES; i++) {
        const struct stats_minute *slot = &page->minutes[i];
        const int64_t minute = atomic_load(&slot->minute);
        if (minute > this - minutes && minute <= this)
            count += atomic_load(&slot->count[outcome]);
    }
    return count;
}
