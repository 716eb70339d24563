/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "crypto.h"
#include "log.h"
#include "status.h"

enum { FIRST_ROOM = 16 * 1024 };

/* Not realloc(): the old room may hold a secret, and is wiped. */
static int grow(char **bytes, size_t *room, size_t len)
{
    char *larger = malloc(2 * *room);

    if (larger == NULL)
        return -1;
    memcpy(larger, *bytes, len);
    crypto_wipe(*bytes, *room);
    free(*bytes);
    *bytes = larger;
    *room *= 2;
    return 0;
}

static int read_all(int fd, const char *name, size_t max, char **bytes, size_t *len)
{
    size_t room = FIRST_ROOM;
    ssize_t n = 1;

    *len = 0;
    *bytes = malloc(room);
    while (*bytes != NULL && n > 0 && *len <= max) {
        if (*len + 1 >= room && grow(bytes, &room, *len) < 0)
            break;
        while ((n = read(fd, *bytes + *len, room - 1 - *len)) < 0 && errno == EINTR)
            continue;
        if (n > 0)
            *len += (size_t)n;
    }
    if (*len > max) {
        log_error("%s holds more than %zu bytes", name, max);
    } else if (*bytes != NULL && n == 0) {
        (*bytes)[*len] = '\0';
        return EX_OK;
    } else {
        log_error("cannot read %s: %s", name, strerror(errno));
    }
    const int status = *len > max ? EX_DATAERR : status_of_file(errno);
    if (*bytes != NULL)
        crypto_wipe(*bytes, room);
    free(*bytes);
    *bytes = NULL;
    *len = 0;
    return status;
}

int input_read(const char *path, size_t max, char **bytes, size_t *len)
{
    *bytes = NULL;
    *len = 0;
    if (path == NULL || strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, "standard input", max, bytes, len);

    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        log_error("cannot open '%s': %s", path, strerror(errno));
        return status_of_file(errno);
    }
    char name[256];
    (void)snprintf(name, sizeof(name), "'%s'", path);
    const int status = read_all(fd, name, max, bytes, len);
    close(fd);
    return status;
}
