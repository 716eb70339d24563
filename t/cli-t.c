/* SPDX-License-Identifier: ISC */
/* Command lines: where options end and a command begins, and what numbers are taken. */
#include "autoconf.h"

#include "cli.h"

#include <sysexits.h>

#include "tap.h"
#include "temp.h"

#define PLAIN "each=no batch=- verbose=0:"

static char got[512]; /* what the verb was given */
static bool helped;
static void (*then)(struct cli *cli);

static int run(struct cli *cli)
{
    int len = snprintf(got, sizeof(got), "each=%s batch=%s verbose=%d:",
                       cli_flag(cli, "each") ? "yes" : "no",
                       cli_text(cli, "batch") == NULL ? "-" : cli_text(cli, "batch"),
                       cli_verbose(cli));

    for (int i = 0; i < cli_count(cli); i++)
        len += snprintf(got + len, sizeof(got) - (size_t)len, " [%s]", cli_operand(cli, i));
    if (then != NULL)
        then(cli);
    return EX_OK;
}

static void help(const struct verb *verb)
{
    (void)verb;
    helped = true;
}

static const struct cli_option options[] = {
    {"each", 'e', NULL, "", CLI_NOTHING}, {"batch", 'b', "N", "", CLI_NOTHING}, {0}};
static const struct verb drain = {.name = "drain", .operands = "CONSUMER COMMAND...", .least = 2,
                                  .most = -1, .words = CLI_COMMAND, .options = options,
                                  .run = run};
static const struct verb list = {.name = "list", .operands = "[NAME]", .most = 1,
                                 .options = options, .run = run};

static int carry_out(const struct verb *verb, const char *line)
{
    char copy[256], *argv[32], *rest = copy;
    int argc = 0;

    snprintf(copy, sizeof(copy), "%s", line);
    while ((argv[argc] = strsep(&rest, " ")) != NULL)
        argc++;
    got[0] = '\0';
    helped = false;
    return cli_run(verb, argc, argv, help);
}

static void lines(void)
{
    static const struct {
        const struct verb *verb;
        const char *line, *want; /* NULL: a wrong one; "": help */
    } cases[] = {
        {&drain, "drain billing -- cmd -x --each", PLAIN " [billing] [cmd] [-x] [--each]"},
        {&drain, "drain billing cmd -e -b 5", PLAIN " [billing] [cmd] [-e] [-b] [5]"},
        {&drain, "drain -e billing --batch 5 -- cmd",
         "each=yes batch=5 verbose=0: [billing] [cmd]"},
        {&drain, "drain --batch=5 billing -v -e cmd -v",
         "each=yes batch=5 verbose=1: [billing] [cmd] [-v]"},
        {&drain, "drain -- billing cmd", PLAIN " [billing] [cmd]"},
        {&drain, "drain -- billing -e", PLAIN " [billing] [-e]"},
        {&drain, "drain billing -- -cmd -- x", PLAIN " [billing] [-cmd] [--] [x]"},
        {&drain, "drain billing -b5 cmd", "each=no batch=5 verbose=0: [billing] [cmd]"},
        {&drain, "drain billing psql -h localhost", PLAIN " [billing] [psql] [-h] [localhost]"},
        {&drain, "drain billing cmd --help", PLAIN " [billing] [cmd] [--help]"},
        {&drain, "drain billing -- -h", PLAIN " [billing] [-h]"},
        {&drain, "drain -h", ""},
        {&drain, "drain billing --help", ""},
        {&drain, "drain billing -h -- cmd", ""},
        {&drain, "drain", NULL},
        {&drain, "drain billing", NULL},
        {&drain, "drain billing --", NULL},
        {&drain, "drain billing --bogus cmd", NULL},
        {&drain, "drain billing --batch", NULL},
        {&list, "list", PLAIN},
        {&list, "list x -e", "each=yes batch=- verbose=0: [x]"},
        {&list, "list -e x", "each=yes batch=- verbose=0: [x]"},
        {&list, "list -- -x", PLAIN " [-x]"},
        {&list, "list x --help", ""},
        {&list, "list x y", NULL},
        {&list, "list -z", NULL},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const int status = carry_out(cases[i].verb, cases[i].line);
        if (cases[i].want == NULL)
            ok(status == EX_USAGE && got[0] == '\0' && !helped, "wrong: %s", cases[i].line);
        else if (cases[i].want[0] == '\0')
            ok(status == EX_OK && got[0] == '\0' && helped, "help: %s", cases[i].line);
        else
            is_str(status == EX_OK ? got : "(wrong)", cases[i].want, "%s", cases[i].line);
    }
}

/* ---- arguments */

static struct {
    int result;
    int64_t number;
} read_as[2];

static void read_numbers(struct cli *cli)
{
    read_as[0].result = cli_number(cli, "batch", 1, 1000, 7, &read_as[0].number);
    read_as[1].result = cli_duration(cli, "batch", 7, &read_as[1].number);
}

static void arguments(void)
{
    static const struct {
        const char *text;
        int64_t number, duration; /* -1: refused */
    } cases[] = {{"5", 5, 5}, {"1000", 1000, 1000}, {"0", -1, 0}, {"1001", -1, 1001},
                 {"2m", -1, 120}, {"2M", -1, -1}, {"3d", -1, 259200}, {"-5", -1, -1},
                 {"+5", -1, -1}, {"5x", -1, -1}, {"1e3", -1, -1},
                 {"9223372036854775808", -1, -1}, {"9223372036854775807d", -1, -1}};
    char line[64];

    then = read_numbers;
    (void)carry_out(&list, "list");
    for (int i = 0; i < 2; i++)
        ok(read_as[i].result == 0 && read_as[i].number == 7, "what is not given is preset");
    for (size_t i = 0; i < COUNT(cases); i++) {
        const int64_t want[] = {cases[i].number, cases[i].duration};
        snprintf(line, sizeof(line), "list --batch=%s", cases[i].text);
        (void)carry_out(&list, line);
        for (int j = 0; j < 2; j++)
            is_int(read_as[j].result == 0 ? read_as[j].number : -1, want[j], "'%s' as a %s",
                   cases[i].text, j == 0 ? "number" : "duration");
    }
    then = NULL;
}

int main(void)
{
    temp_start();
    lines();
    arguments();
    return done_testing();
}
