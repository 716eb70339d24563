/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "tally.h"

#include <string.h>

/* ---- times: below 2 * TALLY_STEPS microseconds each its own step, then ever wider ones */

static size_t step_of(int64_t nanoseconds)
{
    const uint64_t micros = nanoseconds < 0 ? 0 : (uint64_t)nanoseconds / 1000;
    unsigned shift = 0;

    while (shift < TALLY_SHIFTS && micros >> shift >= 2 * TALLY_STEPS)
        shift++;
    const uint64_t step = micros >> shift;
    return shift * TALLY_STEPS + (step < 2 * TALLY_STEPS ? step : 2 * TALLY_STEPS - 1);
}

/* The middle of a step, in nanoseconds. */
static int64_t middle_of(size_t step)
{
    const size_t shift = step < 2 * TALLY_STEPS ? 0 : step / TALLY_STEPS - 1;
    const int64_t width = (int64_t)1000 << shift;

    return (int64_t)(step - shift * TALLY_STEPS) * width + width / 2;
}

int64_t tally_time(const struct tally *tally, unsigned permille)
{
    const int64_t rank = (tally->answered * permille + 999) / 1000;
    int64_t seen = 0;
    size_t step = 0;

    if (tally->answered == 0)
        return 0;
    while ((seen += tally->steps[step]) < rank)
        step++;
    const int64_t time = middle_of(step);
    return time < tally->least ? tally->least : time > tally->most ? tally->most : time;
}

/* ---- kinds */

static struct tally_kind *find_kind(struct tally *tally, long status, const char *word)
{
    size_t i = 0;

    while (i < tally->kind_count && (tally->kinds[i].status != status
                                     || strcmp(tally->kinds[i].word, word) != 0))
        i++;
    if (i == TALLY_KINDS)
        return &tally->kinds[TALLY_KINDS - 1];
    if (i == tally->kind_count) {
        tally->kind_count++;
        tally->kinds[i].status = status;
        strcpy(tally->kinds[i].word, word);
        if (i == TALLY_KINDS - 1) {
            tally->kinds[i].status = -1;
            strcpy(tally->kinds[i].word, "others");
        }
    }
    return &tally->kinds[i];
}

struct tally_kind *tally_answer(struct tally *tally, long status, const char *word, bool expected,
                                int64_t nanoseconds)
{
    char kept[TALLY_WORD] = "";

    strncpy(kept, word, sizeof(kept) - 1);
    struct tally_kind *kind = find_kind(tally, status, kept);
    kind->count++;
    tally->count++;
    tally->expected += expected;
    if (status == 0)
        return kind;
    if (tally->answered++ == 0 || nanoseconds < tally->least)
        tally->least = nanoseconds;
    if (nanoseconds > tally->most)
        tally->most = nanoseconds;
    tally->steps[step_of(nanoseconds)]++;
    return kind;
}
