/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "fcgiclient.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "io.h"

enum { PROTOCOL = 1, HEAD = 8, REQUEST = 1, RESPONDER = 1 };
enum { BEGIN_REQUEST = 1, END_REQUEST = 3, PARAMS = 4, STDIN = 5, STDOUT = 6, STDERR = 7 };
enum { PARAMS_MAX = 4096, RECORD_MAX = HEAD + 65535 + 255, ANSWER_MAX = 1024 * 1024 };

/* ---- waiting */

/* Milliseconds that are left, at least 1; 0: none. */
static int left(int64_t deadline)
{
    const int64_t ns = deadline - io_now();

    if (ns <= 0)
        return 0;
    return ns > INT64_C(3600000) * 1000000 ? 3600000 : (int)(ns / 1000000) + 1;
}

/* 1: ready; 0: the deadline came; -1. */
static int await(int fd, short events, int64_t deadline)
{
    struct pollfd one = {.fd = fd, .events = events};

    for (;;) {
        const int ms = left(deadline);
        if (ms == 0)
            return 0;
        const int n = poll(&one, 1, ms);
        if (n > 0 || (n < 0 && errno != EINTR))
            return n;
    }
}

/* ---- connecting */

static int finish_connect(int fd, int64_t deadline)
{
    int error = 0;
    socklen_t len = sizeof(error);

    const int ready = await(fd, POLLOUT, deadline);
    if (ready == 0)
        errno = ETIMEDOUT;
    if (ready <= 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return -1;
    errno = error;
    return error == 0 ? 0 : -1;
}

/* A unix socket whose queue is full says EAGAIN and cannot be waited for: asked again till then. */
static int connect_to(int fd, const struct sockaddr *address, socklen_t len, int64_t deadline)
{
    for (;;) {
        if (connect(fd, address, len) == 0)
            return 0;
        if (errno == EINPROGRESS || errno == EINTR)
            return finish_connect(fd, deadline);
        if (errno != EAGAIN || left(deadline) == 0)
            return -1;
        const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
        nanosleep(&pause, NULL);
    }
}

static int open_unix(const char *path, int64_t deadline)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (connect_to(fd, (const struct sockaddr *)&address, sizeof(address), deadline) == 0)
        return fd;
    const int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int open_address(const char *where, int64_t deadline)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    char host[64], port[8], end;
    struct addrinfo *found = NULL;

    if ((sscanf(where, "[%63[0-9a-fA-F:.]]:%7[0-9]%c", host, port, &end) != 2
         && sscanf(where, "%63[0-9.]:%7[0-9]%c", host, port, &end) != 2)
        || getaddrinfo(host, port, &hints, &found) != 0) {
        errno = EINVAL;
        return -1;
    }
    const int fd =
        socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = fd < 0 ? -1 : connect_to(fd, found->ai_addr, found->ai_addrlen, deadline);
    const int saved = errno;
    freeaddrinfo(found);
    if (result < 0 && fd >= 0)
        close(fd);
    errno = saved;
    return result < 0 ? -1 : fd;
}

/* ---- the request */

struct message {
    unsigned char bytes[PARAMS_MAX + 8 * HEAD];
    size_t len;
};

static void put_head(struct message *message, int type, size_t len)
{
    const unsigned char head[HEAD] = {PROTOCOL, (unsigned char)type, 0, REQUEST,
                                      (unsigned char)(len >> 8), (unsigned char)len, 0, 0};

    memcpy(message->bytes + message->len, head, sizeof(head));
    message->len += sizeof(head);
}

static size_t put_length(unsigned char *out, size_t len)
{
    if (len < 128) {
        out[0] = (unsigned char)len;
        return 1;
    }
    out[0] = (unsigned char)(len >> 24 | 0x80);
    out[1] = (unsigned char)(len >> 16);
    out[2] = (unsigned char)(len >> 8);
    out[3] = (unsigned char)len;
    return 4;
}

/* All in one: begin, variables, and an empty body. -1: more than one record holds (EINVAL). */
static int make_request(struct message *message, const char *const *params)
{
    static const unsigned char begin[8] = {0, RESPONDER}; /* no flags: close it afterwards */
    unsigned char pairs[PARAMS_MAX];
    size_t len = 0;

    for (; params[0] != NULL; params += 2) {
        const size_t name = strlen(params[0]), value = strlen(params[1]);
        if (name + value + 8 > sizeof(pairs) - len) {
            errno = EINVAL;
            return -1;
        }
        len += put_length(pairs + len, name);
        len += put_length(pairs + len, value);
        memcpy(pairs + len, params[0], name);
        memcpy(pairs + len + name, params[1], value);
        len += name + value;
    }
    message->len = 0;
    put_head(message, BEGIN_REQUEST, sizeof(begin));
    memcpy(message->bytes + message->len, begin, sizeof(begin));
    message->len += sizeof(begin);
    put_head(message, PARAMS, len);
    memcpy(message->bytes + message->len, pairs, len);
    message->len += len;
    put_head(message, PARAMS, 0);
    put_head(message, STDIN, 0);
    return 0;
}

static enum fcgiclient_result send_all(int fd, const struct message *message, int64_t deadline)
{
    for (size_t at = 0; at < message->len;) {
        const ssize_t n = send(fd, message->bytes + at, message->len - at, MSG_NOSIGNAL);
        if (n >= 0)
            at += (size_t)n;
        else if (errno == EPIPE || errno == ECONNRESET)
            return FCGICLIENT_CLOSED;
        else if (errno != EAGAIN && errno != EINTR)
            return FCGICLIENT_FAILED;
        else if (await(fd, POLLOUT, deadline) == 0)
            return FCGICLIENT_SILENT;
    }
    return FCGICLIENT_ANSWERED;
}

/* ---- the answer */

struct stream {
    unsigned char bytes[RECORD_MAX];
    size_t len;   /* not taken yet */
    size_t total; /* so far */
};

static void keep(struct fcgiclient_answer *answer, const unsigned char *bytes, size_t len)
{
    const size_t room = sizeof(answer->text) - 1 - answer->len;

    if (len > room)
        len = room;
    memcpy(answer->text + answer->len, bytes, len);
    answer->len += len;
    answer->text[answer->len] = '\0';
}

/* Takes whole records: true when the end has come, or a fault, as *result. */
static bool take_records(struct stream *stream, struct fcgiclient_answer *answer,
                         enum fcgiclient_result *result)
{
    size_t at = 0;
    bool ended = false;

    while (!ended && stream->len - at >= HEAD) {
        const unsigned char *head = stream->bytes + at;
        const size_t content = (size_t)head[4] << 8 | head[5];
        const int type = head[1], request = head[2] << 8 | head[3];
        if (head[0] != PROTOCOL || request != REQUEST
            || (type != STDOUT && type != STDERR && type != END_REQUEST)
            || (type == END_REQUEST && content < 8)) {
            *result = FCGICLIENT_FOREIGN;
            return true;
        }
        if (stream->len - at < HEAD + content + head[6])
            break;
        if (type == STDOUT)
            keep(answer, head + HEAD, content);
        ended = type == END_REQUEST;
        if (ended)
            *result = head[HEAD + 4] != 0 ? FCGICLIENT_REFUSED : FCGICLIENT_ANSWERED;
        at += HEAD + content + head[6];
    }
    memmove(stream->bytes, stream->bytes + at, stream->len - at);
    stream->len -= at;
    return ended;
}

static enum fcgiclient_result receive(int fd, int64_t deadline, struct stream *stream,
                                      struct fcgiclient_answer *answer)
{
    enum fcgiclient_result result;

    while (!take_records(stream, answer, &result)) {
        if (stream->total >= ANSWER_MAX)
            return FCGICLIENT_FOREIGN;
        if (await(fd, POLLIN, deadline) == 0)
            return FCGICLIENT_SILENT;
        const ssize_t n = recv(fd, stream->bytes + stream->len,
                               sizeof(stream->bytes) - stream->len, 0);
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return stream->len > 0 ? FCGICLIENT_FOREIGN : FCGICLIENT_CLOSED;
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return FCGICLIENT_FAILED;
        if (n > 0) {
            stream->len += (size_t)n;
            stream->total += (size_t)n;
        }
    }
    return result;
}

/* ---- what it says */

int fcgiclient_header(const struct fcgiclient_answer *answer, const char *name,
                      const char **value)
{
    const size_t len = strlen(name);

    for (const char *line = answer->text; line < answer->body;) {
        const size_t end = strcspn(line, "\r\n");
        if (end == 0)
            break;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            *value = line + len + 1 + strspn(line + len + 1, " \t");
            return *value > line + end ? 0 : (int)(line + end - *value);
        }
        line += end;
        line += line[0] == '\r';
        line += line[0] == '\n';
    }
    return -1;
}

static void read_head(struct fcgiclient_answer *answer)
{
    const char *crlf = strstr(answer->text, "\r\n\r\n"), *lf = strstr(answer->text, "\n\n");
    const char *value;

    answer->body = answer->text + answer->len;
    if (crlf != NULL && (lf == NULL || crlf < lf))
        answer->body = crlf + 4;
    else if (lf != NULL)
        answer->body = lf + 2;
    if (fcgiclient_header(answer, "Status", &value) >= 3 && strspn(value, "0123456789") == 3)
        answer->status = atoi(value);
    else if (answer->body != answer->text + answer->len)
        answer->status = 200; /* RFC 3875, 6.3.3 */
}

static void read_peer(int fd, struct fcgiclient_answer *answer)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid > 0) {
        answer->pid = peer.pid;
        answer->uid = peer.uid;
    }
}

static enum fcgiclient_result converse(int fd, const struct message *message, int64_t deadline,
                                       struct fcgiclient_answer *answer)
{
    struct stream *stream = malloc(sizeof(*stream));

    if (stream == NULL)
        return FCGICLIENT_FAILED;
    stream->len = stream->total = 0;
    read_peer(fd, answer);
    enum fcgiclient_result result = send_all(fd, message, deadline);
    if (result == FCGICLIENT_ANSWERED || result == FCGICLIENT_CLOSED) /* it may have answered */
        result = receive(fd, deadline, stream, answer);
    read_head(answer);
    free(stream);
    return result;
}

enum fcgiclient_result fcgiclient_ask(const char *where, const char *const *params,
                                      int64_t deadline, struct fcgiclient_answer *answer)
{
    struct message message;

    memset(answer, 0, sizeof(*answer));
    answer->body = answer->text;
    if (make_request(&message, params) < 0)
        return FCGICLIENT_FAILED;
    const int fd = strchr(where, '/') != NULL ? open_unix(where, deadline)
                                              : open_address(where, deadline);
    if (fd < 0)
        return errno == EINVAL || errno == EMFILE || errno == ENOMEM ? FCGICLIENT_FAILED
                                                                     : FCGICLIENT_UNREACHABLE;
    const enum fcgiclient_result result = converse(fd, &message, deadline, answer);
    const int saved = errno;
    close(fd);
    errno = saved;
    return result;
}
