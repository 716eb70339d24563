/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "flaw.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "jsonc.h"
#include "out.h"

enum { TOLD = 20 /* lines of text of one kind, without -v */ };

static const struct {
    const char *word;     /* in JSON */
    const char *text;
    const char *repaired; /* what was done; NULL: nothing is */
} kinds[FLAW_KINDS] = {
    [FLAW_DAMAGED_LINE] = {"damaged_line", "a line does not prove itself", "moved aside"},
    [FLAW_UNFINISHED_LINE] = {"unfinished_line", "a closed segment ends within a line",
                              "moved aside"},
    [FLAW_MISSING_BYTES] = {"missing_bytes", "bytes are missing before the next segment",
                            "noted as lost"},
    [FLAW_NO_FILE] = {"no_file", "is no regular file", NULL},
    [FLAW_SETTLED] = {"settled", "the position is none where a line of the log begins",
                      "set right"},
    [FLAW_STATE] = {"state", "does not fit the segments", "begun anew"},
    [FLAW_MISSING_SHARD] = {"missing_shard", "the directory is missing", "made again"},
    [FLAW_MISSING_ENTRY] = {"missing_entry", "an id of the log has no entry", "made again"},
    [FLAW_DUPLICATE_ID] = {"duplicate_id", "an id stands in the log twice", NULL},
    [FLAW_SMALL_FILE] = {"small_file", "cannot be read as what it ought to be", "set right"},
    [FLAW_CURSOR] = {"cursor", "is no position in the log", NULL},
    [FLAW_JOURNAL_LINE] = {"journal_line", "a line does not prove itself", "moved aside"},
    [FLAW_REPLAY] = {"replay", "is no request to replay events", NULL},
    [FLAW_LOST_BYTES] = {"lost_bytes", "bytes are missing, as was noted before", NULL},
    [FLAW_BLANK_LINE] = {"blank_line", "a damaged line was moved aside before", NULL},
    [FLAW_GIVEN_UP] = {"given_up", "bytes behind the end were given up, and are no part of it",
                       NULL},
    [FLAW_TAIL] = {"tail", "bytes behind the last line; a repair cuts them, or moves them aside",
                   NULL},
    [FLAW_STRAY_ENTRY] = {"stray_entry", "is no entry that anybody looks for", NULL},
    [FLAW_UNLOGGED] = {"unlogged_entry", "an entry of a day that the log holds has no event there",
                       NULL},
    [FLAW_PENDING] = {"pending", "a writer died; the next purge removes what he left", NULL},
    [FLAW_UNENTERED] = {"unentered", "an id of the unsettled tail has no entry yet", NULL},
    [FLAW_UNKNOWN_FILE] = {"unknown_file", "is not one of ours", NULL},
    [FLAW_UNCONFIGURED] = {"unconfigured", "the consumer is not in the configuration", NULL},
};

static void put_text(const struct flaws *flaws, const struct flaw *flaw)
{
    printf("%s: ", flaws->spool);
    if (flaw->file != NULL) {
        out_clean(stdout, flaw->file, strlen(flaw->file));
        printf(": ");
    }
    printf("%s%s", flaw->kind >= FLAW_LOST_BYTES ? "note: " : "", kinds[flaw->kind].text);
    if (flaw->len > 0)
        printf(", %" PRIu64 " bytes", flaw->len);
    if (flaw->placed)
        printf(", position %" PRIu64, flaw->position);
    if (flaw->id != NULL) {
        printf(", event ");
        out_clean(stdout, flaw->id, strlen(flaw->id));
    }
    if (flaw->more != NULL) {
        printf(": ");
        out_clean(stdout, flaw->more, strlen(flaw->more));
    }
    printf("%s%s\n", flaw->repaired ? "; " : "", flaw->repaired ? kinds[flaw->kind].repaired : "");
}

static void put_string(const char *name, const char *text)
{
    if (text == NULL)
        return;
    printf(",\"%s\":", name);
    jsonc_put(stdout, text, strlen(text));
}

static void put_json(const struct flaws *flaws, const struct flaw *flaw)
{
    printf("{\"spool\":");
    jsonc_put(stdout, flaws->spool, strlen(flaws->spool));
    printf(",\"kind\":\"%s\",\"damage\":%s,\"repaired\":%s", kinds[flaw->kind].word,
           flaw->kind < FLAW_LOST_BYTES ? "true" : "false", flaw->repaired ? "true" : "false");
    put_string("file", flaw->file);
    if (flaw->placed)
        printf(",\"position\":%" PRIu64, flaw->position);
    if (flaw->len > 0)
        printf(",\"length\":%" PRIu64, flaw->len);
    put_string("id", flaw->id);
    put_string("detail", flaw->more);
    put_string("text", kinds[flaw->kind].text);
    puts("}");
}

void flaws_add(struct flaws *flaws, const struct flaw *flaw)
{
    const bool damage = flaw->kind < FLAW_LOST_BYTES;

    flaws->counts[flaw->kind]++;
    flaws->damage += damage;
    flaws->notes += !damage;
    flaws->repaired += flaw->repaired;
    if (!damage && !flaws->json && !flaws->verbose && flaws->counts[flaw->kind] > 1)
        return; /* of notes, one of a kind is enough */
    if (!flaws->json && !flaws->verbose && flaws->counts[flaw->kind] > TOLD)
        return;
    progress_wipe(flaws->progress);
    if (flaws->json)
        put_json(flaws, flaw);
    else
        put_text(flaws, flaw);
}

void flaws_end(struct flaws *flaws)
{
    for (int kind = 0; kind < FLAW_KINDS && !flaws->json && !flaws->verbose; kind++) {
        const uint64_t told = kind < FLAW_LOST_BYTES ? TOLD : 1;
        if (flaws->counts[kind] > told)
            printf("%s: and %" PRIu64 " more: %s\n", flaws->spool, flaws->counts[kind] - told,
                   kinds[kind].text);
    }
}
