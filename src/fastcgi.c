/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "fastcgi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "io.h"
#include "log.h"
#include "receive.h"
#include "request.h"

/* How long a refused request's body is read and thrown away. */
#define LINGER_NANOSECONDS ((int64_t)1000000000)

enum {
    STACK_BYTES = 256 * 1024, /* nothing recurses; the largest frames are a few KiB */
    STALL_SECONDS = 10        /* a peer that stops in the middle of a request is given up */
};

struct connection {
    FCGX_Request fcgx;
    bool watched; /* is in the epoll set, and in the list of those */
    struct connection *next, *previous;
};

struct fastcgi {
    struct service_slot *slot;
    int listen_fd, epoll_fd, stop_fd;
    atomic_bool stopping;
    pthread_mutex_t mutex; /* over the list of watched connections */
    struct connection *watched;
    unsigned thread_count;
    pthread_t threads[];
};

/* A connection that is answered and closed at once never comes into the list. */
static void enlist(struct fastcgi *fastcgi, struct connection *connection)
{
    pthread_mutex_lock(&fastcgi->mutex);
    connection->next = fastcgi->watched;
    if (connection->next != NULL)
        connection->next->previous = connection;
    fastcgi->watched = connection;
    pthread_mutex_unlock(&fastcgi->mutex);
}

static void strike_off(struct fastcgi *fastcgi, struct connection *connection)
{
    pthread_mutex_lock(&fastcgi->mutex);
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        fastcgi->watched = connection->next;
    pthread_mutex_unlock(&fastcgi->mutex);
}

/* Closes it, if libfcgi has not done so, and frees it. libfcgi would wait for the other end. */
static void drop_connection(struct fastcgi *fastcgi, struct connection *connection)
{
    if (connection->watched)
        strike_off(fastcgi, connection);
    if (connection->fcgx.ipcFd >= 0)
        close(connection->fcgx.ipcFd);
    connection->fcgx.ipcFd = -1;
    FCGX_Free(&connection->fcgx, 0);
    free(connection);
}

/* A request that libfcgi has accepted; the base is what receive() works with. */
struct fcgi_request {
    struct request base;
    FCGX_Request *fcgx;
    bool ended; /* all that the web server had to send has been read */
};

/* How long a read waits for the other end. */
static void set_patience(int fd, int seconds)
{
    const struct timeval stall = {.tv_sec = seconds};

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &stall, sizeof(stall));
}

/* FCGX_GetStr gives 0 for the end and for a broken stream alike. */
static ssize_t read_body(struct request *request, void *buffer, size_t len)
{
    struct fcgi_request *self = (struct fcgi_request *)request;
    FCGX_Stream *in = self->fcgx->in;
    /* What has come, or one byte to wait for: else a trickle would keep us in the call. */
    const size_t come = in->stop > in->rdNext ? (size_t)(in->stop - in->rdNext) : 1;
    const int want = (int)(len < come ? len : come);
    const int got = FCGX_GetStr(buffer, want, in);
    const bool broken = got < want && FCGX_GetError(in) != 0;

    self->ended = got < want && !broken;
    return got == 0 && broken ? -1 : got;
}

/*
 * Reads away what the web server still sends, until it closes: a connection
 * that is closed with bytes unread is reset, and the answer lost with it.
 * Briefly, for a stranger may be behind it who sends a byte now and then.
 */
static void linger(int fd)
{
    const int64_t deadline = io_now() + LINGER_NANOSECONDS;
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    char buffer[16 * 1024];

    (void)shutdown(fd, SHUT_WR);
    for (int64_t left = LINGER_NANOSECONDS; left > 0; left = deadline - io_now()) {
        if (poll(&readable, 1, (int)(left / 1000000) + 1) <= 0
            || recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) <= 0)
            return;
    }
}

/*
 * Reads away what is left of a body that is not wanted, so that the connection
 * can be kept: were it closed behind the answer, the web server might have
 * taken it for its next request by then, and would answer that with a 5xx of
 * its own. Briefly, as in linger().
 */
static void skip_rest(struct fcgi_request *self)
{
    const int64_t deadline = io_now() + LINGER_NANOSECONDS;
    char buffer[16 * 1024];
    ssize_t got = 1;

    set_patience(self->fcgx->ipcFd, 1);
    while (!self->ended && got > 0 && io_now() < deadline)
        got = read_body(&self->base, buffer, sizeof(buffer));
    set_patience(self->fcgx->ipcFd, STALL_SECONDS);
    if (!self->ended)
        FCGX_ClearError(self->fcgx->in); /* else libfcgi closes at once, and the answer is lost */
}

/* A client that has gone meanwhile changes nothing: the event is stored, its retry a duplicate. */
static void respond(struct request *request, const char *text, size_t len)
{
    struct fcgi_request *self = (struct fcgi_request *)request;

    if (!self->ended)
        skip_rest(self);
    (void)FCGX_PutStr(text, (int)len, self->fcgx->out);
    FCGX_Detach(self->fcgx); /* libfcgi is not to wait for the other end: linger() does */
    /*
     * A connection with bytes of this request in it is not kept: what a client
     * wrote into his body would be read as the next request, parameters and all.
     */
    if (!self->ended)
        self->fcgx->keepConnection = 1; /* for as long as we read them away */
    FCGX_Finish_r(self->fcgx);
    if (!self->ended && self->fcgx->ipcFd >= 0) {
        linger(self->fcgx->ipcFd);
        close(self->fcgx->ipcFd);
        self->fcgx->ipcFd = -1;
    }
}

/* Waits, in the set of all threads, for bytes on a connection that has none now. */
static void watch(struct fastcgi *fastcgi, struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
                                .data.ptr = connection};
    const int operation = connection->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (!connection->watched)
        enlist(fastcgi, connection);
    connection->watched = true; /* before it can be another thread's */
    if (epoll_ctl(fastcgi->epoll_fd, operation, connection->fcgx.ipcFd, &event) < 0) {
        log_error("cannot watch a connection: %s", strerror(errno));
        drop_connection(fastcgi, connection);
    }
}

/* One request of a connection that has something to read. */
static void serve(struct fastcgi *fastcgi, struct connection *connection)
{
    /*
     * ipcFd and keepConnection are below libfcgi's line "don't use": there is
     * no other way to give it a connection that one has accepted oneself. With
     * no socket to listen on (-1) it returns where it would accept another.
     */
    if (FCGX_Accept_r(&connection->fcgx) < 0) {
        drop_connection(fastcgi, connection);
        return;
    }
    struct fcgi_request request = {
        .base = {.env = connection->fcgx.envp, .reads_to_end = true, .read = read_body,
                 .respond = respond},
        .fcgx = &connection->fcgx,
    };
    if (atomic_load(&fastcgi->stopping))
        connection->fcgx.keepConnection = 0;
    receive(fastcgi->slot, &request.base);
    if (connection->fcgx.ipcFd < 0)
        drop_connection(fastcgi, connection);
    else
        watch(fastcgi, connection);
}

/* Accepting again is one thread's turn at a time, so that one arrival wakes one thread. */
static void rearm_listener(struct fastcgi *fastcgi)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = &fastcgi->listen_fd};

    if (epoll_ctl(fastcgi->epoll_fd, EPOLL_CTL_MOD, fastcgi->listen_fd, &event) < 0)
        log_error("cannot watch the socket: %s", strerror(errno));
}

/* The next connection that is waiting, or NULL. */
static struct connection *accept_connection(struct fastcgi *fastcgi)
{
    const int fd = accept4(fastcgi->listen_fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
            log_error("cannot accept: %s", strerror(errno));
            /* Out of descriptors or memory: those who have some finish meanwhile. */
            nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
        }
        return NULL;
    }
    struct connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL || FCGX_InitRequest(&connection->fcgx, -1, 0) != 0) {
        log_error("cannot accept: %s", strerror(ENOMEM));
        free(connection);
        close(fd);
        return NULL;
    }
    set_patience(fd, STALL_SECONDS);
    connection->fcgx.ipcFd = fd;
    connection->fcgx.keepConnection = 1; /* or FCGX_Accept_r() closes it to begin with */
    return connection;
}

static void serve_new(struct fastcgi *fastcgi, struct connection *connection)
{
    char byte;

    if (recv(connection->fcgx.ipcFd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
        serve(fastcgi, connection);
    else
        watch(fastcgi, connection);
}

/* At the end: those who had connected before it, and have sent something, are still taken in. */
static void drain(struct fastcgi *fastcgi)
{
    struct epoll_event events[16];
    struct connection *connection;
    bool served = true;

    while ((connection = accept_connection(fastcgi)) != NULL)
        watch(fastcgi, connection);
    while (served) {
        const int count = epoll_wait(fastcgi->epoll_fd, events, 16, 0);
        served = false;
        for (int i = 0; i < count; i++) {
            void *const what = events[i].data.ptr;
            if (what == &fastcgi->stop_fd || what == &fastcgi->listen_fd)
                continue;
            serve(fastcgi, what);
            served = true;
        }
    }
}

static void *work(void *argument)
{
    struct fastcgi *fastcgi = argument;
    struct epoll_event event;

    for (;;) {
        if (epoll_wait(fastcgi->epoll_fd, &event, 1, -1) < 1)
            continue;
        if (event.data.ptr == &fastcgi->stop_fd) {
            drain(fastcgi);
            return NULL;
        }
        if (event.data.ptr == &fastcgi->listen_fd) {
            struct connection *connection = accept_connection(fastcgi);
            rearm_listener(fastcgi);
            if (connection != NULL)
                serve_new(fastcgi, connection);
        } else {
            serve(fastcgi, event.data.ptr);
        }
    }
}

static int watch_ends(struct fastcgi *fastcgi)
{
    struct epoll_event listener = {.events = EPOLLIN | EPOLLONESHOT,
                                   .data.ptr = &fastcgi->listen_fd};
    struct epoll_event stop = {.events = EPOLLIN, .data.ptr = &fastcgi->stop_fd};

    fastcgi->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    fastcgi->stop_fd = eventfd(0, EFD_CLOEXEC);
    const int flags = fcntl(fastcgi->listen_fd, F_GETFL);
    if (fastcgi->epoll_fd < 0 || fastcgi->stop_fd < 0 || flags < 0
        || fcntl(fastcgi->listen_fd, F_SETFL, flags | O_NONBLOCK) < 0
        || epoll_ctl(fastcgi->epoll_fd, EPOLL_CTL_ADD, fastcgi->listen_fd, &listener) < 0
        || epoll_ctl(fastcgi->epoll_fd, EPOLL_CTL_ADD, fastcgi->stop_fd, &stop) < 0) {
        log_error("cannot watch the socket: %s", strerror(errno));
        return -1;
    }
    return 0;
}

/* As many as can be had; at least one. */
static int start_threads(struct fastcgi *fastcgi, unsigned wanted)
{
    pthread_attr_t attributes;
    int error = 0;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    while (fastcgi->thread_count < wanted && error == 0) {
        error = pthread_create(&fastcgi->threads[fastcgi->thread_count], &attributes, work,
                               fastcgi);
        if (error == 0)
            fastcgi->thread_count++;
    }
    pthread_attr_destroy(&attributes);
    if (error != 0)
        log_error("cannot start more than %u of %u threads: %s", fastcgi->thread_count, wanted,
                  strerror(error));
    return fastcgi->thread_count > 0 ? 0 : -1;
}

static void free_fastcgi(struct fastcgi *fastcgi)
{
    while (fastcgi->watched != NULL)
        drop_connection(fastcgi, fastcgi->watched);
    if (fastcgi->epoll_fd >= 0)
        close(fastcgi->epoll_fd);
    if (fastcgi->stop_fd >= 0)
        close(fastcgi->stop_fd);
    pthread_mutex_destroy(&fastcgi->mutex);
    free(fastcgi);
}

struct fastcgi *fastcgi_start(int listen_fd, unsigned threads, struct service_slot *slot)
{
    struct fastcgi *fastcgi = calloc(1, sizeof(*fastcgi) + threads * sizeof(pthread_t));

    if (fastcgi == NULL || FCGX_Init() != 0) {
        log_error("cannot start FastCGI: %s", strerror(ENOMEM));
        free(fastcgi);
        return NULL;
    }
    /* libfcgi has installed handlers of its own; ours is the main thread's sigwait. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    signal(SIGUSR1, SIG_DFL);

    fastcgi->slot = slot;
    fastcgi->listen_fd = listen_fd;
    fastcgi->epoll_fd = fastcgi->stop_fd = -1;
    pthread_mutex_init(&fastcgi->mutex, NULL);
    if (watch_ends(fastcgi) < 0 || start_threads(fastcgi, threads) < 0) {
        free_fastcgi(fastcgi);
        return NULL;
    }
    return fastcgi;
}

void fastcgi_stop(struct fastcgi *fastcgi)
{
    const uint64_t one = 1;

    atomic_store(&fastcgi->stopping, true);
    if (write(fastcgi->stop_fd, &one, sizeof(one)) < 0) /* wakes all: nobody ever reads it */
        log_error("cannot stop the threads: %s", strerror(errno));
    for (unsigned i = 0; i < fastcgi->thread_count; i++)
        pthread_join(fastcgi->threads[i], NULL);
    free_fastcgi(fastcgi);
}
