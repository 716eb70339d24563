/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "sendlog.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "member.h"
#include "out.h"
#include "when.h"

static double ms(int64_t nanoseconds)
{
    return (double)nanoseconds / 1e6;
}

/* ---- a request */

static void answer_text(const struct sendlog_line *line)
{
    const struct post_answer *answer = line->answer;
    const struct expectation *expectation = line->expectation;

    printf("%s  %s", line->id, out_style(stdout, line->met ? OUT_GOOD : OUT_BAD));
    if (answer->status == 0)
        printf("no answer");
    else
        printf("%ld%s", answer->status, line->word[0] != '\0' ? " " : "");
    out_clean(stdout, line->word, strlen(line->word));
    printf("%s  %.1f ms", out_style(stdout, OUT_PLAIN), ms(answer->nanoseconds));
    if (!line->met)
        printf(", expected %ld%s%s", expectation->status, expectation->word != NULL ? " " : "",
               expectation->word != NULL ? expectation->word : "");
    if (answer->status == 0) {
        printf(": ");
        out_clean(stdout, answer->why, strlen(answer->why));
    }
    putchar('\n');
}

static void answer_json(const struct sendlog_line *line)
{
    const struct post_answer *answer = line->answer;
    const struct expectation *expectation = line->expectation;
    char sent[WHEN_SIZE], stamp[WHEN_SIZE];

    (void)when_stamp(sent, line->sent);
    (void)when_stamp(stamp, line->stamp);
    printf("{\"kind\":\"answer\",\"id\":\"%s\",\"sent\":\"%s\",\"timestamp\":\"%s\","
           "\"bytes\":%zu,\"status\":", line->id, sent, stamp, line->bytes);
    if (answer->status == 0)
        printf("null");
    else
        printf("%ld", answer->status);
    if (line->word[0] != '\0')
        member_string("word", line->word);
    printf(",\"ms\":%.3f,\"expected_status\":%ld", ms(answer->nanoseconds), expectation->status);
    if (expectation->word != NULL)
        member_string("expected_word", expectation->word);
    member_flag("as_expected", line->met);
    if (answer->status == 0)
        member_string("error", answer->why);
    if (line->hint[0] != '\0')
        member_string("hint", line->hint);
    puts("}");
}

int sendlog_answer(const struct sendlog_line *line, bool json)
{
    if (json)
        answer_json(line);
    else
        answer_text(line);
    return out_flush();
}

/* ---- all of them */

static double rate(const struct answers *answers, int64_t nanoseconds)
{
    return nanoseconds > 0 ? (double)answers->count * 1e9 / (double)nanoseconds : 0;
}

static void summary_text(const struct answers *answers, int64_t nanoseconds)
{
    printf("%" PRId64 " request%s in %.1f s, %.1f/s, %" PRId64 " answered as expected\n",
           answers->count, answers->count == 1 ? "" : "s", (double)nanoseconds / 1e9,
           rate(answers, nanoseconds), answers->expected);
    for (size_t i = 0; i < answers->kind_count; i++) {
        const struct answer_kind *kind = &answers->kinds[i];
        printf("  %8" PRId64 "  ", kind->count);
        if (kind->status > 0)
            printf("%ld%s", kind->status, kind->word[0] != '\0' ? " " : "");
        else if (kind->status == 0)
            printf("no answer");
        out_clean(stdout, kind->word, strlen(kind->word));
        putchar('\n');
    }
    if (answers->answered > 0)
        printf("ms: min %.1f, median %.1f, p99 %.1f, max %.1f\n", ms(answers->least),
               ms(answers_time(answers, 500)), ms(answers_time(answers, 990)), ms(answers->most));
}

static void summary_json(const struct answers *answers, const char *url, int64_t nanoseconds)
{
    printf("{\"kind\":\"summary\"");
    member_string("url", url);
    printf(",\"requests\":%" PRId64 ",\"as_expected\":%" PRId64 ",\"unanswered\":%" PRId64
           ",\"seconds\":%.3f,\"per_second\":%.1f", answers->count, answers->expected,
           answers->count - answers->answered, (double)nanoseconds / 1e9,
           rate(answers, nanoseconds));
    if (answers->answered > 0)
        printf(",\"min_ms\":%.3f,\"median_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f",
               ms(answers->least), ms(answers_time(answers, 500)), ms(answers_time(answers, 990)),
               ms(answers->most));
    printf(",\"answers\":[");
    for (size_t i = 0; i < answers->kind_count; i++) {
        const struct answer_kind *kind = &answers->kinds[i];
        printf("%s{\"count\":%" PRId64, i > 0 ? "," : "", kind->count);
        if (kind->status > 0)
            printf(",\"status\":%ld", kind->status);
        else
            printf(",\"status\":null");
        if (kind->word[0] != '\0')
            member_string("word", kind->word);
        putchar('}');
    }
    puts("]}");
}

int sendlog_summary(const struct answers *answers, const char *url, int64_t nanoseconds, bool json)
{
    if (json)
        summary_json(answers, url, nanoseconds);
    else
        summary_text(answers, nanoseconds);
    return out_flush();
}
