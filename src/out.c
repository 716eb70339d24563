/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jsonc.h"
#include "log.h"

void out_clean(FILE *out, const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t step = jsonc_character(text + at, len - at);
        const unsigned char c = (unsigned char)text[at];
        /* C0, DEL, and the C1 controls that UTF-8 can spell */
        const bool control = c < 0x20 || c == 0x7f
                          || (step == 2 && c == 0xc2 && (unsigned char)text[at + 1] < 0xa0);
        if (step == 0 || control)
            putc('?', out);
        else
            fwrite(text + at, 1, step, out);
        at += step == 0 ? 1 : step;
    }
}

const char *out_style(FILE *out, enum out_style style)
{
    static const char *const codes[] = {"\x1b[0m",  "\x1b[1m",  "\x1b[32m",
                                        "\x1b[33m", "\x1b[31m", "\x1b[2m"};
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    if ((no_color != NULL && no_color[0] != '\0') || isatty(fileno(out)) != 1
        || (terminal != NULL && strcmp(terminal, "dumb") == 0))
        return "";
    return codes[style];
}

const char *out_bytes(char out[OUT_SIZE], uint64_t bytes)
{
    static const char units[] = "KMGTPE";
    double value = (double)bytes;
    size_t unit = 0;

    if (bytes < 1024) {
        snprintf(out, OUT_SIZE, "%" PRIu64, bytes);
        return out;
    }
    for (value /= 1024; value >= 1023.5 && unit + 2 < sizeof(units); unit++)
        value /= 1024;
    snprintf(out, OUT_SIZE, value < 9.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
    return out;
}

int out_flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    if (errno != EPIPE) /* whoever reads has had enough */
        log_error("cannot write to standard output: %s", strerror(errno));
    return -1;
}
