/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "post.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "io.h"
#include "log.h"

/* Senders give up after 15 to 30 seconds. */
enum { CONNECT_SECONDS = 10, TOTAL_SECONDS = 30 };

struct post {
    CURL *curl;
    char error[CURL_ERROR_SIZE];
};

/* Keeps what there is room for and swallows the rest. */
static size_t take(char *bytes, size_t size, size_t count, void *user)
{
    struct post_answer *answer = user;
    const size_t room = sizeof(answer->body) - 1 - answer->body_len;
    const size_t n = size * count < room ? size * count : room;

    memcpy(answer->body + answer->body_len, bytes, n);
    answer->body_len += n;
    answer->body[answer->body_len] = '\0';
    return size * count;
}

/* An old libcurl that knows no such option fails here, and is not used without it. */
static CURLcode set_up(struct post *post, const char *url, bool insecure, bool local)
{
    CURL *curl = post->curl;
    CURLcode code = curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, post->error);

#if LIBCURL_VERSION_NUM >= 0x075500
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_URL, url);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TOTAL_SECONDS);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_USERAGENT, "hookspool/" PACKAGE_VERSION);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    if (code == CURLE_OK && local)
        code = curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (code == CURLE_OK && insecure)
        code = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    if (code == CURLE_OK && insecure)
        code = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    return code;
}

/* Is it a URL that can be asked? libcurl would say so only when it is. */
static const char *fault_of(const char *url)
{
    CURLU *parts = curl_url();
    char *scheme = NULL;
    const char *fault = NULL;

    if (parts == NULL)
        return "out of memory";
    if (curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK
        || curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
        fault = "is no URL with a scheme, a host and a path";
    else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        fault = "is neither http nor https";
    curl_free(scheme);
    curl_url_cleanup(parts);
    return fault;
}

struct post *post_open(const char *url, bool insecure, bool local)
{
    struct post *post = calloc(1, sizeof(*post));

    if (post == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        log_error("cannot start libcurl: %s", strerror(ENOMEM));
        free(post);
        return NULL;
    }
    const char *fault = fault_of(url);
    post->curl = fault == NULL ? curl_easy_init() : NULL;
    if (fault != NULL) {
        log_error("'%s' %s", url, fault);
    } else if (post->curl == NULL) {
        log_error("cannot start libcurl: %s", strerror(ENOMEM));
    } else {
        const CURLcode code = set_up(post, url, insecure, local);
        if (code == CURLE_OK)
            return post;
        log_error("cannot set libcurl up: %s", curl_easy_strerror(code));
    }
    post_close(post);
    return NULL;
}

void post_close(struct post *post)
{
    if (post == NULL)
        return;
    if (post->curl != NULL)
        curl_easy_cleanup(post->curl);
    free(post);
    curl_global_cleanup();
}

/* "Expect:" without a value: a sender does not ask first whether its body is welcome. */
static struct curl_slist *make_headers(const char *const *headers, size_t count)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    for (size_t i = 0; i < count && list != NULL; i++) {
        struct curl_slist *longer = curl_slist_append(list, headers[i]);
        if (longer == NULL)
            curl_slist_free_all(list);
        list = longer;
    }
    return list;
}

int post_send(struct post *post, const char *const *headers, size_t header_count,
              const void *body, size_t len, struct post_answer *answer)
{
    CURL *curl = post->curl;
    struct curl_slist *list = make_headers(headers, header_count);

    memset(answer, 0, sizeof(*answer));
    post->error[0] = '\0';
    if (list == NULL || curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list) != CURLE_OK
        || curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len) != CURLE_OK
        || curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body) != CURLE_OK
        || curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer) != CURLE_OK) {
        curl_slist_free_all(list);
        errno = ENOMEM;
        return -1;
    }
    const int64_t start = io_now();
    const CURLcode code = curl_easy_perform(curl);
    answer->nanoseconds = io_now() - start;
    /* A server that refuses a body may close before it has read it: its answer counts. */
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    if (code != CURLE_OK && answer->status == 0) {
        answer->certificate = code == CURLE_PEER_FAILED_VERIFICATION;
        strncpy(answer->why, post->error[0] != '\0' ? post->error : curl_easy_strerror(code),
                sizeof(answer->why) - 1);
    }
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(list);
    return 0;
}
