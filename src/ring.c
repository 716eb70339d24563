/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "io.h"
#include "log.h"
#include "ringfile.h"

struct ring {
    char *spool, *path; /* of the spool, and of the file */
    const char *name;   /* of the file: in path */
    unsigned slots;
    uint64_t min_free;
    pthread_mutex_t mutex; /* over what follows, and over writing */
    int fd;
    bool settled;               /* the file has been given our number of slots */
    _Atomic int64_t complained; /* when, by io_now(); 0: never */
    _Atomic int64_t hasty;      /* until then nobody waits for another */
};

struct ring *ring_new(const char *spool_path, const char *endpoint, unsigned slots,
                      uint64_t min_free)
{
    struct ring *ring = calloc(1, sizeof(*ring));

    if (ring == NULL)
        return NULL;
    *ring = (struct ring){.slots = slots, .min_free = min_free, .fd = -1};
    pthread_mutex_init(&ring->mutex, NULL);
    ring->spool = strdup(spool_path);
    if (ring->spool == NULL || asprintf(&ring->path, "%s/inspect/%s", spool_path, endpoint) < 0) {
        ring->path = NULL;
        ring_free(ring);
        errno = ENOMEM;
        return NULL;
    }
    ring->name = strrchr(ring->path, '/') + 1;
    return ring;
}

void ring_free(struct ring *ring)
{
    if (ring == NULL)
        return;
    if (ring->fd >= 0)
        close(ring->fd);
    pthread_mutex_destroy(&ring->mutex);
    free(ring->spool);
    free(ring->path);
    free(ring);
}

/* Says what is wrong, now and then: a flood of requests must not become one of messages. */
static int complain(struct ring *ring, const char *operation, const char *why)
{
    const int saved = errno;
    const int64_t now = io_now();
    int64_t last = atomic_load(&ring->complained);

    if ((last == 0 || now - last > RING_SILENCE)
        && atomic_compare_exchange_strong(&ring->complained, &last, now))
        log_warn("cannot %s '%s': %s; requests are not kept for inspect", operation, ring->path,
                 why == NULL ? strerror(saved) : why);
    errno = saved;
    return -1;
}

/* ---- the file */

/* A directory, made if need be, and open; -1. */
static int enter(int parent, const char *name)
{
    if (io_mkdirat(parent, name, 0750) < 0 && errno != EEXIST)
        return -1;
    return io_openat(parent, name, O_RDONLY | O_DIRECTORY, 0);
}

/* A plain CGI program may come here before anything was stored: the spool is made, too. */
static int open_file(struct ring *ring)
{
    struct stat st;

    if (ring->fd >= 0 && fstat(ring->fd, &st) == 0 && st.st_nlink > 0)
        return 0;
    if (ring->fd >= 0)
        close(ring->fd); /* somebody removed it */
    ring->fd = -1;
    const int spool = enter(AT_FDCWD, ring->spool);
    const int dir = spool < 0 ? -1 : enter(spool, "inspect");
    if (dir >= 0)
        ring->fd = io_openat(dir, ring->name, O_RDWR | O_CREAT | O_NOFOLLOW, 0640);
    const int saved = errno;
    if (dir >= 0)
        close(dir);
    if (spool >= 0)
        close(spool);
    errno = saved;
    return ring->fd < 0 ? complain(ring, "open", NULL) : 0;
}

/* Everything that a file holds; what is damaged is left behind. NULL: ENOMEM. */
static struct kept *read_all(int fd, const struct ringfile *file, size_t *count)
{
    uint64_t *numbers = ringfile_list(fd, file, count);
    struct kept *kept = numbers == NULL ? NULL : calloc(*count + 1, sizeof(*kept));
    size_t read = 0;

    for (size_t i = 0; kept != NULL && i < *count; i++)
        read += ringfile_read(fd, file, (unsigned)(numbers[i] % file->slots), &kept[read])
             == RINGFILE_KEPT;
    free(numbers);
    *count = read;
    return kept;
}

/* Past what stands in the slots already: a writer died in between, or the power failed. */
static void catch_up(int fd, struct ringfile *file)
{
    struct kept kept;
    uint64_t number;

    while ((number = ringfile_number(fd, file, file->next)) >= file->next
           && ringfile_read(fd, file, (unsigned)(number % file->slots), &kept) == RINGFILE_KEPT) {
        file->next = kept.head->number + 1;
        kept_release(&kept);
    }
}

/* A file whose header is not there: a new one, or its slots are what is left of it. */
static int begin(struct ring *ring, struct ringfile *file)
{
    size_t count;

    *file = ringfile_layout(ring->slots);
    uint64_t *numbers = ringfile_list(ring->fd, file, &count);
    if (numbers != NULL && count > 0)
        file->next = numbers[0]; /* catch_up() does the rest */
    free(numbers);
    return ringfile_write_header(ring->fd, file) < 0 ? complain(ring, "write", NULL) : 0;
}

/*
 * Gives the file our number of slots, and to what it held its place in them.
 * The newest first, so that a crash in between costs the oldest.
 */
static int change_layout(struct ring *ring, struct ringfile *file)
{
    size_t count;

    struct kept *kept = read_all(ring->fd, file, &count);
    if (kept == NULL)
        return 0; /* out of memory: it stays as it is, then */
    const uint64_t next = file->next;
    *file = ringfile_layout(ring->slots);
    file->next = next;
    int result = io_ftruncate(ring->fd, 0) < 0 ? -1 : ringfile_write_header(ring->fd, file);
    for (size_t i = count; i-- > 0;) {
        const struct kept_head *head = kept[i].head;
        if (result == 0 && head->number + file->slots >= next)
            result = ringfile_write(ring->fd, file, head->number, kept[i].memory,
                                    sizeof(*head) + head->text_len, kept[i].body, head->body_len);
        kept_release(&kept[i]);
    }
    free(kept);
    return result == 0 ? 0 : complain(ring, "write", NULL);
}

/* What the file is like now; another process may have changed it. Under its lock. */
static int look(struct ring *ring, struct ringfile *file)
{
    int result = 0;

    const int found = ringfile_read_header(ring->fd, file);
    if (found < 0)
        return complain(ring, "read", NULL);
    if (found == 0)
        result = begin(ring, file);
    else if (!ring->settled && file->slots != ring->slots)
        result = change_layout(ring, file);
    ring->settled |= result == 0;
    return result;
}

/* ---- keeping */

static int check_room(struct ring *ring, size_t bytes)
{
    struct statvfs fs;

    if (fstatvfs(ring->fd, &fs) < 0)
        return complain(ring, "stat the file system of", NULL);
    if ((uint64_t)fs.f_bavail * fs.f_frsize >= ring->min_free + bytes)
        return 0;
    return complain(ring, "write", "no room, or less than min_free");
}

static int put(struct ring *ring, struct kept_head *note, size_t len, const void *body,
               size_t body_len)
{
    struct ringfile file;

    if (check_room(ring, len + body_len) < 0 || look(ring, &file) < 0)
        return -1;
    catch_up(ring->fd, &file);
    if (ringfile_write(ring->fd, &file, file.next, note, len, body, body_len) < 0)
        return complain(ring, "write", NULL);
    file.next++;
    return ringfile_write_header(ring->fd, &file) < 0 ? complain(ring, "write", NULL) : 0;
}

static void put_locked(struct ring *ring, struct kept_head *note, size_t len, const void *body,
                       size_t body_len)
{
    if (open_file(ring) < 0)
        return;
    if (ringfile_lock(ring->fd, RINGFILE_ALONE, RING_PATIENCE) < 0) {
        (void)complain(ring, "lock", NULL);
        return;
    }
    (void)put(ring, note, len, body, body_len);
    ringfile_unlock(ring->fd);
}

/* Waits for another thread of ours, but not when one has just waited in vain: it is stuck. */
static int take_turn(struct ring *ring)
{
    struct timespec deadline;

    if (io_now() < atomic_load(&ring->hasty))
        return pthread_mutex_trylock(&ring->mutex);
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_nsec += RING_PATIENCE;
    deadline.tv_sec += deadline.tv_nsec / 1000000000;
    deadline.tv_nsec %= 1000000000;
    const int error = pthread_mutex_timedlock(&ring->mutex, &deadline);
    if (error != 0)
        atomic_store(&ring->hasty, io_now() + RING_HASTE);
    return error;
}

void ring_put(struct ring *ring, struct kept_head *note, size_t len, const void *body,
              size_t body_len)
{
    note->sent = body == NULL ? 0 : body_len;
    if (take_turn(ring) != 0) {
        (void)complain(ring, "write", "another request is still being written");
        return;
    }
    put_locked(ring, note, len, body, body_len);
    pthread_mutex_unlock(&ring->mutex);
}
