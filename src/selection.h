/* SPDX-License-Identifier: ISC */
/*
 * selection: the options by which verbs say which events they mean: --since,
 * --until, --type, --id, and ids as operands. One thread.
 */
#ifndef HOOKSPOOL_SELECTION_H
#define HOOKSPOOL_SELECTION_H

#include "cli.h"
#include "filter.h"

/* For a verb's table of options. */
#define SELECTION_OPTIONS \
    {"since", 's', "TIME", "events that arrived at that time or later", CLI_NOTHING}, \
    {"until", 'u', "TIME", "events that arrived before that time", CLI_NOTHING}, \
    {"type", 't', "PATTERN", "events of these types (a shell pattern)", CLI_NOTHING}, \
    {"id", 'i', "ID", "the event of this id; more of them as operands", CLI_NOTHING}

/* For its help. */
#define SELECTION_HELP \
    "TIME is 2026-11-23T09:33:00Z, 2026-11-23, or how long ago: 90m, 2h, 3d."

struct selection {
    struct filter filter; /* points into the command line, and to ids */
    char **ids;
};

/* The operands from `first` on are ids. EX_OK, or another after a message. */
int selection_read(struct selection *selection, struct cli *cli, int first);
void selection_release(struct selection *selection);

/* Does it take every event? */
bool selection_is_all(const struct selection *selection);

#endif
