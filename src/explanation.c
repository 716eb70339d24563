/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "explanation.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *explanation_input(enum explain_input input)
{
    static const char *const names[EXPLAIN_INPUTS] = {"headers",   "id",     "timestamp",
                                                      "signature", "secret", "body"};

    return names[input];
}

void explanation_say(struct explanation *explanation, enum explain_input input,
                     enum explain_holds holds, const char *format, ...)
{
    va_list args;

    explanation->inputs[input].holds = holds;
    va_start(args, format);
    (void)vsnprintf(explanation->inputs[input].text, EXPLAIN_TEXT, format, args);
    va_end(args);
}

void explanation_find(struct explanation *explanation, enum explain_input input,
                      const char *format, ...)
{
    char text[EXPLAIN_TEXT];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (explanation->inputs[input].holds != EXPLAIN_DIFFERS)
        explanation_say(explanation, input, EXPLAIN_DIFFERS, "%s", text);
    if (explanation->count < EXPLAIN_MOST)
        strcpy(explanation->findings[explanation->count++], text);
}
