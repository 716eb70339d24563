/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "finding.h"

#include <stdarg.h>
#include <string.h>
#include <sysexits.h>

#include "jsonc.h"
#include "out.h"

static const char *const words[FINDING_LEVELS] = {"ok", "warn", "fail"};

static void put_member(FILE *out, const char *name, const char *text)
{
    fprintf(out, ",\"%s\":", name);
    jsonc_put(out, text, strlen(text));
}

static void write_json(const struct findings *findings)
{
    FILE *out = findings->out;

    fprintf(out, "{\"level\":\"%s\"", words[findings->level]);
    put_member(out, "check", findings->of);
    put_member(out, "what", findings->what);
    put_member(out, "result", findings->result);
    if (findings->advice[0] != '\0')
        put_member(out, "advice", findings->advice);
    if (findings->level == FINDING_FAIL)
        fprintf(out, ",\"status\":%d", findings->finding_status);
    fputs("}\n", out);
}

static void write_text(const struct findings *findings)
{
    static const enum out_style styles[FINDING_LEVELS] = {OUT_GOOD, OUT_WARN, OUT_BAD};
    FILE *out = findings->out;

    fprintf(out, "%s%-4s%s  ", out_style(out, styles[findings->level]), words[findings->level],
            out_style(out, OUT_PLAIN));
    out_clean(out, findings->what, strlen(findings->what));
    fputs(": ", out);
    out_clean(out, findings->result, strlen(findings->result));
    putc('\n', out);
    if (findings->advice[0] == '\0')
        return;
    fputs("      ", out);
    out_clean(out, findings->advice, strlen(findings->advice));
    putc('\n', out);
}

static void flush(struct findings *findings)
{
    if (findings->pending && (findings->level != FINDING_OK || !findings->quiet)) {
        if (findings->json)
            write_json(findings);
        else
            write_text(findings);
        fflush(findings->out); /* in order with what the log says */
    }
    findings->pending = false;
}

/* Which status stands for all of them: what wants a person goes before what may pass. */
static int worse(int one, int other)
{
    static const int order[] = {EX_CONFIG, EX_UNAVAILABLE, EX_TEMPFAIL};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (one == order[i] || other == order[i])
            return order[i];
    }
    return one != EX_OK ? one : other;
}

/* Formats, and marks what did not fit. */
static void format_text(char *out, size_t size, const char *format, va_list args)
{
    if (vsnprintf(out, size, format, args) >= (int)size)
        memcpy(out + size - 4, "...", 4);
}

static void take(struct findings *findings, enum finding_level level, int status,
                 const char *what, const char *format, va_list args)
{
    flush(findings);
    findings->pending = true;
    findings->level = level;
    findings->of = findings->check;
    findings->finding_status = status;
    findings->status = worse(findings->status, status);
    findings->count[level]++;
    findings->advice[0] = '\0';
    snprintf(findings->what, sizeof(findings->what), "%s", what);
    format_text(findings->result, sizeof(findings->result), format, args);
}

void finding_ok(struct findings *findings, const char *what, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    take(findings, FINDING_OK, EX_OK, what, format, args);
    va_end(args);
}

void finding_warn(struct findings *findings, const char *what, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    take(findings, FINDING_WARN, EX_OK, what, format, args);
    va_end(args);
}

void finding_fail(struct findings *findings, int status, const char *what, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    take(findings, FINDING_FAIL, status, what, format, args);
    va_end(args);
}

void finding_advise(struct findings *findings, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_text(findings->advice, sizeof(findings->advice), format, args);
    va_end(args);
}

int findings_end(struct findings *findings)
{
    flush(findings);
    return findings->status;
}
