/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "help.h"

#include <stdio.h>
#include <string.h>

enum { COLUMN = 17, OPTION_COLUMN = 24, WIDTH = 79 };

/* Text in the column that begins there, broken between words. */
static void put_column(const char *text, int column)
{
    int at = column;

    while (*text != '\0') {
        const int len = (int)strcspn(text, " ");
        if (at > column && at + 1 + len > WIDTH) {
            printf("\n%*s", column, "");
            at = column;
        } else if (at > column) {
            putchar(' ');
            at++;
        }
        printf("%.*s", len, text);
        at += len;
        text += len + (text[len] == ' ');
    }
    putchar('\n');
}

void help_list(const struct verb *const *verbs)
{
    puts("usage: hookspool VERB [OPTION...] [ARGUMENT...]\n"
         "\n"
         "Hands the events that hookspoold has stored to jobs, and looks after the spool.\n");
    for (; *verbs != NULL; verbs++) {
        printf("  %-*s", COLUMN - 2, (*verbs)->name);
        put_column((*verbs)->summary, COLUMN);
    }
    puts("\nhookspool help VERB explains one; hookspool(1) has an example of each. -V prints\n"
         "the version.");
}

static void put_option(const struct cli_option *option)
{
    char text[64];

    snprintf(text, sizeof(text), "%c%c%c --%s%s%s", option->letter != 0 ? '-' : ' ',
             option->letter != 0 ? option->letter : ' ', option->letter != 0 ? ',' : ' ',
             option->name, option->argument != NULL ? " " : "",
             option->argument != NULL ? option->argument : "");
    printf("  %-*s", OPTION_COLUMN - 2, text);
    if (strlen(text) >= OPTION_COLUMN - 2)
        printf("\n%*s", OPTION_COLUMN, "");
    put_column(option->help, OPTION_COLUMN);
}

void help_verb(const struct verb *verb)
{
    printf("usage: hookspool %s [OPTION...]%s%s\n\n%s\n\nOptions:\n", verb->name,
           verb->operands[0] != '\0' ? " " : "", verb->operands, verb->help);
    for (const struct cli_option *option = verb->options; option != NULL && option->name != NULL;
         option++)
        put_option(option);
    for (const struct cli_option *option = cli_globals(); option->name != NULL; option++)
        put_option(option);
    printf("\nExample:\n  %s\n", verb->example);
}
