/* SPDX-License-Identifier: ISC */
/*
 * hookspool: the operator's program. Hands the events that hookspoold has
 * stored to jobs, and looks after the spool. See hookspool(1).
 *
 * What it can do are verbs, each a constant in a file of its own (verbs.h).
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli.h"
#include "help.h"
#include "io.h"
#include "log.h"
#include "verbs.h"

/* How many words before the verb are options of every verb; -1: this was all there was to do. */
static int skip_options(int argc, char **argv)
{
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "-V") == 0 || strcmp(argv[i], "--version") == 0) {
            puts("hookspool " PACKAGE_VERSION);
            return -1;
        }
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
            help_list(verbs);
            return -1;
        }
        if (strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0)
            i++; /* and its argument */
    }
    return i < argc ? i - 1 : argc - 1;
}

int main(int argc, char **argv)
{
    int words;

    log_program("hookspool");
    if (io_standard() < 0)
        return EX_OSERR;
    const int skipped = skip_options(argc, argv);
    if (skipped < 0)
        return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
    if (skipped + 1 >= argc) {
        fputs("usage: hookspool VERB [OPTION...] [ARGUMENT...]; see hookspool help\n", stderr);
        return EX_USAGE;
    }
    char **line = argv + skipped + 1;
    const int count = argc - skipped - 1;
    const struct verb *verb = verbs_find(line, count, &words);
    if (verb == NULL)
        return verbs_unknown(line[0]);

    /* The verb's place is taken by the options before it. */
    memmove(line + words - skipped, argv + 1, (size_t)skipped * sizeof(*line));
    return cli_run(verb, count - words + skipped + 1, line + words - skipped - 1, help_verb);
}
