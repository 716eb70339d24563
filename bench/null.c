/* SPDX-License-Identifier: ISC */
/*
 * null: the ceiling for bench/run.  A threaded FastCGI responder as libfcgi's own example has it,
 * that reads the body, does nothing with it and answers 200.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <fcgiapp.h>

static int listener;

static void *serve(void *arg)
{
    static const char answer[] =
        "Status: 200 OK\r\nContent-Type: application/json\r\n\r\n{\"status\":\"ignored\"}\n";
    char piece[16384];
    FCGX_Request request;

    (void) arg;
    if (FCGX_InitRequest(&request, listener, 0) != 0) {
        return NULL;
    }
    while (FCGX_Accept_r(&request) == 0) {
        while (FCGX_GetStr(piece, sizeof piece, request.in) > 0) {
        }
        FCGX_PutStr(answer, sizeof answer - 1, request.out);
        FCGX_Finish_r(&request);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    int threads = argc == 3 ? atoi(argv[2]) : 0;
    pthread_attr_t attributes;
    pthread_t thread;

    if (threads < 1 || FCGX_Init() != 0) {
        fputs("usage: null SOCKET THREADS\n", stderr);
        return 64;
    }
    signal(SIGTERM, SIG_DFL);    /* FCGX_Init catches it, and accept() goes on */
    listener = FCGX_OpenSocket(argv[1], 1024);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    for (int i = 0; i < threads; i++) {
        if (pthread_create(&thread, &attributes, serve, NULL) != 0) {
            fputs("null: cannot start a thread\n", stderr);
            return 1;
        }
    }
    pthread_join(thread, NULL);
    return 1;
}
