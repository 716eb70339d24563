/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sysexits.h>
#include <unistd.h>

#include "durable.h"
#include "exhibit.h"
#include "follow.h"
#include "io.h"
#include "jsonc.h"
#include "log.h"
#include "out.h"
#include "release.h"
#include "ringview.h"
#include "status.h"
#include "when.h"

enum { EFFORT = 8 * 1024 * 1024 }; /* bytes gone through for each request of a list */

/* One endpoint that is looked at. */
struct task {
    struct cli *cli;
    const struct config *config;
    const struct config_endpoint *endpoint;
    struct keyring keyring;
    struct ringview view;
    uint64_t shown; /* the last number that was listed */
};

static int out_of_memory(void)
{
    log_error("cannot explain a request: %s", strerror(errno));
    return EX_OSERR;
}

/* ---- the endpoints there are */

static int count_kept(const struct config *config, const struct config_endpoint *endpoint,
                      size_t *count, int64_t *last)
{
    struct ringview view = RINGVIEW_CLOSED;
    struct kept kept;
    int result = -1;

    *last = 0;
    uint64_t *numbers =
        ringview_open(&view, config, endpoint) < 0 ? NULL : ringview_numbers(&view, count);
    if (numbers != NULL)
        result = *count == 0 ? 0 : ringview_read(&view, numbers[*count - 1], &kept);
    if (result > 0) {
        *last = kept.head->came;
        kept_release(&kept);
    }
    free(numbers);
    ringview_close(&view);
    return result < 0 ? -1 : 0;
}

static void put_endpoint(const struct config_endpoint *endpoint, size_t count, int64_t last,
                         bool json)
{
    char stamp[WHEN_SIZE] = "-";

    if (last != 0)
        (void)when_stamp(stamp, last);
    if (!json) {
        printf("%-16s  %4zu of %-4u  %-20s  %s\n", endpoint->name, count, endpoint->inspect, stamp,
               endpoint->description);
        return;
    }
    printf("{\"endpoint\":\"%s\",\"description\":", endpoint->name);
    jsonc_put(stdout, endpoint->description, strlen(endpoint->description));
    printf(",\"path\":\"%s\",\"inspect\":%u,\"kept\":%zu,\"last\":", endpoint->path,
           endpoint->inspect, count);
    printf(last == 0 ? "null}\n" : "\"%s\"}\n", stamp);
}

static int list_endpoints(struct cli *cli)
{
    const struct config *config = cli_config(cli);
    const bool json = cli_flag(cli, "json");
    int64_t last;
    size_t count;

    if (config == NULL)
        return EX_CONFIG;
    if (!json)
        printf("%-16s  %-12s  %-20s  %s\n", "ENDPOINT", "KEPT", "LAST", "DESCRIPTION");
    for (size_t i = 0; i < config->endpoint_count; i++) {
        if (count_kept(config, &config->endpoints[i], &count, &last) < 0)
            return status_of(errno);
        put_endpoint(&config->endpoints[i], count, last, json);
    }
    return out_flush() < 0 ? EX_IOERR : EX_OK;
}

/* ---- the list of one */

static int list_one(struct task *task, const struct kept *kept)
{
    struct exhibit exhibit;

    if (exhibit_make(&exhibit, kept, task->endpoint, &task->keyring,
                     exhibit_refused(kept) ? EFFORT : 0) < 0)
        return out_of_memory();
    if (cli_flag(task->cli, "json"))
        exhibit_json(&exhibit, false);
    else
        exhibit_list(&exhibit);
    return EX_OK;
}

/* Those behind what was shown already, and of them the last so many. */
static int list_new(struct task *task, size_t most, size_t *listed)
{
    struct kept kept;
    int status = EX_OK, found = 1;
    size_t count;

    *listed = 0;
    uint64_t *numbers = ringview_numbers(&task->view, &count);
    if (numbers == NULL)
        return status_of(errno);
    if (count > 0 && numbers[count - 1] < task->shown)
        task->shown = 0; /* forgotten meanwhile: it begins anew */
    size_t from = 0;
    while (from < count && (numbers[from] <= task->shown || count - from > most))
        from++;
    for (size_t i = from; i < count && status == EX_OK && found >= 0; i++) {
        found = ringview_read(&task->view, numbers[i], &kept);
        if (found == 0 && cli_verbose(task->cli))
            log_warn("request %" PRIu64 " was written over, or is damaged", numbers[i]);
        if (found > 0) {
            status = list_one(task, &kept);
            kept_release(&kept);
            ++*listed;
        }
        task->shown = numbers[i];
    }
    free(numbers);
    if (status == EX_OK && found < 0)
        return status_of(errno);
    return status == EX_OK && out_flush() < 0 ? EX_IOERR : status;
}

static void tell_none(const struct task *task)
{
    if (cli_quiet(task->cli) || cli_flag(task->cli, "json"))
        return;
    if (task->endpoint->inspect == 0)
        printf("endpoint %s keeps no requests: put inspect = 20 into its section, and reload "
               "hookspoold\n", task->endpoint->name);
    else
        printf("no request has been kept of endpoint %s; has hookspoold been reloaded since "
               "inspect was set?\n", task->endpoint->name);
}

/* Wakes when a ring of the spool is written to; it need not be there yet. */
static struct follow *watch(const struct task *task)
{
    char *spool;

    if (asprintf(&spool, "%s/%s", task->config->spool_dir, task->endpoint->spool) < 0)
        return NULL;
    const int parent = io_openat(AT_FDCWD, spool, O_RDONLY | O_DIRECTORY, 0);
    if (parent < 0)
        log_error("cannot open directory '%s': %s", spool, strerror(errno));
    const int dir = parent < 0 ? -1 : durable_directory(parent, spool, "inspect");
    struct follow *follow = dir < 0 ? NULL : follow_open(dir, task->view.directory);
    if (follow != NULL
        && follow_watch(follow, dir, task->view.directory, IN_CREATE | IN_MODIFY) < 0) {
        follow_close(follow);
        follow = NULL;
    }
    if (parent >= 0)
        close(parent);
    free(spool);
    return follow; /* dir stays open with it */
}

static int follow_on(struct task *task, struct follow *follow)
{
    struct pollfd ready = {.fd = follow_fd(follow), .events = POLLIN};
    size_t listed;
    int status = EX_OK;

    while (status == EX_OK) {
        if (poll(&ready, 1, -1) < 0 && errno != EINTR) {
            log_error("cannot wait: %s", strerror(errno));
            return EX_OSERR;
        }
        if (follow_clear(follow) < 0)
            return EX_IOERR;
        status = list_new(task, SIZE_MAX, &listed);
    }
    return status;
}

static int list(struct task *task)
{
    struct follow *follow = NULL;
    int64_t last;
    size_t listed;

    if (cli_number(task->cli, "last", 1, RINGFILE_SLOTS, RINGFILE_SLOTS, &last) < 0)
        return EX_USAGE;
    if (cli_flag(task->cli, "follow") && (follow = watch(task)) == NULL)
        return status_of(errno);
    int status = list_new(task, (size_t)last, &listed);
    if (status == EX_OK && listed == 0 && follow == NULL)
        tell_none(task);
    if (status == EX_OK && follow != NULL)
        status = follow_on(task, follow);
    follow_close(follow);
    return status;
}

/* ---- one of them */

static int show_kept(struct task *task, const struct kept *kept)
{
    struct exhibit exhibit;

    if (cli_flag(task->cli, "body")) {
        if (kept->body == NULL) {
            log_error("the body of request %" PRIu64 " was not read", kept->head->number);
            return EX_DATAERR;
        }
        fwrite(kept->body, 1, kept->head->body_len, stdout);
        if (kept_is_cut(kept))
            log_warn("only %u of its %" PRIu64 " bytes are kept", kept->head->body_len,
                     kept->head->sent);
        return out_flush() < 0 ? EX_IOERR : EX_OK;
    }
    const bool raw = cli_flag(task->cli, "raw");
    if (exhibit_make(&exhibit, kept, task->endpoint, &task->keyring, raw ? 0 : EXPLAIN_EFFORT) < 0)
        return out_of_memory();
    if (raw)
        exhibit_raw(&exhibit);
    else if (cli_flag(task->cli, "json"))
        exhibit_json(&exhibit, true);
    else
        exhibit_full(&exhibit);
    return out_flush() < 0 ? EX_IOERR : EX_OK;
}

static int show(struct task *task)
{
    struct kept kept;
    int64_t number;
    size_t count;

    if (cli_number(task->cli, "show", 1, INT64_MAX, 0, &number) < 0)
        return EX_USAGE;
    uint64_t *numbers = ringview_numbers(&task->view, &count); /* reads the layout, too */
    if (numbers == NULL)
        return status_of(errno);
    free(numbers);
    const int found = count == 0 ? 0 : ringview_read(&task->view, (uint64_t)number, &kept);
    if (found < 0)
        return status_of(errno);
    if (found == 0) {
        log_error("request %" PRId64 " of endpoint %s is not kept (any more)", number,
                  task->endpoint->name);
        return EX_DATAERR;
    }
    const int status = show_kept(task, &kept);
    kept_release(&kept);
    return status;
}

/* ---- the verb */

static int check_options(const struct cli *cli)
{
    static const char *const modes[] = {"follow", "show", "release", "clear"};
    const bool shows = cli_flag(cli, "show");
    int given = 0;

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        given += cli_flag(cli, modes[i]);
    if (given > 1)
        return cli_usage(cli, "--follow, --show, --release and --clear exclude each other");
    if (!shows && (cli_flag(cli, "body") || cli_flag(cli, "raw")))
        return cli_usage(cli, "--body and --raw want --show NUMBER");
    if (cli_flag(cli, "dry-run") && !cli_flag(cli, "release"))
        return cli_usage(cli, "--dry-run wants --release");
    if (given > 0 && cli_count(cli) == 0)
        return cli_usage(cli, "say of which endpoint");
    return EX_OK;
}

static int act(struct task *task)
{
    struct cli *cli = task->cli;

    if (cli_flag(cli, "clear"))
        return ringview_clear(&task->view) < 0 ? status_of(errno) : EX_OK;
    const int status = keyring_load(&task->keyring, task->config, task->endpoint,
                                    cli_verbose(cli));
    if (status != EX_OK)
        return status;
    if (cli_flag(cli, "release")) {
        const struct release_options options = {.dry_run = cli_flag(cli, "dry-run"),
                                                .json = cli_flag(cli, "json"),
                                                .quiet = cli_quiet(cli)};
        return release_run(&options, task->config, &task->view, &task->keyring);
    }
    return cli_flag(cli, "show") ? show(task) : list(task);
}

static int run(struct cli *cli)
{
    struct task task = {.cli = cli, .view = RINGVIEW_CLOSED};

    int status = check_options(cli);
    if (status != EX_OK)
        return status;
    if (cli_count(cli) == 0)
        return list_endpoints(cli);
    task.endpoint = cli_endpoint(cli, cli_operand(cli, 0));
    if (task.endpoint == NULL)
        return EX_CONFIG;
    task.config = cli_config(cli);
    status = ringview_open(&task.view, task.config, task.endpoint) < 0 ? status_of(errno)
                                                                        : act(&task);
    ringview_close(&task.view);
    keyring_release(&task.keyring);
    return status;
}

static const struct cli_option options[] = {
    {"follow", 'f', NULL, "stay, and show requests as they come", CLI_NOTHING},
    {"last", 'l', "N", "list no more than the last N", CLI_NOTHING},
    {"show", 's', "NUMBER", "show one request in full", CLI_NOTHING},
    {"body", 'b', NULL, "with --show: its body, and nothing else", CLI_NOTHING},
    {"raw", 'r', NULL, "with --show: the request as it came, for verify --headers", CLI_NOTHING},
    {"release", 'R', NULL, "store the refused requests that hold by now", CLI_NOTHING},
    {"dry-run", 'n', NULL, "with --release: only say which", CLI_NOTHING},
    {"clear", 0, NULL, "forget all that are kept", CLI_NOTHING},
    {"json", 'j', NULL, "print JSON, an object a line", CLI_NOTHING},
    {0}};

const struct verb verb_inspect = {
    .name = "inspect",
    .operands = "[ENDPOINT]",
    .most = 1,
    .summary = "show the last requests of an endpoint, and why they were refused",
    .help =
        "Lists the requests that hookspoold has kept of an endpoint, oldest first: when\n"
        "it came, what was answered and why, its id, the type that its body names, its\n"
        "size, and what was found out about the cause (see verify). It keeps them only\n"
        "while inspect = N stands in the endpoint's section. Without ENDPOINT: the\n"
        "endpoints, and how many are kept of each.\n"
        "\n"
        "--release is for after a secret or the tolerance was mended: refusals for a\n"
        "signature that did not match, or a time that was off, are judged again, against\n"
        "the time they came, and those that hold are stored as if they had been taken\n"
        "then, each once, whatever the sender has sent again meanwhile. What was not\n"
        "kept whole cannot be released.\n"
        "\n"
        "--show shows the headers as they came, signatures too: with one, whoever reads\n"
        "it could send that request again until its time runs out.",
    .example = "hookspool inspect levers --release --dry-run",
    .words = CLI_ENDPOINT,
    .options = options,
    .run = run};
