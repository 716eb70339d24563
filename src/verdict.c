/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>

#include "log.h"
#include "report.h"

/* Exit statuses by which shells, env, timeout and others say that they could not. */
enum { CANNOT_RUN = 126, NOT_FOUND = 127 };

/* One run, while its events are gone through. */
struct verdict {
    struct offers *offers;
    struct offer *offer;
    const struct run_result *result;
    struct report report;
    bool reported;          /* the events in the report failed, and no others */
    bool good;              /* the others did not */
    uint64_t *acknowledged; /* positions of those that did not fail, where the ledger wants them */
    size_t acknowledged_count;
};

static void set_reason(struct failure *failure, const struct verdict *verdict)
{
    const int status = verdict->result->status;
    const int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    failure->status = sig != 0 ? 128 + sig : WEXITSTATUS(status);
    if (verdict->reported)
        snprintf(failure->reason, sizeof(failure->reason), "reported by the command");
    else if (verdict->result->timed_out)
        snprintf(failure->reason, sizeof(failure->reason), "timeout after %" PRId64 " s",
                 verdict->offers->options->timeout);
    else if (sig != 0)
        snprintf(failure->reason, sizeof(failure->reason), "signal %d (%s)", sig, strsignal(sig));
    else if (failure->status == 0)
        snprintf(failure->reason, sizeof(failure->reason), "a report of other events");
    else
        snprintf(failure->reason, sizeof(failure->reason), "exit status %d", failure->status);
    failure_set_stderr(failure, verdict->result->stderr_text, verdict->result->stderr_len);
}

/* One event of the run: failed, or acknowledged. */
static int judge(void *context, struct failure *event)
{
    struct verdict *verdict = context;
    const bool failed =
        verdict->reported ? report_names(&verdict->report, event->id) : !verdict->good;

    if (!failed) {
        if (verdict->acknowledged != NULL)
            verdict->acknowledged[verdict->acknowledged_count++] = event->position;
        return 0;
    }
    set_reason(event, verdict);
    return ledger_fail(verdict->offers->ledger, event, (int64_t)time(NULL));
}

/* Is it to be said which events were acknowledged? For those of the log the cursor does it. */
static int is_to_be_told(const struct verdict *verdict)
{
    const struct offer *offer = verdict->offer;
    struct ledger *ledger = verdict->offers->ledger;

    if (offer->lane == NULL)
        return 1;
    if (offer->lane->cursor == &ledger->cursor)
        return 0;
    return ledger_holds(ledger, offer->batch.from, offer->batch.to);
}

/* The events of the run: those that failed are recorded, the others noted as acknowledged. */
static int sort_out(struct verdict *verdict)
{
    const struct offer *offer = verdict->offer;

    if (offer->lane != NULL || verdict->reported)
        return offer_events(verdict->offers, verdict->offer, judge, verdict);
    for (size_t i = 0; i < offer->batch.count; i++) /* all of them, and where they stand is known */
        verdict->acknowledged[i] = offer->entries[offer->entry + i].position;
    verdict->acknowledged_count = offer->batch.count;
    return 0;
}

static int settle(struct verdict *verdict)
{
    const int told = is_to_be_told(verdict);

    if (told < 0)
        return -1;
    if (told == 0 && !verdict->reported)
        return 0;
    if (told > 0) {
        verdict->acknowledged =
            calloc(verdict->offer->batch.count, sizeof(*verdict->acknowledged));
        if (verdict->acknowledged == NULL) {
            log_error("cannot acknowledge events: %s", strerror(errno));
            return -1;
        }
    }
    int result = sort_out(verdict);
    if (result == 0 && verdict->acknowledged_count > 0)
        result = ledger_acknowledge(verdict->offers->ledger, verdict->acknowledged,
                                    verdict->acknowledged_count);
    free(verdict->acknowledged);
    return result;
}

/* The command ended with 0. */
static int succeed(struct verdict *verdict)
{
    struct offers *offers = verdict->offers;
    const uint64_t failed = offers->ledger->failed;

    offers->streak = 0;
    int result = settle(verdict);
    if (result == 0)
        result = offer_pass(verdict->offer);
    if (result == 0)
        offers->acknowledged += verdict->offer->batch.count - (offers->ledger->failed - failed);
    if (offers->options->ordered && offers->ledger->failed > failed)
        offers->broken = true;
    return result;
}

/* The command failed with one event. */
static int fail_alone(struct verdict *verdict)
{
    struct offers *offers = verdict->offers;
    const unsigned most = offers->options->max_failures;
    int result = offer_events(offers, verdict->offer, judge, verdict);

    if (result == 0)
        result = offer_pass(verdict->offer);
    offers->streak++;
    if (most > 0 && offers->streak >= most && !offers->broken) {
        log_error("consumer '%s': %u events in a row have failed alone: the command seems to be "
                  "broken; the rest waits", offers->ledger->consumer->name, offers->streak);
        offers->broken = true;
    }
    if (offers->options->ordered)
        offers->broken = true;
    return result;
}

static int look_up(void *context, struct failure *event)
{
    (void)report_names(context, event->id);
    return 0;
}

/* What the command printed: ids of its events and nothing else? 1, 0, -1. */
static int read_report(struct verdict *verdict)
{
    const struct run_result *result = verdict->result;
    const char *command = verdict->offers->options->command[0];

    if (result->output_len == 0)
        return 1;
    if (memchr(result->output, '\0', result->output_len) != NULL) {
        log_error("'%s' printed what are no ids", command);
        return 0;
    }
    if (report_read(&verdict->report, result->output) < 0
        || offer_events(verdict->offers, verdict->offer, look_up, &verdict->report) < 0)
        return -1;
    const char *stranger = report_stranger(&verdict->report);
    if (stranger != NULL)
        log_error("'%s' reported '%.200s' as failed, which was not among its events", command,
                  stranger);
    verdict->reported = stranger == NULL && verdict->report.count > 0;
    return stranger == NULL;
}

/*
 * Was it ended with us? When a machine goes down everybody gets SIGTERM, and shells say the same by
 * their exit status.
 */
static bool was_ended(const struct verdict *verdict)
{
    const struct run_result *result = verdict->result;
    const int status = result->status;
    const int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    bool by_signal = false;

    for (size_t i = 0; i < sizeof(runner_ends) / sizeof(runner_ends[0]); i++)
        by_signal |= code == 128 + runner_ends[i];
    return code != 0 && (result->stopped || (verdict->offers->asked > 0 && by_signal));
}

/* Nothing is counted against events that the command did not get, or had no time for. */
static bool was_run(struct verdict *verdict)
{
    const char *command = verdict->offers->options->command[0];
    const int error = verdict->result->error;
    const int status = verdict->result->status;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;

    if (error != 0) {
        log_error("cannot run '%s' to its end: %s", command, strerror(error));
        offer_end(verdict->offers, EX_IOERR);
        return false;
    }
    if (was_ended(verdict)) {
        log_warn("'%s' was ended: its events wait for the next drain", command);
        return false;
    }
    if (code != CANNOT_RUN && code != NOT_FOUND)
        return true;
    log_error("'%s' ended with status %d, which says that a command %s", command, code,
              code == NOT_FOUND ? "was not found" : "cannot be run");
    offer_end(verdict->offers, EX_CONFIG);
    return false;
}

/* Writes down what came of it: 0, or -1. */
static int decide(struct verdict *verdict)
{
    const struct run_result *result = verdict->result;
    int good = !result->timed_out && WIFEXITED(result->status) && WEXITSTATUS(result->status) == 0;

    if (result->output_over) {
        log_error("'%s' printed more than the ids of its events",
                  verdict->offers->options->command[0]);
        good = 0;
    }
    if (good && verdict->offers->options->report_failures)
        good = read_report(verdict);
    if (good < 0)
        return -1;
    verdict->good = good > 0;
    if (good)
        return succeed(verdict);
    if (verdict->offer->batch.count == 1)
        return fail_alone(verdict);
    offer_split(verdict->offer);
    return 0;
}

void verdict_conclude(struct offers *offers, struct offer *offer, struct run_result *result)
{
    struct verdict verdict = {.offers = offers, .offer = offer, .result = result};

    offer->busy = false;
    if (was_run(&verdict) && decide(&verdict) < 0)
        offer_end_doubtful(offers);
    report_release(&verdict.report);
    if (offer->depth > 0 && !offers->over && !offers->broken)
        offer_part(offers, offer);
}
