/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "cgi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "log.h"
#include "receive.h"
#include "request.h"

/* How much of a refused body is read and thrown away, and for how long. */
#define DRAIN_BYTES (256 * 1024 * 1024)
#define DRAIN_NANOSECONDS ((int64_t)10 * 1000000000)

extern char **environ;

static ssize_t read_stdin(struct request *request, void *buffer, size_t len)
{
    ssize_t got;

    (void)request;
    do
        got = read(STDIN_FILENO, buffer, len);
    while (got < 0 && errno == EINTR);
    return got;
}

static void respond(struct request *request, const char *text, size_t len)
{
    (void)request;
    while (len > 0) {
        const ssize_t written = write(STDOUT_FILENO, text, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            log_warn("cannot write the answer: %s", strerror(errno)); /* the retry is a duplicate */
            break;
        }
        text += written;
        len -= (size_t)written;
    }
    /* Closed, yet the number stays taken: a file opened later must not become standard output. */
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0) {
        (void)dup2(null, STDOUT_FILENO);
        close(null);
    }
}

/*
 * Under Apache's mod_cgid standard input and output are one socket: were it
 * closed with bytes unread, it would be reset, and a refusal lost with it.
 */
static void drain_stdin(void)
{
    const int64_t deadline = io_now() + DRAIN_NANOSECONDS;
    char buffer[64 * 1024];
    size_t drained = 0;

    while (drained < DRAIN_BYTES && io_now() < deadline) {
        const ssize_t got = read(STDIN_FILENO, buffer, sizeof(buffer));
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
        drained += got > 0 ? (size_t)got : 0;
    }
}

bool cgi_is_request(void)
{
    return getenv("REQUEST_METHOD") != NULL;
}

void cgi_serve(struct service_slot *slot)
{
    struct request request = {.env = environ, .reads_to_end = false, .read = read_stdin,
                              .respond = respond};

    receive(slot, &request);
    drain_stdin();
}
