/* SPDX-License-Identifier: ISC */
/*
 * cli: the command line of hookspool: what a verb is, and what it was given.
 *
 * A verb is a constant (struct verb) in the file that carries it out; verbs.h
 * lists them all. Parsing, help, completion and the comparison with the manual
 * come from these constants and from nowhere else.
 *
 * A verb's run() returns one of sysexits.h. It has said on standard error why
 * when that is not EX_OK. Standard output is for what was asked for: text for
 * people, cleaned; with --json one JSON object a line.
 *
 * One thread. Strings live as long as the process.
 */
#ifndef HOOKSPOOL_CLI_H
#define HOOKSPOOL_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

struct cli; /* one command line, parsed */

/* What an operand or an option's argument can be completed to. */
enum cli_words {
    CLI_NOTHING, CLI_CONSUMER, CLI_ENDPOINT, CLI_SPOOL, CLI_FILE, CLI_COMMAND, CLI_VERB, CLI_SHELL
};

struct cli_option {
    const char *name;     /* long, without the dashes; NULL ends a list */
    char letter;          /* 0: none */
    const char *argument; /* what it is called in help; NULL: takes none */
    const char *help;     /* one line, without a full stop */
    enum cli_words words;
};

struct verb {
    const char *name;     /* "drain", or "secret new" */
    const char *operands; /* as usage has them: "CONSUMER [ID...]", or "" */
    int least, most;      /* operands; most -1: any number */
    const char *summary;  /* one line for the list of verbs, without a full stop */
    const char *help;     /* sentences, for hookspool help VERB; lines of at most 78 columns */
    const char *example;  /* one command line; it also stands in hookspool(1) */
    enum cli_words words; /* of the operands */
    const struct cli_option *options;
    int (*run)(struct cli *cli);
};

bool cli_flag(const struct cli *cli, const char *option);        /* was it given? */
const char *cli_text(const struct cli *cli, const char *option); /* its argument; NULL: not given */

/*
 * The option's argument as a number in [least, most]; preset when it was not
 * given. 0, or -1 after a message: return EX_USAGE. Durations take s m h d
 * (seconds are meant without).
 */
int cli_number(const struct cli *cli, const char *option, int64_t least, int64_t most,
               int64_t preset, int64_t *number);
int cli_duration(const struct cli *cli, const char *option, int64_t preset, int64_t *seconds);
/* A time: see when_parse(). *given tells whether the option stands there. */
int cli_time(const struct cli *cli, const char *option, bool *given, int64_t *seconds);

int cli_count(const struct cli *cli);                      /* operands */
const char *cli_operand(const struct cli *cli, int which); /* from 0; NULL: that many are not */
char *const *cli_operands(const struct cli *cli, int from); /* ends with NULL: an argv */

bool cli_verbose(const struct cli *cli); /* -v */
bool cli_quiet(const struct cli *cli);   /* -q */

/* The configuration, loaded on the first call; NULL after a message: return EX_CONFIG. */
const struct config *cli_config(struct cli *cli);

/*
 * The endpoint, consumer or spool of this name; NULL after a message with the names there are:
 * return EX_CONFIG. An endpoint or a spool need not be named (NULL) if there is only one.
 */
const struct config_endpoint *cli_endpoint(struct cli *cli, const char *name);
const struct config_consumer *cli_consumer(struct cli *cli, const char *name);
const struct config_spool *cli_spool(struct cli *cli, const char *name);

/* Says what is wrong with the command line and how to ask for help: EX_USAGE. */
int cli_usage(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The options that every verb takes. */
const struct cli_option *cli_globals(void);

/* Parses the line, argv[0] standing for the verb, and carries it out: the exit status. */
int cli_run(const struct verb *verb, int argc, char **argv, void (*help)(const struct verb *));

#endif
