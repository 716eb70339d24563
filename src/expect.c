/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "expect.h"

#include <string.h>

#include "event.h"

int64_t expect_tolerance(const struct config_endpoint *endpoint)
{
    return endpoint != NULL ? endpoint->tolerance : EXPECT_TOLERANCE;
}

uint64_t expect_max_body(const struct config_endpoint *endpoint)
{
    return endpoint != NULL ? endpoint->max_body : EXPECT_MAX_BODY;
}

/* Is its type, as hookspoold finds it, one that is subscribed? */
static int is_wanted(const struct test_event *event, bool *wanted)
{
    struct event found = {.body = event->body, .body_len = event->body_len};

    *wanted = true;
    if (event->endpoint == NULL)
        return 0;
    if (event_examine(&found, event->endpoint->default_type) < 0)
        return -1;
    *wanted = config_wants(event->endpoint, found.type);
    return 0;
}

int expect_answer(struct expectation *expectation, const struct test_event *event, bool again)
{
    const int64_t tolerance = expect_tolerance(event->endpoint);
    bool wanted;

    if (is_wanted(event, &wanted) < 0)
        return -1;
    if (event->body_len > expect_max_body(event->endpoint))
        *expectation = (struct expectation){413, NULL, "its body is over max_body"};
    else if (event->age > tolerance || event->age < -tolerance)
        *expectation = (struct expectation){400, NULL, "its time is beyond tolerance"};
    else if (event->bad_signature)
        *expectation = (struct expectation){401, NULL, "its signature is bad"};
    else if (!wanted)
        *expectation = (struct expectation){200, "ignored", "its type is not among the events"};
    else
        *expectation = (struct expectation){200, again ? "duplicate" : "stored", NULL};
    return 0;
}

bool expect_met(const struct expectation *expectation, long status, const char *word)
{
    return status == expectation->status
        && (expectation->word == NULL || strcmp(expectation->word, word) == 0);
}
