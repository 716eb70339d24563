/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "campaign.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "crypto.h"
#include "expect.h"
#include "hint.h"
#include "io.h"
#include "jsonc.h"
#include "log.h"
#include "payload.h"
#include "post.h"
#include "sender.h"
#include "sendlog.h"
#include "answers.h"

/* One that runs. */
struct sending {
    const struct campaign *campaign;
    struct post *post;
    struct answers answers;
    struct post_answer answer; /* the last */
};

/* One event of it. */
struct event_sent {
    char id[DELIVERY_ID_MAX + 1];
    const char *body;
    size_t body_len;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESTART | (int)SA_RESETHAND};

    sigemptyset(&action.sa_mask);
    stopped = 0;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

/* ---- a request */

/* hookspoold's word out of {"status":"stored"}, or "". */
static void find_word(const struct post_answer *answer, char word[ANSWERS_WORD])
{
    size_t body_len = answer->body_len, len = 0;

    while (body_len > 0 && strchr("\r\n", answer->body[body_len - 1]) != NULL)
        body_len--;
    struct jsonc *json = jsonc_parse(answer->body, body_len);
    const char *text = json == NULL ? NULL : jsonc_text(json, "status", &len);
    word[0] = '\0';
    if (text != NULL && len < ANSWERS_WORD && strlen(text) == len)
        strcpy(word, text);
    jsonc_free(json);
}

/* Signs it anew, as a sender does for each attempt, and asks. */
static int ask(struct sending *sending, const struct event_sent *event, int64_t stamp)
{
    const struct campaign *campaign = sending->campaign;
    struct sender_headers headers;
    const char *lines[SENDER_HEADERS + 1] = {"Content-Type: application/json"};

    if (sender_sign(&headers, campaign->claim.family, campaign->key, event->id, stamp, event->body,
                    event->body_len) < 0)
        return -1;
    for (int i = 0; i < SENDER_HEADERS; i++)
        lines[i + 1] = headers.line[i];
    const int rc = post_send(sending->post, lines, SENDER_HEADERS + 1, event->body, event->body_len,
                             &sending->answer);
    crypto_wipe(&headers, sizeof(headers));
    if (rc < 0)
        log_error("cannot send: %s", strerror(errno));
    return rc;
}

/* Counts the answer and prints it. What is wrong gets a hint, the first time. */
static int judge(struct sending *sending, struct sendlog_line line)
{
    const struct campaign *campaign = sending->campaign;
    char word[ANSWERS_WORD], hint[HINT_SIZE] = "";

    find_word(&sending->answer, word);
    line.answer = &sending->answer;
    line.word = word;
    line.met = expect_met(line.expectation, sending->answer.status, word);
    struct answer_kind *kind = answers_add(&sending->answers, sending->answer.status, word,
                                           line.met, sending->answer.nanoseconds);
    if (!line.met)
        hint_write(hint, &sending->answer, word, line.sent);
    line.hint = hint;
    const int rc = campaign->quiet && line.met ? 0 : sendlog_answer(&line, campaign->json);
    if (!line.met && !kind->told) {
        log_warn("%s", hint);
        kind->told = true;
    }
    return rc;
}

/* EX_OK, whatever the answer, or a status to end with. */
static int attempt(struct sending *sending, const struct event_sent *event, bool again)
{
    const struct campaign *campaign = sending->campaign;
    const int64_t now = (int64_t)time(NULL);
    const int64_t given = campaign->claim.stamp;
    const int64_t stamp = given != 0 ? given : now - campaign->age;
    const struct test_event facts = {campaign->endpoint, event->body, event->body_len, now - stamp,
                                     campaign->bad_signature};
    struct expectation expectation;
    const struct sendlog_line line = {.id = event->id, .sent = now, .stamp = stamp,
                                      .bytes = event->body_len, .expectation = &expectation};

    if (expect_answer(&expectation, &facts, again) < 0) {
        log_error("cannot read the body: %s", strerror(errno));
        return EX_OSERR;
    }
    if (sending->answers.count == 0 && !campaign->json && !campaign->quiet) {
        printf("POST %s\n%zu bytes; expected: %ld%s%s%s%s%s\n", campaign->url, event->body_len,
               expectation.status, expectation.word != NULL ? " " : "",
               expectation.word != NULL ? expectation.word : "",
               campaign->duplicate && expectation.why == NULL ? ", then 200 duplicate" : "",
               expectation.why != NULL ? ", for " : "",
               expectation.why != NULL ? expectation.why : "");
    }
    if (ask(sending, event, stamp) < 0)
        return EX_OSERR;
    return judge(sending, line) < 0 ? EX_IOERR : EX_OK;
}

/* ---- an event, and all of them */

static int send_event(struct sending *sending)
{
    const struct campaign *campaign = sending->campaign;
    struct event_sent event = {.body = campaign->body, .body_len = campaign->body_len};
    char *made = NULL;

    if (campaign->claim.id != NULL)
        strcpy(event.id, campaign->claim.id);
    else if (sender_id(event.id) < 0)
        return EX_OSERR;
    if (event.body == NULL) {
        made = payload_make(campaign->type, (int64_t)time(NULL), campaign->least,
                            &event.body_len);
        if (made == NULL)
            return EX_OSERR;
        event.body = made;
    }
    int status = attempt(sending, &event, false);
    if (status == EX_OK && campaign->duplicate && sending->answer.status != 0)
        status = attempt(sending, &event, true);
    free(made);
    return status;
}

static int send_all(struct sending *sending)
{
    const struct campaign *campaign = sending->campaign;
    struct pace pace = campaign->pace;
    int status = EX_OK;

    pace.start = io_now();
    for (int64_t i = 0; i < campaign->count && status == EX_OK; i++) {
        if (pace_wait(&pace, i) < 0 || stopped)
            break;
        status = send_event(sending);
        if (sending->answer.status == 0 && sending->answer.fault != POST_OTHER)
            break; /* that will not be otherwise the next time */
    }
    const int64_t took = io_now() - pace.start;
    if (status == EX_OK && (sending->answers.count > 1 || campaign->json)
        && sendlog_summary(&sending->answers, campaign->url, took, campaign->json) < 0)
        status = EX_IOERR;
    if (status != EX_OK)
        return status;
    if (sending->answers.answered > sending->answers.expected)
        return EX_DATAERR;
    return sending->answers.answered < sending->answers.count ? EX_UNAVAILABLE : EX_OK;
}

int campaign_run(const struct campaign *campaign)
{
    struct sending *sending = calloc(1, sizeof(*sending));
    int status;

    if (sending == NULL) {
        log_error("cannot begin: %s", strerror(errno));
        return EX_OSERR;
    }
    sending->campaign = campaign;
    sending->post = post_open(campaign->url, campaign->insecure);
    if (sending->post == NULL) {
        status = errno == EINVAL ? EX_USAGE : errno == ELIBACC ? EX_UNAVAILABLE : EX_OSERR;
    } else {
        catch_signals();
        status = send_all(sending);
    }
    post_close(sending->post);
    free(sending);
    return status;
}
