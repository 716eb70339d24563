/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "hint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SKEW = 5 }; /* seconds that need no mention */

struct known {
    long status;
    const char *word; /* NULL: any */
    const char *hint;
};

/* hookspoold's answers. */
static const struct known by_hookspoold[] = {
    {200, "stored", "it was taken: does hookspoold have another configuration than this one? "
                    "It reads changes when it is reloaded"},
    {200, "duplicate", "this id had been stored before; hookspool forget makes it new again"},
    {200, "ignored", "its type is not among the endpoint's events, nothing was stored"},
    {400, NULL, "a header is lost, doubled or changed on the way, or the clocks differ by more "
                "than the tolerance (timedatectl)"},
    {401, NULL, "no signature matches: hookspoold has other secrets for this path (it reads "
                "changes when it is reloaded, hookspoold -t shows which match), or something "
                "between changes the body"},
    {404, NULL, "no endpoint has this path, which hookspoold's log names; with a slash at its end "
                "it is another path"},
    {405, NULL, "it did not arrive as a POST: something between rewrites it"},
    {413, NULL, "the body is larger than the endpoint's max_body; hookspoold reads changes when it "
                "is reloaded"},
    {503, NULL, "the spool cannot take it now: no room, or the disk fails; hookspoold's log says. "
                "A sender would try again, nothing is lost"},
    {0}};

/* What a web server says by itself. */
static const struct known by_server[] = {
    {200, NULL, "that is not hookspoold: something else answers at this path; is the snippet "
                "included in this server block?"},
    {400, NULL, "the web server's own: is this port for https?"},
    {401, NULL, "the web server's own: no password may stand before a webhook's path"},
    {403, NULL, "the web server's own: it does not let this machine in"},
    {404, NULL, "the web server's own: is the snippet included in this server block, and does "
                "the path begin with /webhooks/?"},
    {405, NULL, "the web server's own: is the snippet included in this server block?"},
    {413, NULL, "the web server's own: its limit (nginx: client_max_body_size) is smaller than "
                "max_body"},
    {429, NULL, "the web server's own: it limits requests"},
    {502, NULL, "hookspoold is not running, or the web server may not connect to its socket; the "
                "web server's error log says which"},
    {503, NULL, "the web server's own: it limits requests, or has nobody to ask; see its error "
                "log"},
    {504, NULL, "hookspoold did not answer in the web server's time; see both logs"},
    {0}};

static const char *find(const struct known *known, long status, const char *word)
{
    for (; known->status != 0; known++) {
        if (known->status == status && (known->word == NULL || strcmp(known->word, word) == 0))
            return known->hint;
    }
    return "neither hookspoold nor a web server before it should say that; see its error log";
}

static const char *unanswered(enum post_fault fault)
{
    switch (fault) {
    case POST_CERTIFICATE:
        return "its certificate is not to be trusted for this name; --insecure sends all the "
               "same, for one that you made yourself";
    case POST_TLS:
        return "TLS did not come about: is this port for http?";
    case POST_OTHER:
        break;
    }
    return "is the web server running, and the URL right?";
}

void hint_write(char out[HINT_SIZE], const struct post_answer *answer, const char *word,
                int64_t sent)
{
    const long status = answer->status;
    const int64_t skew = answer->date != 0 ? answer->date - sent : 0;

    if (status == 0)
        (void)snprintf(out, HINT_SIZE, "no answer: %s", unanswered(answer->fault));
    else if (status == 400 && word[0] != '\0' && (skew > SKEW || skew < -SKEW))
        (void)snprintf(out, HINT_SIZE, "%ld: the server's clock is %" PRId64 " s %s this "
                       "machine's (timedatectl)", status, skew < 0 ? -skew : skew,
                       skew > 0 ? "ahead of" : "behind");
    else if (status >= 300 && status < 400)
        (void)snprintf(out, HINT_SIZE, "%ld: it points to %s; senders do not follow, so that is "
                       "the URL to give", status,
                       answer->location[0] != '\0' ? answer->location : "nowhere");
    else
        (void)snprintf(out, HINT_SIZE, "%ld: %s", status,
                       find(word[0] != '\0' ? by_hookspoold : by_server, status, word));
}
