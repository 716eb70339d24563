/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "check_url.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "out.h"
#include "post.h"

enum { SHOWN = 120 };

static const char what[] = "url";

/* The endpoint at the URL's path; NULL: none, or the web server names it. */
static const struct config_endpoint *find_endpoint(const struct check *check)
{
    char path[PATH_MAX];
    const char *host = strstr(check->url, "://");
    const char *start = host == NULL ? NULL : strchr(host + 3, '/');

    if (start == NULL)
        return NULL;
    snprintf(path, sizeof(path), "%.*s", (int)strcspn(start, "?#"), start);
    return config_endpoint_by_path(check->config, path);
}

static bool is_refusal(const struct post_answer *answer)
{
    static const char body[] = "{\"status\":\"refused\"}";

    return strncmp(answer->body, body, sizeof(body) - 1) == 0;
}

static void tell_none(struct check *check, const struct post_answer *answer)
{
    finding_fail(check->findings, EX_UNAVAILABLE, what, "%s: no answer: %s", check->url,
                 answer->why);
    finding_advise(check->findings, answer->fault == POST_CERTIFICATE
                   ? "the sender will not deliver either: renew the certificate, with the whole "
                     "chain: certbot renew; nginx: ssl_certificate is fullchain.pem"
                   : "see whether the web server runs, and whether the name and the firewall let "
                     "one come to it: ss -ltn; journalctl -n 20 -u nginx -u apache2");
}

/* What stands in the way of a small one. False: do not go on. */
static bool judge_small(struct check *check, const struct post_answer *answer)
{
    if (answer->status == 0) {
        tell_none(check, answer);
        return false;
    }
    if (answer->status == 400 && is_refusal(answer)) {
        finding_ok(check->findings, what, "%s: hookspoold answers, in %.1f ms", check->url,
                   (double)answer->nanoseconds / 1e6);
        return true;
    }
    if (answer->status >= 300 && answer->status < 400) {
        finding_fail(check->findings, EX_CONFIG, what, "%s is redirected (%ld), and senders do not "
                     "follow", check->url, answer->status);
        finding_advise(check->findings, "give the sender the URL that it leads to: curl -sI '%s' | "
                       "grep -i ^location", check->url);
    } else if (answer->status == 404 && is_refusal(answer)) {
        finding_fail(check->findings, EX_CONFIG, what, "%s: hookspoold knows no endpoint there",
                     check->url);
        finding_advise(check->findings, "set path = in an [endpoint] of '%s', and: systemctl "
                       "reload hookspoold", check->config->file);
    } else if (answer->status >= 500) {
        finding_fail(check->findings, EX_UNAVAILABLE, what, "%s: the web server answers %ld",
                     check->url, answer->status);
        finding_advise(check->findings, "see why: tail /var/log/nginx/error.log "
                       "/var/log/apache2/error.log; and the findings on the socket");
    } else {
        finding_fail(check->findings, EX_CONFIG, what, "%s: not hookspoold answers, with status "
                     "%ld: %.*s", check->url, answer->status, SHOWN, answer->body);
        finding_advise(check->findings, "pass the path to hookspoold in the web server, as the "
                       "examples do: see hookspoold(8)");
    }
    return false;
}

static void judge_large(struct check *check, const struct post_answer *answer, uint64_t size)
{
    char text[OUT_SIZE];

    (void)out_bytes(text, size);
    if (answer->status == 400 && is_refusal(answer)) {
        finding_ok(check->findings, what, "a body of max_body (%s) comes through", text);
        return;
    }
    finding_fail(check->findings, EX_CONFIG, what, "a body of max_body (%s) does not come through: "
                 "status %ld%s%s", text, answer->status, answer->why[0] != '\0' ? ", " : "",
                 answer->why);
    finding_advise(check->findings, "raise the web server's limit: client_max_body_size (nginx), "
                   "FcgidMaxRequestLen or LimitRequestBody (Apache); see its findings");
}

static void try_large(struct check *check, struct post *post, uint64_t size)
{
    static const char *const headers[] = {"Content-Type: application/json"};
    struct post_answer answer;
    char *body = calloc(1, size + 1);

    if (body == NULL) {
        check_unseen(check, what, check->url);
        return;
    }
    memset(body, ' ', size);
    if (post_send(post, headers, 1, body, size, &answer) == 0)
        judge_large(check, &answer, size);
    free(body);
}

void check_url(struct check *check)
{
    static const char *const headers[] = {"Content-Type: application/json"};
    const struct config_endpoint *endpoint;
    struct post_answer answer;

    if (check->url == NULL)
        return;
    struct post *post = post_open(check->url, false);
    if (post == NULL) {
        finding_fail(check->findings, EX_CONFIG, what, "'%s' cannot be asked", check->url);
        finding_advise(check->findings, "want https://HOST/PATH, as the sender has it");
        return;
    }
    endpoint = find_endpoint(check);
    if (post_send(post, headers, 1, "{}", 2, &answer) == 0 && judge_small(check, &answer)
        && endpoint != NULL)
        try_large(check, post, endpoint->max_body);
    post_close(post);
}
