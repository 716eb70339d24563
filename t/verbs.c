/* SPDX-License-Identifier: ISC */
/* Prints the table of verbs, for verbs.t to compare with help, completion and hookspool(1). */
#include "autoconf.h"

#include <stdio.h>

#include "verbs.h"

static void print_options(const struct cli_option *option)
{
    for (; option != NULL && option->name != NULL; option++)
        printf("option\t%s\t%c\t%s\n", option->name, option->letter == 0 ? '-' : option->letter,
               option->argument == NULL ? "-" : option->argument);
}

int main(void)
{
    for (const struct verb *const *verb = verbs; *verb != NULL; verb++) {
        printf("verb\t%s\t%s\n", (*verb)->name, (*verb)->operands);
        print_options((*verb)->options);
        printf("example\t%s\n", (*verb)->example);
    }
    printf("verb\t\t\n");
    print_options(cli_globals());
    return fflush(stdout) == 0 ? 0 : 1;
}
