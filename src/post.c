/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "post.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "io.h"
#include "log.h"

/* Senders give up after 15 to 30 seconds. */
enum { CONNECT_SECONDS = 10, TOTAL_SECONDS = 30 };

/* What is called of libcurl. */
#define CALLS(CALL) \
    CALL(global_init) CALL(easy_init) CALL(easy_cleanup) CALL(easy_setopt) CALL(easy_perform) \
    CALL(easy_getinfo) CALL(easy_strerror) CALL(slist_append) CALL(slist_free_all) CALL(url) \
    CALL(url_set) CALL(url_get) CALL(url_cleanup) CALL(free) CALL(getdate)

#define MEMBER(name) __typeof__(curl_##name) *name;

struct post {
    CURL *curl;
    char error[CURL_ERROR_SIZE];
};

static struct {
    void *handle;
    CALLS(MEMBER)
} lib;

/* ---- libcurl itself */

/* The name of its ABI since 2006. Where OpenSSL's build is not there, GnuTLS's will do. */
static void *open_library(void)
{
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
    void *handle = NULL;

    for (size_t i = 0; handle == NULL && i < sizeof(names) / sizeof(names[0]); i++)
        handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    return handle;
}

/* It stays: what it registers to be called at exit must still be there then. */
static int load(void)
{
    const char *missing = NULL;

    if (lib.handle != NULL)
        return 0;
    void *handle = open_library();
    if (handle == NULL) {
        log_error("cannot load libcurl, which sends: %s", dlerror());
        errno = ELIBACC;
        return -1;
    }
#define FIND(name) \
    if ((*(void **)&lib.name = dlsym(handle, "curl_" #name)) == NULL) \
        missing = "curl_" #name;
    CALLS(FIND)
    if (missing != NULL) {
        log_error("this libcurl is too old: it has no %s()", missing);
        errno = ELIBACC;
        return -1;
    }
    if (lib.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        log_error("cannot start libcurl: %s", strerror(ENOMEM));
        errno = ENOMEM;
        return -1;
    }
    lib.handle = handle;
    return 0;
}

/* ---- the URL */

/* A proxy is a way out of this machine, never one within it. */
static bool is_local(const char *host)
{
    const size_t len = strlen(host), name = strlen(".localhost");

    return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0
        || strcmp(host, "[::1]") == 0
        || (len > name && strcasecmp(host + len - name, ".localhost") == 0);
}

static char *part(CURLU *url, CURLUPart which)
{
    char *text = NULL;

    return lib.url_get(url, which, &text, 0) == CURLUE_OK ? text : NULL;
}

static const char *fault_of(CURLU *url, bool *local)
{
    char *scheme = part(url, CURLUPART_SCHEME), *host = part(url, CURLUPART_HOST);
    char *user = part(url, CURLUPART_USER), *password = part(url, CURLUPART_PASSWORD);
    const char *fault = NULL;

    if (scheme == NULL || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        fault = "is neither http:// nor https://";
    else if (host == NULL || host[0] == '\0')
        fault = "names no host";
    else if (user != NULL || password != NULL)
        fault = "holds a user name or a password, which anybody can read in the list of processes";
    *local = host != NULL && is_local(host);
    lib.free(scheme);
    lib.free(host);
    lib.free(user);
    lib.free(password);
    return fault;
}

/* Is it a URL that can be asked? libcurl would say so only when it is. */
static int check_url(const char *text, bool *local)
{
    CURLU *url = lib.url();
    const char *fault = "is no URL";

    if (url == NULL) {
        log_error("cannot read a URL: %s", strerror(ENOMEM));
        errno = ENOMEM;
        return -1;
    }
    if (lib.url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK)
        fault = fault_of(url, local);
    lib.url_cleanup(url);
    if (fault == NULL)
        return 0;
    /* A password is not repeated. */
    log_error("%s%s%s %s", strchr(text, '@') ? "the URL" : "'", strchr(text, '@') ? "" : text,
              strchr(text, '@') ? "" : "'", fault);
    errno = EINVAL;
    return -1;
}

/* ---- answers */

/* Keeps what there is room for and swallows the rest. */
static size_t take_body(char *bytes, size_t size, size_t count, void *user)
{
    struct post_answer *answer = user;
    const size_t room = sizeof(answer->body) - 1 - answer->body_len;
    const size_t n = size * count < room ? size * count : room;

    memcpy(answer->body + answer->body_len, bytes, n);
    answer->body_len += n;
    answer->body[answer->body_len] = '\0';
    return size * count;
}

/* The value of a header line, when it is that header. */
static bool header_is(const char *line, const char *name, char value[POST_TEXT])
{
    const size_t len = strlen(name);

    if (strncasecmp(line, name, len) != 0)
        return false;
    const char *from = line + len + strspn(line + len, " \t");
    const size_t end = strcspn(from, "\r\n");
    const size_t kept = end < POST_TEXT - 1 ? end : POST_TEXT - 1;
    memcpy(value, from, kept);
    value[kept] = '\0';
    return true;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *user)
{
    struct post_answer *answer = user;
    char line[POST_TEXT + 16], value[POST_TEXT];
    const size_t n = size * count < sizeof(line) - 1 ? size * count : sizeof(line) - 1;

    memcpy(line, bytes, n);
    line[n] = '\0';
    if (header_is(line, "Location:", value)) {
        memcpy(answer->location, value, sizeof(value));
    } else if (header_is(line, "Date:", value)) {
        const time_t date = lib.getdate(value, NULL);
        answer->date = date > 0 ? (int64_t)date : 0;
    }
    return size * count;
}

/* ---- the handle */

#define SET(option, value) \
    if (code == CURLE_OK) \
        code = lib.easy_setopt(curl, (option), (value))

/* An old libcurl that knows no such option fails here, and is not used without it. */
static CURLcode set_up(struct post *post, const char *url, bool insecure, bool local)
{
    CURL *curl = post->curl;
    CURLcode code = CURLE_OK;

    SET(CURLOPT_ERRORBUFFER, post->error);
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    SET(CURLOPT_URL, url);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    SET(CURLOPT_TIMEOUT, (long)TOTAL_SECONDS);
    SET(CURLOPT_USERAGENT, "hookspool/" PACKAGE_VERSION);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    if (local)
        SET(CURLOPT_PROXY, "");
    if (insecure) {
        SET(CURLOPT_SSL_VERIFYPEER, 0L);
        SET(CURLOPT_SSL_VERIFYHOST, 0L);
    }
    return code;
}

struct post *post_open(const char *url, bool insecure)
{
    bool local = false;

    if (load() < 0 || check_url(url, &local) < 0)
        return NULL;
    struct post *post = calloc(1, sizeof(*post));
    if (post == NULL || (post->curl = lib.easy_init()) == NULL) {
        log_error("cannot start libcurl: %s", strerror(ENOMEM));
        post_close(post);
        errno = ENOMEM;
        return NULL;
    }
    const CURLcode code = set_up(post, url, insecure, local);
    if (code == CURLE_OK)
        return post;
    log_error("cannot set libcurl up: %s", lib.easy_strerror(code));
    post_close(post);
    errno = code == CURLE_OUT_OF_MEMORY ? ENOMEM : ELIBACC;
    return NULL;
}

void post_close(struct post *post)
{
    if (post == NULL)
        return;
    if (post->curl != NULL)
        lib.easy_cleanup(post->curl);
    free(post);
}

/* ---- a POST */

/* "Expect:" without a value: a sender does not ask first whether its body is welcome. */
static struct curl_slist *make_headers(const char *const *headers, size_t count)
{
    struct curl_slist *list = lib.slist_append(NULL, "Expect:");

    for (size_t i = 0; i < count && list != NULL; i++) {
        struct curl_slist *longer = lib.slist_append(list, headers[i]);
        if (longer == NULL)
            lib.slist_free_all(list);
        list = longer;
    }
    return list;
}

static void explain(const struct post *post, CURLcode code, struct post_answer *answer)
{
    const char *said = post->error[0] != '\0' ? post->error : lib.easy_strerror(code);
    long number = 0;

    if (lib.easy_getinfo(post->curl, CURLINFO_OS_ERRNO, &number) != CURLE_OK)
        number = 0;
    (void)snprintf(answer->why, sizeof(answer->why), "%s%s%s%s", said, number != 0 ? " (" : "",
                   number != 0 ? strerror((int)number) : "", number != 0 ? ")" : "");
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        answer->fault = POST_CERTIFICATE;
    else if (code == CURLE_SSL_CONNECT_ERROR)
        answer->fault = POST_TLS;
}

int post_send(struct post *post, const char *const *headers, size_t header_count,
              const void *body, size_t len, struct post_answer *answer)
{
    CURL *curl = post->curl;
    struct curl_slist *list = make_headers(headers, header_count);
    CURLcode code = list == NULL ? CURLE_OUT_OF_MEMORY : CURLE_OK;

    memset(answer, 0, sizeof(*answer));
    post->error[0] = '\0';
    SET(CURLOPT_HTTPHEADER, list);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    SET(CURLOPT_POSTFIELDS, body);
    SET(CURLOPT_WRITEDATA, answer);
    SET(CURLOPT_HEADERDATA, answer);
    if (code != CURLE_OK) {
        lib.slist_free_all(list);
        errno = ENOMEM;
        return -1;
    }
    const int64_t start = io_now();
    code = lib.easy_perform(curl);
    answer->nanoseconds = io_now() - start;
    (void)lib.easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    /* A server that refuses a body may close before it has read it: that answer counts. */
    if (code != CURLE_OK && answer->status < 400) {
        answer->status = 0;
        answer->body_len = 0;
        answer->body[0] = '\0';
        explain(post, code, answer);
    }
    (void)lib.easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    lib.slist_free_all(list);
    return 0;
}
