/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verbs.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "completion.h"
#include "help.h"
#include "log.h"
#include "near.h"
#include "verb_cat.h"
#include "verb_check.h"
#include "verb_drain.h"
#include "verb_forget.h"
#include "verb_fsck.h"
#include "verb_inspect.h"
#include "verb_list.h"
#include "verb_purge.h"
#include "verb_replay.h"
#include "verb_retry.h"
#include "verb_secret.h"
#include "verb_send.h"
#include "verb_show.h"
#include "verb_sign.h"
#include "verb_stats.h"
#include "verb_status.h"
#include "verb_tail.h"
#include "verb_verify.h"

/* ---- the two that speak of the others */

static int run_help(struct cli *cli)
{
    int words;

    if (cli_count(cli) == 0) {
        help_list(verbs);
        return EX_OK;
    }
    const struct verb *verb = verbs_find(cli_operands(cli, 0), cli_count(cli), &words);
    if (verb == NULL)
        return verbs_unknown(cli_operand(cli, 0));
    help_verb(verb);
    return EX_OK;
}

static int run_completion(struct cli *cli)
{
    if (completion_print(cli, verbs, cli_operand(cli, 0)) == 0)
        return EX_OK;
    return cli_usage(cli, "completion is for bash, zsh or fish, not '%s'", cli_operand(cli, 0));
}

static const struct verb verb_help = {
    .name = "help",
    .operands = "[VERB]",
    .most = 2,
    .summary = "list the verbs, or explain one",
    .help = "hookspool VERB --help does the same.",
    .example = "hookspool help drain",
    .words = CLI_VERB,
    .run = run_help};

static const struct verb verb_completion = {
    .name = "completion",
    .operands = "SHELL",
    .least = 1,
    .most = 1,
    .summary = "print what bash, zsh or fish needs to complete a command line",
    .help =
        "Consumers, endpoints and spools are completed as the configuration has them.",
    .example = "hookspool completion bash >/etc/bash_completion.d/hookspool",
    .words = CLI_SHELL,
    .run = run_completion};

const struct verb *const verbs[] = {
    &verb_drain, &verb_retry, &verb_replay,
    &verb_cat, &verb_tail, &verb_list, &verb_show, &verb_status, &verb_stats,
    &verb_forget, &verb_purge, &verb_fsck,
    &verb_secret_new, &verb_secret_rotate, &verb_sign, &verb_verify, &verb_send,
    &verb_inspect, &verb_check,
    &verb_help, &verb_completion, NULL};

/* Is the line's beginning this verb? How many words it has, or 0. */
static int match(const struct verb *verb, char *const *line, int count)
{
    const char *blank = strchr(verb->name, ' ');

    if (blank == NULL)
        return strcmp(line[0], verb->name) == 0;
    const size_t first = (size_t)(blank - verb->name);
    return count > 1 && strlen(line[0]) == first && memcmp(line[0], verb->name, first) == 0
                   && strcmp(line[1], blank + 1) == 0
             ? 2
             : 0;
}

const struct verb *verbs_find(char *const *line, int count, int *words)
{
    for (const struct verb *const *verb = verbs; count > 0 && *verb != NULL; verb++) {
        *words = match(*verb, line, count);
        if (*words > 0)
            return *verb;
    }
    return NULL;
}

/* The verbs that begin with this word and have another one: how many, and they as a list. */
static size_t begun(const char *word, char *names, size_t size)
{
    const size_t len = strlen(word);
    size_t count = 0;

    names[0] = '\0';
    for (const struct verb *const *verb = verbs; *verb != NULL; verb++) {
        const size_t used = strlen(names);
        if (strncmp((*verb)->name, word, len) == 0 && (*verb)->name[len] == ' ')
            (void)snprintf(names + used, size - used, "%s'%s'", count++ > 0 ? " and " : "",
                           (*verb)->name);
    }
    return count;
}

static const char *nearest(const char *word)
{
    const char *near = NULL;
    unsigned least = 3; /* edits */

    for (const struct verb *const *verb = verbs; *verb != NULL; verb++) {
        const unsigned edits = near_distance(word, (*verb)->name);
        if (edits < least) {
            least = edits;
            near = (*verb)->name;
        }
    }
    return near;
}

int verbs_unknown(const char *word)
{
    char names[128];
    const char *near = nearest(word);

    if (begun(word, names, sizeof(names)) > 0)
        log_error("there is no verb '%s' alone, but %s; see hookspool help", word, names);
    else if (near != NULL)
        log_error("there is no verb '%s'; is '%s' meant? See hookspool help", word, near);
    else
        log_error("there is no verb '%s'; see hookspool help", word);
    return EX_USAGE;
}
