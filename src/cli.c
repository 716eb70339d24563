/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "log.h"
#include "out.h"
#include "when.h"

#define DEFAULT_CONFIG SYSCONFDIR "/hookspool/hookspool.conf"

enum { OPTIONS = 32, GLOBALS = 4, FIRST_CODE = 256 };

static const struct cli_option globals[] = {
    {"config", 'c', "FILE", "configuration (default " DEFAULT_CONFIG ")", CLI_FILE},
    {"verbose", 'v', NULL, "say more on standard error", CLI_NOTHING},
    {"quiet", 'q', NULL, "say less", CLI_NOTHING},
    {"help", 'h', NULL, "print help and exit", CLI_NOTHING},
    {0}};

struct cli {
    const struct verb *verb;
    const struct cli_option *options[OPTIONS];
    const char *given[OPTIONS]; /* the argument, "" for one without; NULL: not given */
    size_t option_count;
    char **operands;
    int count;
    struct config *config;
    bool config_tried; /* and what was wrong with it is said */
};

const struct cli_option *cli_globals(void)
{
    return globals;
}

/* ---- parsing */

static void know(struct cli *cli, const struct cli_option *options)
{
    for (; options != NULL && options->name != NULL && cli->option_count < OPTIONS; options++)
        cli->options[cli->option_count++] = options;
}

/* What getopt_long() wants: codes of long options are FIRST_CODE and up. */
static void make_tables(const struct cli *cli, char *letters, struct option *longs)
{
    /* A command's own options are not ours: stop at the first word that is none. */
    *letters++ = cli->verb->words == CLI_COMMAND ? '+' : '-';
    *letters++ = ':';
    for (size_t i = 0; i < cli->option_count; i++) {
        const struct cli_option *option = cli->options[i];
        longs[i] = (struct option){option->name,
                                   option->argument != NULL ? required_argument : no_argument,
                                   NULL, FIRST_CODE + (int)i};
        if (option->letter == 0)
            continue;
        *letters++ = option->letter;
        if (option->argument != NULL)
            *letters++ = ':';
    }
    longs[cli->option_count] = (struct option){0};
    *letters = '\0';
}

static size_t index_of(const struct cli *cli, int code)
{
    size_t i = 0;

    if (code >= FIRST_CODE)
        return (size_t)(code - FIRST_CODE);
    while (i < cli->option_count && cli->options[i]->letter != code)
        i++;
    return i;
}

/* One pass of getopt, up to what it stops at: 0, or -1. */
static int parse_options(struct cli *cli, int argc, char **argv)
{
    char letters[2 * OPTIONS + 3];
    struct option longs[OPTIONS + 1];
    int code;

    make_tables(cli, letters, longs);
    while ((code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (code == 1) { /* a word that is no option */
            cli->operands[cli->count++] = optarg;
            continue;
        }
        if (code == ':' || code == '?') {
            const char *what = argv[optind - 1];
            (void)cli_usage(cli, code == ':' ? "option '%s' wants an argument"
                                             : "there is no option '%s'", what);
            return -1;
        }
        const size_t i = index_of(cli, code);
        cli->given[i] = optarg != NULL ? optarg : "";
    }
    return 0;
}

/* Options and operands, in any order; a command is taken as it stands. */
static int parse(struct cli *cli, int argc, char **argv)
{
    cli->operands = calloc((size_t)argc + 1, sizeof(*cli->operands));
    if (cli->operands == NULL) {
        log_error("cannot begin: %s", strerror(errno));
        return EX_OSERR;
    }
    optind = 0;
    opterr = 0;
    if (parse_options(cli, argc, argv) < 0)
        return EX_USAGE;
    if (cli->verb->words == CLI_COMMAND && optind < argc && strcmp(argv[optind - 1], "--") != 0) {
        /* the one operand before the command, and options behind it */
        cli->operands[cli->count++] = argv[optind];
        argv += optind;
        argc -= optind;
        optind = 0;
        if (parse_options(cli, argc, argv) < 0)
            return EX_USAGE;
    }
    if (cli_flag(cli, "help"))
        return EX_OK;
    while (optind < argc)
        cli->operands[cli->count++] = argv[optind++];
    if (cli->count < cli->verb->least)
        return cli_usage(cli, "more is wanted: %s %s", cli->verb->name, cli->verb->operands);
    if (cli->verb->most >= 0 && cli->count > cli->verb->most)
        return cli_usage(cli, "'%s' is one too many", cli->operands[cli->verb->most]);
    return EX_OK;
}

int cli_run(const struct verb *verb, int argc, char **argv, void (*help)(const struct verb *))
{
    struct cli cli = {.verb = verb};

    know(&cli, globals);
    know(&cli, verb->options);
    int status = parse(&cli, argc, argv);
    if (status == EX_OK && cli_flag(&cli, "help"))
        help(verb);
    else if (status == EX_OK)
        status = verb->run(&cli);
    if (status == EX_OK && out_flush() < 0)
        status = EX_IOERR;
    config_free(cli.config);
    free(cli.operands);
    return status;
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log_error("%s; see hookspool help %s", text, cli->verb->name);
    return EX_USAGE;
}

/* ---- what was given */

static size_t find(const struct cli *cli, const char *name)
{
    size_t i = 0;

    while (i < cli->option_count && strcmp(cli->options[i]->name, name) != 0)
        i++;
    return i;
}

const char *cli_text(const struct cli *cli, const char *option)
{
    const size_t i = find(cli, option);

    return i < cli->option_count ? cli->given[i] : NULL;
}

bool cli_flag(const struct cli *cli, const char *option)
{
    return cli_text(cli, option) != NULL;
}

bool cli_verbose(const struct cli *cli)
{
    return cli_flag(cli, "verbose");
}

bool cli_quiet(const struct cli *cli)
{
    return cli_flag(cli, "quiet");
}

int cli_count(const struct cli *cli)
{
    return cli->count;
}

const char *cli_operand(const struct cli *cli, int which)
{
    return which < cli->count ? cli->operands[which] : NULL;
}

char *const *cli_operands(const struct cli *cli, int from)
{
    return cli->operands + (from < cli->count ? from : cli->count);
}

/* A number and the letter of a unit, which multiplies it. */
static bool parse_units(const char *text, const char *letters, const int64_t *factors,
                        int64_t *number)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *number = strtoll(text, &end, 10);
    if (errno != 0)
        return false;
    if (*end == '\0')
        return true;
    const char *letter = strchr(letters, *end);
    return letter != NULL && end[1] == '\0'
        && !__builtin_mul_overflow(*number, factors[letter - letters], number);
}

int cli_number(const struct cli *cli, const char *option, int64_t least, int64_t most,
               int64_t preset, int64_t *number)
{
    const char *text = cli_text(cli, option);

    *number = preset;
    if (text == NULL)
        return 0;
    if (parse_units(text, "", NULL, number) && *number >= least && *number <= most)
        return 0;
    if (most == INT64_MAX)
        (void)cli_usage(cli, "--%s wants a number from %" PRId64 " on, not '%s'", option, least,
                        text);
    else
        (void)cli_usage(cli, "--%s wants a number from %" PRId64 " to %" PRId64 ", not '%s'",
                        option, least, most, text);
    return -1;
}

int cli_duration(const struct cli *cli, const char *option, int64_t preset, int64_t *seconds)
{
    static const int64_t factors[] = {1, 60, 3600, 86400};
    const char *text = cli_text(cli, option);

    *seconds = preset;
    if (text == NULL
        || (parse_units(text, "smhd", factors, seconds) && *seconds < INT64_C(100000000000)))
        return 0;
    (void)cli_usage(cli, "--%s wants a duration like 90s, 15m, 2h or 3d, not '%s'", option, text);
    return -1;
}

int cli_time(const struct cli *cli, const char *option, bool *given, int64_t *seconds)
{
    const char *text = cli_text(cli, option);

    *given = text != NULL;
    if (text == NULL || when_parse(text, (int64_t)time(NULL), seconds))
        return 0;
    (void)cli_usage(cli, "--%s wants a time like 2026-11-23T09:33:00Z, 2026-11-23 or 2h (ago), not "
                    "'%s'", option, text);
    return -1;
}

/* ---- the configuration */

static const char *config_path(const struct cli *cli)
{
    const char *path = cli_text(cli, "config");

    if (path == NULL)
        path = getenv("HOOKSPOOL_CONF");
    return path == NULL || path[0] == '\0' ? DEFAULT_CONFIG : path;
}

const struct config *cli_config(struct cli *cli)
{
    if (cli->config != NULL || cli->config_tried)
        return cli->config;
    cli->config_tried = true;
    cli->config = config_load(config_path(cli));
    if (cli->config == NULL && errno == ENOENT)
        log_error("--config FILE or HOOKSPOOL_CONF names another one; see hookspool.conf(5)");
    else if (cli->config == NULL && (errno == EACCES || errno == EPERM))
        log_error("run it as root, or as the user that hookspoold runs as");
    return cli->config;
}

enum { NAMES = 256 };

typedef const char *name_at(const struct config *config, size_t i);

static const char *list_names(const struct cli *cli, size_t count, name_at *name, char out[NAMES])
{
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const size_t len = strlen(out);
        (void)snprintf(out + len, NAMES - len, "%s%s", i > 0 ? ", " : "", name(cli->config, i));
    }
    return count > 0 ? out : "none";
}

/* A name that is not in the configuration, or none though there are several; the ones that are. */
static void name_unknown(const struct cli *cli, const char *what, const char *name, size_t count,
                         name_at *at)
{
    char names[NAMES];

    if (name == NULL)
        log_error("'%s' has %zu %ss, say which: %s", cli->config->file, count, what,
                  list_names(cli, count, at, names));
    else
        log_error("'%s' has no %s '%s'; it has: %s", cli->config->file, what, name,
                  list_names(cli, count, at, names));
}

static const char *endpoint_at(const struct config *config, size_t i)
{
    return config->endpoints[i].name;
}

static const char *consumer_at(const struct config *config, size_t i)
{
    return config->consumers[i].name;
}

static const char *spool_at(const struct config *config, size_t i)
{
    return config->spools[i].name;
}

const struct config_endpoint *cli_endpoint(struct cli *cli, const char *name)
{
    const struct config *config = cli_config(cli);

    if (config == NULL)
        return NULL;
    if (name == NULL && config->endpoint_count == 1)
        return &config->endpoints[0];
    const struct config_endpoint *endpoint =
        name == NULL ? NULL : config_endpoint_by_name(config, name);
    if (endpoint == NULL)
        name_unknown(cli, "endpoint", name, config->endpoint_count, endpoint_at);
    return endpoint;
}

const struct config_consumer *cli_consumer(struct cli *cli, const char *name)
{
    const struct config *config = cli_config(cli);

    for (size_t i = 0; config != NULL && i < config->consumer_count; i++) {
        if (strcmp(config->consumers[i].name, name) == 0)
            return &config->consumers[i];
    }
    if (config != NULL)
        name_unknown(cli, "consumer", name, config->consumer_count, consumer_at);
    return NULL;
}

const struct config_spool *cli_spool(struct cli *cli, const char *name)
{
    const struct config *config = cli_config(cli);

    for (size_t i = 0; config != NULL && i < config->spool_count; i++) {
        if (name == NULL ? config->spool_count == 1
                         : strcmp(config->spools[i].name, name) == 0)
            return &config->spools[i];
    }
    if (config != NULL)
        name_unknown(cli, "spool", name, config->spool_count, spool_at);
    return NULL;
}
