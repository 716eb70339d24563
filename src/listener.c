/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

enum { BACKLOG = 4096 }; /* the kernel lowers it to net.core.somaxconn */

static int fail(const char *operation, const char *where)
{
    const int saved = errno;

    log_error("cannot %s '%s': %s", operation, where, strerror(saved));
    errno = saved;
    return -1;
}

/* Nobody answers at this address: a dead process has left it. */
static bool is_stale(const struct sockaddr_un *address)
{
    struct stat st;

    if (lstat(address->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    const bool refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0
                         && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

static int bind_unix_fd(int fd, const struct sockaddr_un *address)
{
    const mode_t mask = umask(0117); /* born with mode 0660 */
    int result = bind(fd, (const struct sockaddr *)address, sizeof(*address));

    if (result < 0 && errno == EADDRINUSE) {
        result = is_stale(address) && unlink(address->sun_path) == 0
                     ? bind(fd, (const struct sockaddr *)address, sizeof(*address))
                     : -1;
        if (result < 0)
            errno = EADDRINUSE;
    }
    umask(mask);
    return result;
}

static int bind_unix(struct listener *listener, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;

    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return fail("bind", path);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener->fd < 0 || bind_unix_fd(listener->fd, &address) < 0 || lstat(path, &st) < 0)
        return fail("bind", path);
    listener->path = path;
    listener->device = st.st_dev;
    listener->inode = st.st_ino;
    return 0;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        return ntohl(in->sin_addr.s_addr) >> 24 == 127;
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

/* ADDRESS:PORT or [ADDRESS]:PORT in two strings. */
static bool split(const char *where, char host[64], char port[8])
{
    char end;

    if (sscanf(where, "[%63[0-9a-fA-F:.]]:%7[0-9]%c", host, port, &end) != 2
        && sscanf(where, "%63[0-9.]:%7[0-9]%c", host, port, &end) != 2)
        return false;
    return strtoul(port, NULL, 10) <= 65535; /* getaddrinfo() goes on counting from 0 */
}

static int bind_address(struct listener *listener, const char *where)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    const int on = 1;
    char host[64], port[8];
    struct addrinfo *found = NULL;

    if (!split(where, host, port) || getaddrinfo(host, port, &hints, &found) != 0) {
        log_error("'%s' is no socket: want a path with a '/' in it, or 127.0.0.1:PORT", where);
        errno = EINVAL;
        return -1;
    }
    int result = -1;
    if (!is_loopback(found->ai_addr)) {
        log_error("'%s' is not on the loopback interface: FastCGI has no authentication", where);
        errno = EINVAL;
    } else {
        listener->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (listener->fd >= 0)
            (void)setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        result = listener->fd < 0 || bind(listener->fd, found->ai_addr, found->ai_addrlen) < 0
                     ? fail("bind", where)
                     : 0;
    }
    freeaddrinfo(found);
    return result;
}

int listener_bind(struct listener *listener, const char *where)
{
    *listener = (struct listener){.fd = -1};
    int result = strchr(where, '/') != NULL ? bind_unix(listener, where)
                                            : bind_address(listener, where);
    if (result == 0 && listen(listener->fd, BACKLOG) < 0)
        result = fail("listen on", where);
    if (result < 0) {
        const int saved = errno;
        listener_close(listener);
        errno = saved;
    }
    return result;
}

bool listener_inherited(int fd)
{
    int listening = 0;
    socklen_t len = sizeof(listening);

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening != 0;
}

void listener_withdraw(struct listener *listener)
{
    struct stat st;

    if (listener->path != NULL && lstat(listener->path, &st) == 0
        && st.st_dev == listener->device && st.st_ino == listener->inode)
        (void)unlink(listener->path);
    listener->path = NULL;
}

void listener_close(struct listener *listener)
{
    listener_withdraw(listener);
    if (listener->fd >= 0)
        close(listener->fd);
    *listener = (struct listener){.fd = -1};
}
