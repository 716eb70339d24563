/* SPDX-License-Identifier: ISC */
/*
 * obvious: what bench/run compares hookspoold with.  The same job done the way one would first
 * write it, and without mistakes: threads in FCGX_Accept_r(), the signature checked with the same
 * library, the type read with the same JSON library, and then for each event of its own
 *
 *     locks/ID   created with O_EXCL: exists already = duplicate
 *     tmp/ID     written, fsync
 *     events/ID  renamed there, fsync of the directory: on stable storage, answer 200
 *
 * It is honest, not crippled: keyed HMAC context, JSON parser and body buffer are kept from one
 * request to the next, directories are opened once, stacks are small.  It is not the promise of
 * hookspoold: a crash after the lock and before the rename loses the event, since the retry finds
 * the lock and is called a duplicate.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>
#include <json-c/json.h>
#include <mbedtls/base64.h>
#include <mbedtls/md.h>

enum { BODY_MAX = 1 << 20, TOLERANCE = 300, SIGNATURE = 44 };

struct worker {                  /* what a thread keeps between requests */
    FCGX_Request request;
    mbedtls_md_context_t hmac;
    struct json_tokener *tokener;
    char *body;
    size_t room;
};

struct delivery {
    const char *id, *timestamp, *signatures;
    size_t length;
};

static int listener, locks_dir, tmp_dir, events_dir;
static unsigned char key[128];
static size_t key_len;
static atomic_bool complained;   /* once is enough: a full disk fails every event */

static void answer(struct worker *w, const char *status, const char *word)
{
    FCGX_PutS("Status: ", w->request.out);
    FCGX_PutS(status, w->request.out);
    FCGX_PutS("\r\nContent-Type: application/json\r\n\r\n{\"status\":\"", w->request.out);
    FCGX_PutS(word, w->request.out);
    FCGX_PutS("\"}\n", w->request.out);
}

/* The headers are there and the id is safe to use as a file name. */
static bool read_headers(struct worker *w, struct delivery *d)
{
    const char *length = FCGX_GetParam("CONTENT_LENGTH", w->request.envp);
    size_t id_len;

    d->id = FCGX_GetParam("HTTP_SVIX_ID", w->request.envp);
    d->timestamp = FCGX_GetParam("HTTP_SVIX_TIMESTAMP", w->request.envp);
    d->signatures = FCGX_GetParam("HTTP_SVIX_SIGNATURE", w->request.envp);
    if (!d->id || !d->timestamp || !d->signatures || !length) {
        return false;
    }
    d->length = strtoul(length, NULL, 10);
    id_len = strlen(d->id);
    return d->length <= BODY_MAX && id_len > 0 && id_len <= 200 && strlen(d->timestamp) <= 12
        && strspn(d->id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-")
           == id_len
        && llabs(strtoll(d->timestamp, NULL, 10) - (long long) time(NULL)) <= TOLERANCE;
}

static bool read_body(struct worker *w, const struct delivery *d)
{
    if (d->length > w->room) {
        char *larger = realloc(w->body, d->length);

        if (larger == NULL) {
            return false;
        }
        w->body = larger;
        w->room = d->length;
    }
    return d->length <= INT32_MAX
        && FCGX_GetStr(w->body, (int) d->length, w->request.in) == (int) d->length;
}

static void hmac_add(struct worker *w, const char *data, size_t len)
{
    mbedtls_md_hmac_update(&w->hmac, (const unsigned char *) data, len);
}

static bool verify(struct worker *w, const struct delivery *d)
{
    unsigned char mac[32], text[SIGNATURE + 1], differ = 0;
    size_t len;

    mbedtls_md_hmac_reset(&w->hmac);
    hmac_add(w, d->id, strlen(d->id));
    hmac_add(w, ".", 1);
    hmac_add(w, d->timestamp, strlen(d->timestamp));
    hmac_add(w, ".", 1);
    hmac_add(w, w->body, d->length);
    if (mbedtls_md_hmac_finish(&w->hmac, mac) != 0
        || mbedtls_base64_encode(text, sizeof text, &len, mac, sizeof mac) != 0
        || strncmp(d->signatures, "v1,", 3) != 0 || strlen(d->signatures) != 3 + SIGNATURE) {
        return false;
    }
    for (size_t i = 0; i < SIGNATURE; i++) {
        differ |= (unsigned char) (text[i] ^ (unsigned char) d->signatures[3 + i]);
    }
    return differ == 0;
}

/* As JSON: quoted. */
static void find_type(struct worker *w, const struct delivery *d, char *type, size_t size)
{
    struct json_object *root, *value;

    json_tokener_reset(w->tokener);
    root = json_tokener_parse_ex(w->tokener, w->body, (int) d->length);
    if (root != NULL && json_object_object_get_ex(root, "type", &value)) {
        snprintf(type, size, "%s", json_object_to_json_string(value));
    } else {
        snprintf(type, size, "\"webhook\"");
    }
    json_object_put(root);
}

/* The event as one line in tmp/ID, synced. */
static bool write_file(struct worker *w, const struct delivery *d, const char *type)
{
    char head[512];
    struct iovec piece[3];
    int len = snprintf(head, sizeof head, "{\"id\":\"%s\",\"type\":%s,\"time\":%s,\"data\":",
                       d->id, type, d->timestamp);
    int fd = openat(tmp_dir, d->id, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0640);
    size_t whole = (size_t) len + d->length + 2;
    bool good;

    if (fd < 0) {
        return false;
    }
    piece[0] = (struct iovec) { head, (size_t) len };
    piece[1] = (struct iovec) { w->body, d->length };
    piece[2] = (struct iovec) { (char[]) { "}\n" }, 2 };
    good = len < (int) sizeof head && writev(fd, piece, 3) == (ssize_t) whole && fsync(fd) == 0;
    return close(fd) == 0 && good;
}

static bool store(struct worker *w, const struct delivery *d, bool *duplicate)
{
    char type[128];
    int lock;

    find_type(w, d, type, sizeof type);
    lock = openat(locks_dir, d->id, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0640);
    *duplicate = lock < 0 && errno == EEXIST;
    if (lock < 0) {
        return *duplicate;
    }
    close(lock);
    if (!write_file(w, d, type) || renameat(tmp_dir, d->id, events_dir, d->id) != 0
        || fsync(events_dir) != 0) {
        if (!atomic_exchange(&complained, true)) {
            fprintf(stderr, "obvious: cannot store '%s': %s\n", d->id, strerror(errno));
        }
        unlinkat(tmp_dir, d->id, 0);
        unlinkat(locks_dir, d->id, 0);
        return false;
    }
    return true;
}

static void handle(struct worker *w)
{
    struct delivery d;
    bool duplicate;

    if (!read_headers(w, &d) || !read_body(w, &d)) {
        answer(w, "400 Bad Request", "refused");
    } else if (!verify(w, &d)) {
        answer(w, "401 Unauthorized", "refused");
    } else if (!store(w, &d, &duplicate)) {
        answer(w, "503 Service Unavailable", "unavailable");
    } else {
        answer(w, "200 OK", duplicate ? "duplicate" : "stored");
    }
}

static void *serve(void *arg)
{
    struct worker *w = calloc(1, sizeof *w);

    (void) arg;
    if (w == NULL || FCGX_InitRequest(&w->request, listener, 0) != 0) {
        return NULL;
    }
    w->tokener = json_tokener_new();
    mbedtls_md_init(&w->hmac);
    if (w->tokener == NULL
        || mbedtls_md_setup(&w->hmac, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1) != 0
        || mbedtls_md_hmac_starts(&w->hmac, key, key_len) != 0) {
        return NULL;
    }
    while (FCGX_Accept_r(&w->request) == 0) {
        handle(w);
        FCGX_Finish_r(&w->request);
    }
    return NULL;
}

static bool read_secret(const char *path)
{
    char line[256];
    FILE *file = fopen(path, "re");
    bool good = file != NULL && fgets(line, sizeof line, file) != NULL;

    if (file != NULL) {
        fclose(file);
    }
    if (!good || strncmp(line, "whsec_", 6) != 0) {
        return false;
    }
    line[strcspn(line, " \t\r\n")] = '\0';
    return mbedtls_base64_decode(key, sizeof key, &key_len, (unsigned char *) line + 6,
                                 strlen(line + 6)) == 0;
}

static int open_directory(const char *parent, const char *name)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof path, "%s/%s", parent, name);
    fd = mkdir(path, 0750) == 0 ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0) {
        fprintf(stderr, "obvious: cannot make '%s': %s\n", path, strerror(errno));
        exit(1);
    }
    return fd;
}

static void start(int threads)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    for (int i = 0; i < threads; i++) {
        if (pthread_create(&thread, &attributes, serve, NULL) != 0) {
            fputs("obvious: cannot start a thread\n", stderr);
            exit(1);
        }
    }
    pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    int threads = argc == 5 ? atoi(argv[2]) : 0;

    if (threads < 1 || FCGX_Init() != 0) {
        fputs("usage: obvious SOCKET THREADS DIRECTORY SECRETFILE\n", stderr);
        return 64;
    }
    signal(SIGTERM, SIG_DFL);    /* FCGX_Init catches it, and accept() goes on */
    locks_dir = open_directory(argv[3], "locks");
    tmp_dir = open_directory(argv[3], "tmp");
    events_dir = open_directory(argv[3], "events");
    if (!read_secret(argv[4])) {
        fprintf(stderr, "obvious: no secret in '%s'\n", argv[4]);
        return 1;
    }
    listener = FCGX_OpenSocket(argv[1], 1024);
    start(threads);
    return 1;
}
