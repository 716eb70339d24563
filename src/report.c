/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *trim(char *line)
{
    static const char blanks[] = " \t\r";

    line += strspn(line, blanks);
    size_t len = strlen(line);
    while (len > 0 && strchr(blanks, line[len - 1]) != NULL)
        len--;
    line[len] = '\0';
    return line;
}

int report_read(struct report *report, char *text)
{
    size_t lines = 1;

    *report = (struct report){0};
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    report->ids = calloc(lines, sizeof(*report->ids));
    report->seen = calloc(lines, sizeof(*report->seen));
    if (report->ids == NULL || report->seen == NULL) {
        report_release(report);
        errno = ENOMEM;
        return -1;
    }
    for (char *line; (line = strsep(&text, "\n")) != NULL;) {
        line = trim(line);
        if (*line != '\0')
            report->ids[report->count++] = line;
    }
    qsort(report->ids, report->count, sizeof(*report->ids), compare);
    size_t kept = 0;
    for (size_t i = 0; i < report->count; i++) {
        if (kept == 0 || strcmp(report->ids[kept - 1], report->ids[i]) != 0)
            report->ids[kept++] = report->ids[i];
    }
    report->count = kept;
    return 0;
}

void report_release(struct report *report)
{
    free(report->ids);
    free(report->seen);
    *report = (struct report){0};
}

bool report_names(struct report *report, const char *id)
{
    char **found = report->count == 0 ? NULL : bsearch(&id, report->ids, report->count,
                                                       sizeof(*report->ids), compare);
    if (found == NULL)
        return false;
    report->seen[found - report->ids] = true;
    return true;
}

const char *report_stranger(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        if (!report->seen[i])
            return report->ids[i];
    }
    return NULL;
}
