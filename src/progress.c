/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"

enum { WIDTH = 30 };

void progress_begin(struct progress *progress, const char *what, bool wanted)
{
    const char *terminal = getenv("TERM");
    const bool dumb = terminal != NULL && strcmp(terminal, "dumb") == 0;

    *progress = (struct progress){.shown = wanted && !dumb && isatty(STDERR_FILENO) == 1,
                                  .what = what, .start = io_now()};
}

void progress_show(struct progress *progress, uint64_t events, uint64_t done, uint64_t all)
{
    char bar[WIDTH + 1];

    if (!progress->shown)
        return;
    const int64_t now = io_now();
    if (now - progress->last < 200 * 1000 * 1000)
        return;
    progress->last = now;
    const double part = all == 0 ? 1.0 : (double)done / (double)all;
    const double seconds = (double)(now - progress->start) / 1e9;
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < (int)(part * WIDTH) ? '#' : '.';
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r%s [%s] %3.0f%%  %" PRIu64 " events, %.0f/s \x1b[K", progress->what, bar,
            part * 100, events, seconds > 0 ? (double)events / seconds : 0.0);
    progress->drawn = true;
}

void progress_wipe(struct progress *progress)
{
    if (progress->drawn)
        fputs("\r\x1b[K", stderr);
    progress->drawn = false;
}
