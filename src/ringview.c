/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "ringview.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io.h"
#include "log.h"

enum {
    TRIES = 5,                         /* for a slot that is just being written */
    PAUSE = 200 * 1000,                /* nanoseconds between them */
    PATIENCE = 1000 * 1000 * 1000      /* for the lock */
};

static int fail(const char *operation, const char *path)
{
    const int saved = errno;

    log_error("cannot %s '%s': %s", operation, path, strerror(saved));
    errno = saved;
    return -1;
}

/* Opens the file, unless it is open or not there yet. */
static int open_file(struct ringview *view)
{
    if (view->fd >= 0)
        return 0;
    view->fd = io_openat(AT_FDCWD, view->path, O_RDONLY | O_NOFOLLOW, 0);
    return view->fd < 0 && errno != ENOENT ? fail("open", view->path) : 0;
}

int ringview_open(struct ringview *view, const struct config *config,
                  const struct config_endpoint *endpoint)
{
    *view = (struct ringview){.endpoint = endpoint, .fd = -1};
    if (asprintf(&view->directory, "%s/%s/inspect", config->spool_dir, endpoint->spool) < 0)
        view->directory = NULL;
    else if (asprintf(&view->path, "%s/%s", view->directory, endpoint->name) < 0)
        view->path = NULL;
    if (view->path == NULL) {
        errno = ENOMEM;
        return fail("open the requests of", endpoint->name);
    }
    return open_file(view);
}

void ringview_close(struct ringview *view)
{
    if (view->fd >= 0)
        close(view->fd);
    free(view->directory);
    free(view->path);
    *view = RINGVIEW_CLOSED;
}

/* Where the header is not to be read, it is what the configuration says it ought to be. */
static int read_header(struct ringview *view)
{
    const int found = ringfile_read_header(view->fd, &view->file);

    if (found == 0)
        view->file = ringfile_layout(view->endpoint->inspect > 0 ? view->endpoint->inspect : 1);
    return found < 0 ? fail("read", view->path) : 0;
}

uint64_t *ringview_numbers(struct ringview *view, size_t *count)
{
    uint64_t *numbers;

    *count = 0;
    if (open_file(view) < 0)
        return NULL;
    if (view->fd < 0) {
        numbers = calloc(1, sizeof(*numbers));
    } else {
        /* Its layout may just be changed. A writer that is stuck keeps nobody from looking. */
        const bool locked = ringfile_lock(view->fd, RINGFILE_SHARED, PATIENCE) == 0;
        numbers = read_header(view) < 0 ? NULL : ringfile_list(view->fd, &view->file, count);
        if (locked)
            ringfile_unlock(view->fd);
    }
    if (numbers == NULL)
        (void)fail("list", view->path);
    return numbers;
}

int ringview_read(struct ringview *view, uint64_t number, struct kept *kept)
{
    const struct timespec pause = {.tv_nsec = PAUSE};
    enum ringfile_slot found = RINGFILE_DAMAGED;

    for (int i = 0; i < TRIES && found == RINGFILE_DAMAGED; i++) {
        if (i > 0)
            nanosleep(&pause, NULL);
        found = ringfile_read(view->fd, &view->file, (unsigned)(number % view->file.slots), kept);
    }
    if (found == RINGFILE_FAILED)
        return fail("read", view->path);
    if (found != RINGFILE_KEPT)
        return 0;
    if (kept->head->number == number)
        return 1;
    kept_release(kept);
    return 0;
}

int ringview_clear(struct ringview *view)
{
    if (view->fd < 0)
        return 0;
    const int fd = io_openat(AT_FDCWD, view->path, O_RDWR | O_NOFOLLOW, 0);
    if (fd < 0)
        return fail("open", view->path);
    int result = ringfile_lock(fd, RINGFILE_ALONE, PATIENCE) < 0 ? fail("lock", view->path) : 0;
    /* Not removed: those who write to it have it open. */
    if (result == 0 && io_ftruncate(fd, 0) < 0)
        result = fail("empty", view->path);
    const int saved = errno;
    close(fd);
    errno = saved;
    return result;
}
