/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "answers.h"

#include <string.h>

/* ---- times: below 2 * ANSWERS_STEPS microseconds each its own step, then ever wider ones */

static size_t step_of(int64_t nanoseconds)
{
    const uint64_t micros = nanoseconds < 0 ? 0 : (uint64_t)nanoseconds / 1000;
    unsigned shift = 0;

    while (shift < ANSWERS_SHIFTS && micros >> shift >= 2 * ANSWERS_STEPS)
        shift++;
    const uint64_t step = micros >> shift;
    return shift * ANSWERS_STEPS + (step < 2 * ANSWERS_STEPS ? step : 2 * ANSWERS_STEPS - 1);
}

/* The middle of a step, in nanoseconds. */
static int64_t middle_of(size_t step)
{
    const size_t shift = step < 2 * ANSWERS_STEPS ? 0 : step / ANSWERS_STEPS - 1;
    const int64_t width = (int64_t)1000 << shift;

    return (int64_t)(step - shift * ANSWERS_STEPS) * width + width / 2;
}

int64_t answers_time(const struct answers *answers, unsigned permille)
{
    const int64_t rank = (answers->answered * permille + 999) / 1000;
    int64_t seen = 0;
    size_t step = 0;

    if (answers->answered == 0)
        return 0;
    while ((seen += answers->steps[step]) < rank)
        step++;
    const int64_t time = middle_of(step);
    return time < answers->least ? answers->least : time > answers->most ? answers->most : time;
}

/* ---- kinds */

static struct answer_kind *find_kind(struct answers *answers, long status, const char *word)
{
    size_t i = 0;

    while (i < answers->kind_count && (answers->kinds[i].status != status
                                     || strcmp(answers->kinds[i].word, word) != 0))
        i++;
    if (i == ANSWERS_KINDS)
        return &answers->kinds[ANSWERS_KINDS - 1];
    if (i == answers->kind_count) {
        answers->kind_count++;
        answers->kinds[i].status = status;
        strcpy(answers->kinds[i].word, word);
        if (i == ANSWERS_KINDS - 1) {
            answers->kinds[i].status = -1;
            strcpy(answers->kinds[i].word, "others");
        }
    }
    return &answers->kinds[i];
}

struct answer_kind *answers_add(struct answers *answers, long status, const char *word,
                                bool expected, int64_t nanoseconds)
{
    char kept[ANSWERS_WORD] = "";

    strncpy(kept, word, sizeof(kept) - 1);
    struct answer_kind *kind = find_kind(answers, status, kept);
    kind->count++;
    answers->count++;
    answers->expected += expected;
    if (status == 0)
        return kind;
    if (answers->answered++ == 0 || nanoseconds < answers->least)
        answers->least = nanoseconds;
    if (nanoseconds > answers->most)
        answers->most = nanoseconds;
    answers->steps[step_of(nanoseconds)]++;
    return kind;
}
