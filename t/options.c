/* SPDX-License-Identifier: ISC */
/* Prints the option table, for man.t to compare with hookspool.conf(5). */
#include "autoconf.h"

#include <stdio.h>

#include "config.h"

int main(void)
{
    config_print_options(stdout);
    return fflush(stdout) == 0 ? 0 : 1;
}
