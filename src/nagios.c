/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "nagios.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "when.h"

struct check {
    const struct nagios_limits *limits;
    enum nagios_state worst;
    FILE *details, *data; /* lines of what is wrong; performance data */
    char *details_text, *data_text;
    size_t details_len, data_len;
    uint64_t waiting, failed, dead; /* of all consumers of the configuration */
    int64_t last;                   /* when the last event came; 0: never */
};

static const char *const names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

/* Which is worse: not to know is more than a warning. */
static int badness(enum nagios_state state)
{
    static const int order[] = {0, 1, 3, 2};

    return order[state];
}

static void __attribute__((format(printf, 3, 4)))
complain(struct check *check, enum nagios_state state, const char *format, ...)
{
    va_list args;

    if (badness(state) > badness(check->worst))
        check->worst = state;
    fprintf(check->details, "%s: ", names[state]);
    va_start(args, format);
    vfprintf(check->details, format, args);
    va_end(args);
    putc('\n', check->details);
}

static enum nagios_state judge(const struct nagios_limit *limit, int64_t value)
{
    if (value > limit->critical)
        return NAGIOS_CRITICAL;
    return value > limit->warning ? NAGIOS_WARNING : NAGIOS_OK;
}

/* 'label'=value[unit];[warning];[critical];0 */
static void put_data(struct check *check, const struct survey *survey, const char *consumer,
                     const char *what, int64_t value, const char *unit,
                     const struct nagios_limit *limit)
{
    const int64_t bounds[] = {limit->warning, limit->critical};

    fprintf(check->data, " '%s%s%s_%s'=%" PRId64 "%s", survey->config->name,
            consumer[0] != '\0' ? "_" : "", consumer, what, value, unit);
    for (int i = 0; i < 2; i++) {
        putc(';', check->data);
        if (bounds[i] != INT64_MAX)
            fprintf(check->data, "%" PRId64, bounds[i]);
    }
    fputs(";0", check->data);
}

static void check_silence(struct check *check, const struct survey *survey)
{
    const struct nagios_limit *limit = &check->limits->silence;
    const char *name = survey->config->name;
    char age[WHEN_AGE_SIZE];

    if (survey->last == 0) { /* since ever: longer than any limit */
        const enum nagios_state state = judge(limit, INT64_MAX - 1);
        if (state != NAGIOS_OK)
            complain(check, state, "spool %s: no event was ever stored", name);
        return;
    }
    const int64_t silence = survey->last < survey->now ? survey->now - survey->last : 0;
    const enum nagios_state state = judge(limit, silence);
    put_data(check, survey, "", "silence", silence, "s", limit);
    if (state != NAGIOS_OK)
        complain(check, state, "spool %s: no event was stored for %s", name,
                 when_age(age, silence));
}

static void check_consumer(struct check *check, const struct survey *survey, size_t which)
{
    const struct standing *standing = &survey->standings.list[which];
    const struct tally *tally = &survey->backlogs.list[which].tally;
    const struct nagios_limits *limits = check->limits;
    const int64_t oldest = tally->oldest < survey->now ? survey->now - tally->oldest : 0;
    char age[WHEN_AGE_SIZE];
    const struct {
        const char *label, *one, *many;
        int64_t value;
        const struct nagios_limit *limit;
    } counts[] = {
        {"waiting", "event waits", "events wait", (int64_t)tally->total.events, &limits->backlog},
        {"failed", "event has failed", "events have failed", (int64_t)standing->failed,
         &limits->failed},
        {"dead", "event is dead", "events are dead", (int64_t)standing->dead, &limits->dead}};

    put_data(check, survey, standing->name, "oldest", oldest, "s", &limits->age);
    if (judge(&limits->age, oldest) != NAGIOS_OK)
        complain(check, judge(&limits->age, oldest),
                 "consumer %s: the oldest event waits for %s", standing->name,
                 when_age(age, oldest));
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        const enum nagios_state state = judge(counts[i].limit, counts[i].value);
        put_data(check, survey, standing->name, counts[i].label, counts[i].value, "",
                 counts[i].limit);
        if (state != NAGIOS_OK)
            complain(check, state, "consumer %s: %" PRId64 " %s", standing->name, counts[i].value,
                     counts[i].value == 1 ? counts[i].one : counts[i].many);
    }
    check->waiting += tally->total.events;
    check->failed += standing->failed;
    check->dead += standing->dead;
}

static void check_spool(struct check *check, const struct survey *survey)
{
    if (!survey->read) {
        complain(check, NAGIOS_UNKNOWN, "spool %s: %s", survey->config->name,
                 survey->made ? "it cannot be read" : "hookspoold has not made it yet");
        return;
    }
    check_silence(check, survey);
    if (survey->last > check->last)
        check->last = survey->last;
    for (size_t i = 0; i < survey->standings.count; i++) {
        const struct standing *standing = &survey->standings.list[i];
        if (standing->unread)
            complain(check, NAGIOS_UNKNOWN, "consumer %s: it cannot be read", standing->name);
        else if (standing->config != NULL)
            check_consumer(check, survey, i);
    }
}

/* The line that is always shown. What is wrong stands in it, the worst first. */
static void put_status(const struct check *check, int64_t now)
{
    char age[WHEN_AGE_SIZE];
    size_t shown = 0;

    printf("HOOKSPOOL %s - ", names[check->worst]);
    for (int state = 3; state > 0; state--) {
        static const enum nagios_state worst_first[] = {NAGIOS_OK, NAGIOS_WARNING, NAGIOS_UNKNOWN,
                                                        NAGIOS_CRITICAL};
        const char *name = names[worst_first[state]];
        for (const char *line = check->details_text; *line != '\0';) {
            const size_t len = strcspn(line, "\n");
            const size_t head = strlen(name) + 2;
            if (strncmp(line, name, strlen(name)) == 0)
                printf("%s%.*s", shown++ > 0 ? "; " : "", (int)(len - head), line + head);
            line += len + 1;
        }
    }
    if (shown == 0) {
        printf("%" PRIu64 " waiting, %" PRIu64 " failed, %" PRIu64 " dead", check->waiting,
               check->failed, check->dead);
        if (check->last > 0)
            printf("; last event %s ago", when_age(age, now - check->last));
    }
    printf(" |%s\n", check->data_text);
    fputs(check->details_text, stdout);
}

enum nagios_state nagios_unknown(const char *why)
{
    printf("HOOKSPOOL UNKNOWN - %s\n", why);
    return NAGIOS_UNKNOWN;
}

enum nagios_state nagios_put(const struct survey *surveys, size_t count,
                             const struct nagios_limits *limits)
{
    struct check check = {.limits = limits};

    check.details = open_memstream(&check.details_text, &check.details_len);
    check.data = open_memstream(&check.data_text, &check.data_len);
    for (size_t i = 0; i < count && check.details != NULL && check.data != NULL; i++)
        check_spool(&check, &surveys[i]);
    const bool written = (check.details != NULL && fclose(check.details) == 0)
                       & (check.data != NULL && fclose(check.data) == 0);
    if (!written)
        check.worst = nagios_unknown("no memory");
    else if (check.worst != NAGIOS_OK || !limits->quiet)
        put_status(&check, count > 0 ? surveys[0].now : 0);
    free(check.details_text);
    free(check.data_text);
    return check.worst;
}
