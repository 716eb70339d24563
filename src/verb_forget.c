/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_forget.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "delivery.h"
#include "forget.h"
#include "io.h"
#include "jsonc.h"
#include "log.h"
#include "member.h"
#include "segment.h"
#include "status.h"
#include "upkeep.h"
#include "view.h"

enum { PATIENCE = 10 /* seconds that an id is waited for which is being stored */ };

struct target {
    const char *id;
    enum forget_verdict verdict;
    bool in_log; /* of one that is unknown */
};

struct request {
    const char *spool; /* its name */
    bool json, quiet;
    struct target *targets;
    size_t count, unknown;
};

/* ---- does the log hold those that have no entry? */

static int look(void *context, const struct segment_line *line)
{
    struct request *request = context;

    for (size_t i = 0; i < request->count && !line->damaged; i++) {
        struct target *target = &request->targets[i];
        if (target->verdict == FORGET_UNKNOWN && !target->in_log
            && strlen(target->id) == line->view.id_len
            && memcmp(target->id, line->view.id, line->view.id_len) == 0) {
            target->in_log = true;
            request->unknown--;
        }
    }
    return request->unknown == 0; /* then all are found */
}

static int look_for_unknown(struct request *request, struct store *store)
{
    const char *path;
    const int dir = eventlog_directory(store_log(store), &path);
    const uint64_t end = eventlog_synced(store_log(store));

    for (size_t i = 0; i < request->count; i++)
        request->unknown += request->targets[i].verdict == FORGET_UNKNOWN;
    return request->unknown == 0 ? 0 : segment_scan(dir, path, 0, end, look, request);
}

/* ---- what came of it */

static void print_json(const struct request *request, const struct target *target)
{
    static const char *const words[] = {
        [FORGET_DONE] = "forgotten", [FORGET_UNKNOWN] = "unknown", [FORGET_BUSY] = "busy",
        [FORGET_FAILED] = "failed"};

    printf("{\"spool\":");
    jsonc_put(stdout, request->spool, strlen(request->spool));
    member_string("id", target->id);
    member_string("status", words[target->verdict]);
    if (target->verdict == FORGET_UNKNOWN)
        member_flag("in_log", target->in_log);
    puts("}");
}

static int tell(const struct request *request, const struct target *target)
{
    if (request->json)
        print_json(request, target);
    switch (target->verdict) {
    case FORGET_DONE:
        if (!request->json && !request->quiet)
            printf("%s: forgotten; the next one that is sent will be stored\n", target->id);
        return EX_OK;
    case FORGET_UNKNOWN:
        log_error("spool '%s' has no entry of '%s', so it would be stored anyway; its log %s",
                  request->spool, target->id,
                  target->in_log ? "holds it, from before" : "does not hold it");
        return EX_DATAERR;
    case FORGET_BUSY:
        log_error("'%s' is being stored right now: try again", target->id);
        return EX_TEMPFAIL;
    case FORGET_FAILED:
        break;
    }
    log_error("'%s' may not be forgotten: try again", target->id);
    return EX_IOERR;
}

/* ---- the verb */

static int carry_out(struct request *request, struct store *store)
{
    const char *path;
    const int dir = lockdir_directory(store_locks(store), &path);
    int status = EX_OK;

    struct forgotten *forgotten = forgotten_open(dir, path, true);
    if (forgotten == NULL)
        return status_of(errno);
    for (size_t i = 0; i < request->count; i++) {
        struct target *target = &request->targets[i];
        target->verdict = forget_id(store, forgotten, target->id,
                                    io_now() + (int64_t)PATIENCE * 1000000000,
                                    (int64_t)time(NULL));
    }
    forgotten_close(forgotten);
    if (look_for_unknown(request, store) < 0)
        status = status_of(errno);
    for (size_t i = 0; i < request->count; i++) {
        const int one = tell(request, &request->targets[i]);
        if (status == EX_OK || one == EX_IOERR)
            status = one;
    }
    return status;
}

static int read_ids(struct request *request, struct cli *cli)
{
    request->count = (size_t)cli_count(cli);
    request->targets = calloc(request->count, sizeof(*request->targets));
    if (request->targets == NULL) {
        log_error("cannot begin: %s", strerror(errno));
        return EX_OSERR;
    }
    for (int i = 0; i < cli_count(cli); i++) {
        const char *id = cli_operand(cli, i);
        if (!delivery_is_id(id, strlen(id))) {
            log_error("'%s' is no id: " DELIVERY_IDS, id);
            return EX_DATAERR;
        }
        request->targets[i].id = id;
    }
    return EX_OK;
}

static int run(struct cli *cli)
{
    struct request request = {.json = cli_flag(cli, "json"), .quiet = cli_quiet(cli)};

    const struct config_spool *spool = cli_spool(cli, cli_text(cli, "spool"));
    if (spool == NULL)
        return EX_CONFIG;
    request.spool = spool->name;
    int status = read_ids(&request, cli);
    if (status == EX_OK) {
        struct store *store = upkeep_open(cli_config(cli), spool, &status);
        if (store != NULL) {
            status = carry_out(&request, store);
            upkeep_close(store);
        }
    }
    free(request.targets);
    return status;
}

static const struct cli_option options[] = {
    {"json", 'j', NULL, "print a line of JSON for each id", CLI_NOTHING},
    VIEW_SPOOL,
    {0}};

const struct verb verb_forget = {
    .name = "forget",
    .operands = "ID...",
    .least = 1,
    .most = -1,
    .summary = "forget ids, so that what is sent again is stored again",
    .help =
        "A spool stores each id once, and answers what is sent again as a duplicate.\n"
        "Before the sender resends an event by hand, because a job needs it anew, forget\n"
        "its id: the copy is stored as a new line, and every consumer is offered it. The\n"
        "old line stays in the log until it is purged. To offer a stored event again\n"
        "without the sender, use replay.\n"
        "\n"
        "It may run beside hookspoold.\n"
        "\n"
        "Exit status: 0, all are forgotten; 65, an id has no entry, and the message says\n"
        "whether the log holds it; 75, an id is being stored right now, or the spool is\n"
        "being repaired.",
    .example = "hookspool forget msg_2KxQ8sGkCUcTdPD4Ksm9x",
    .words = CLI_NOTHING,
    .options = options,
    .run = run};
