/* SPDX-License-Identifier: ISC */
/*
 * hookspoold: the responder. Takes signed webhooks from a web server and
 * stores each once, on disk, before it answers 200. See hookspoold(8).
 *
 * One program, no switch: with -s it serves a socket of its own; without, the
 * listening socket that it finds as standard input (systemd, spawn-fcgi,
 * mod_fcgid); else the one request of a CGI program.
 */
#include "autoconf.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cgi.h"
#include "fastcgi.h"
#include "io.h"
#include "listener.h"
#include "log.h"
#include "service.h"

#define DEFAULT_CONFIG SYSCONFDIR "/hookspool/hookspool.conf"

struct options {
    const char *config;
    const char *socket;
    unsigned threads; /* 0: as configured */
    bool test;
};

static const char usage[] =
    "usage: hookspoold [-c FILE] [-s SOCKET] [-n THREADS]\n"
    "       hookspoold -t [-c FILE]\n"
    "  -c FILE     configuration (default " DEFAULT_CONFIG ")\n"
    "  -s SOCKET   socket to serve: a path, or 127.0.0.1:PORT\n"
    "  -n THREADS  instead of `threads` in the configuration\n"
    "  -t          test the configuration and the secrets, and exit\n"
    "  -V          print the version and exit; also --version\n"
    "  -h          print this and exit; also --help\n";

static unsigned parse_threads(const char *text)
{
    char *end;
    const unsigned long threads = strtoul(text, &end, 10);

    if (strspn(text, "0123456789") == strlen(text) && threads >= 1 && threads <= 1024)
        return (unsigned)threads;
    log_error("-n wants a number from 1 to 1024, not '%s'", text);
    exit(EX_USAGE);
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option longs[] = {{"version", no_argument, NULL, 'V'},
                                          {"help", no_argument, NULL, 'h'}, {0}};
    struct options options = {.config = getenv("HOOKSPOOL_CONF")};
    int option;

    if (options.config == NULL || options.config[0] == '\0')
        options.config = DEFAULT_CONFIG;
    while ((option = getopt_long(argc, argv, "c:s:n:tVh", longs, NULL)) != -1) {
        switch (option) {
        case 'c': options.config = optarg; break;
        case 's': options.socket = optarg; break;
        case 'n': options.threads = parse_threads(optarg); break;
        case 't': options.test = true; break;
        case 'V': puts("hookspoold " PACKAGE_VERSION); exit(EX_OK);
        case 'h': fputs(usage, stdout); exit(EX_OK);
        default: fputs(usage, stderr); exit(EX_USAGE);
        }
    }
    if (optind < argc) {
        log_error("'%s' is one argument too many", argv[optind]);
        fputs(usage, stderr);
        exit(EX_USAGE);
    }
    return options;
}

/* Signals are for the main thread, which waits for them; every later thread inherits the mask. */
static sigset_t block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN); /* a client that has gone */
    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files: EFBIG, and 503 */
    return set;
}

/* Until SIGTERM or SIGINT; SIGHUP reloads. */
static void wait_for_end(const sigset_t *signals, struct service_slot *slot, const char *config)
{
    int received;

    while (sigwait(signals, &received) != 0 || received == SIGHUP) {
        if (received != SIGHUP)
            continue;
        if (service_reload(slot, config) == SERVICE_LOADED)
            log_info("configuration '%s' loaded again", config);
        else
            log_error("configuration '%s' is not in order; going on with the old one", config);
    }
}

static int serve_socket(struct listener *listener, const struct options *options,
                        struct service_slot *slot, const sigset_t *signals)
{
    const unsigned threads = options->threads != 0 ? options->threads
                                                   : slot->current->config->threads;
    struct fastcgi *fastcgi = fastcgi_start(listener->fd, threads, slot);

    if (fastcgi == NULL)
        return EX_OSERR;
    log_info("ready, version " PACKAGE_VERSION ", %u thread%s", threads, threads == 1 ? "" : "s");
    wait_for_end(signals, slot, options->config);
    listener_withdraw(listener);
    fastcgi_stop(fastcgi);
    log_info("stopped");
    return EX_OK;
}

/* Our own socket, or the one that we were started with, or none: plain CGI. */
static int find_listener(struct listener *listener, const struct options *options)
{
    *listener = (struct listener){.fd = -1};
    if (options->socket != NULL && listener_bind(listener, options->socket) < 0)
        return errno == EINVAL ? EX_USAGE : EX_UNAVAILABLE;
    if (options->socket != NULL)
        return EX_OK;
    if (listener_inherited(STDIN_FILENO)) {
        listener->fd = STDIN_FILENO;
        return EX_OK;
    }
    if (cgi_is_request())
        return EX_OK;
    log_error("no socket: want -s, or a listening socket as standard input, or a web server");
    fputs(usage, stderr);
    return EX_USAGE;
}

static int serve(struct listener *listener, const struct options *options, const sigset_t *signals)
{
    const bool cgi = listener->fd < 0;
    struct service_slot slot;
    int status = EX_OK;

    const enum service_loaded loaded =
        service_start(&slot, options->config, cgi ? SERVICE_SPOOLS_LATER : SERVICE_SPOOLS_NOW);
    if (loaded != SERVICE_LOADED)
        return loaded == SERVICE_BAD_CONFIG ? EX_CONFIG : EX_UNAVAILABLE;
    if (cgi)
        cgi_serve(&slot);
    else
        status = serve_socket(listener, options, &slot, signals);
    service_stop(&slot);
    return status;
}

int main(int argc, char **argv)
{
    log_program("hookspoold");
    if (io_standard() < 0)
        return EX_OSERR;
    const struct options options = parse_options(argc, argv);

    if (options.test)
        return service_test(options.config) < 0 ? EX_CONFIG : EX_OK;

    umask(027);
    mallopt(M_ARENA_MAX, 4); /* a heap for each of 64 threads is memory for nothing */
    const sigset_t signals = block_signals();

    struct listener listener;
    int status = find_listener(&listener, &options);
    if (status == EX_OK)
        status = serve(&listener, &options, &signals);
    listener_close(&listener);
    return status;
}
