/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "capture.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "jsonc.h"

enum { NAME = 128 };

/* A piece of the text. */
struct span {
    const char *text;
    size_t len;
};

struct reading {
    struct capture *capture;
    int error;
    struct span awaited; /* a name whose value stands in the next line; len 0: none */
    bool request_line;   /* what follows a blank line is the body */
    char har_name[NAME]; /* of {"name":...,"value":...} */
};

/* ---- spans */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_name(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'
        || c == '_';
}

static struct span cut(struct span span, size_t len)
{
    return (struct span){span.text + len, span.len - len};
}

static struct span trim(struct span span)
{
    while (span.len > 0 && is_blank(span.text[0]))
        span = cut(span, 1);
    while (span.len > 0 && (is_blank(span.text[span.len - 1]) || span.text[span.len - 1] == '\r'))
        span.len--;
    return span;
}

static bool skip(struct span *span, const char *text)
{
    const size_t len = strlen(text);

    if (span->len < len || memcmp(span->text, text, len) != 0)
        return false;
    *span = cut(*span, len);
    return true;
}

/* ---- what was understood */

static bool is_header(const char *name, struct span span)
{
    return strlen(name) == span.len && strncasecmp(name, span.text, span.len) == 0;
}

/* The name of the CGI variable: false when nothing of ours can be meant. */
static bool name_variable(struct span name, char variable[NAME])
{
    static const char *const ours[] = {"REQUEST_METHOD", "CONTENT_LENGTH", "CONTENT_TYPE"};
    size_t at = 0;

    if (name.len == 0 || name.len + sizeof("HTTP_") > NAME)
        return false;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (is_header(ours[i], name)) {
            strcpy(variable, ours[i]);
            return true;
        }
    }
    const bool cgi = name.len > 5 && memcmp(name.text, "HTTP_", 5) == 0;
    const bool content = is_header("Content-Length", name) || is_header("Content-Type", name);
    if (!cgi && memchr(name.text, '_', name.len) != NULL)
        return false; /* nginx drops such a header, so it is none */
    if (!cgi && !content)
        at = strlen(strcpy(variable, "HTTP_"));
    for (size_t i = 0; i < name.len; i++, at++) {
        const char c = name.text[i];
        variable[at] = (char)(c == '-' ? '_' : c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    variable[at] = '\0';
    return true;
}

/* Is this very variable, with this value, there already? */
static bool is_known(const struct capture *capture, const char *line)
{
    for (size_t i = 0; i < capture->count; i++) {
        if (strcmp(capture->variables[i], line) == 0)
            return true;
    }
    return false;
}

/* `again`: the same header with the same value counts a second time. */
static void take(struct reading *reading, struct span name, struct span value, bool again)
{
    struct capture *capture = reading->capture;
    char variable[NAME];
    char *line;

    if (reading->error != 0 || !name_variable(name, variable)
        || memchr(value.text, '\0', value.len) != NULL)
        return;
    if (capture->count == CAPTURE_HEADERS) {
        reading->error = E2BIG;
        return;
    }
    if (asprintf(&line, "%s=%.*s", variable, (int)value.len, value.text) < 0) {
        reading->error = ENOMEM;
        return;
    }
    if (!again && is_known(capture, line))
        free(line);
    else
        capture->variables[capture->count++] = line;
}

/* ---- lines */

/* "name: value", NAME=value, [NAME] => value, 'name': 'value', and name TAB value. */
static bool split_line(struct span line, struct span *name, struct span *value)
{
    line = trim(line);
    while (skip(&line, "export ") || skip(&line, "declare -x "))
        line = trim(line);
    const bool quoted = line.len > 0 && strchr("'\"[", line.text[0]) != NULL;
    if (quoted)
        line = cut(line, 1);
    *name = (struct span){line.text, 0};
    while (name->len < line.len && is_name(line.text[name->len]))
        name->len++;
    line = cut(line, name->len);
    if (quoted && (line.len == 0 || strchr("'\"]", line.text[0]) == NULL))
        return false;
    line = quoted ? cut(line, 1) : line;
    const bool tab = line.len > 0 && line.text[0] == '\t';
    line = trim(line);
    bool dumped = quoted || (line.len > 0 && line.text[0] == '=');
    if (!skip(&line, "=>") && !skip(&line, ":") && !skip(&line, "=") && !tab)
        return false;
    *value = trim(line);
    if (dumped && value->len > 0 && value->text[value->len - 1] == ',')
        value->len--;
    if (dumped && value->len > 1 && strchr("'\"", value->text[0]) != NULL
        && value->text[value->len - 1] == value->text[0])
        *value = (struct span){value->text + 1, value->len - 2};
    return name->len > 0;
}

/* -H 'name: value', as often as the line has it. */
static bool take_arguments(struct reading *reading, struct span line)
{
    bool found = false;

    for (size_t i = 0; i + 4 < line.len; i++) {
        struct span at = cut(line, i), name, value;
        if ((i > 0 && !is_blank(line.text[i - 1]))
            || !(skip(&at, "-H ") || skip(&at, "--header ")))
            continue;
        (void)skip(&at, "$");
        const char quote = at.len > 0 ? at.text[0] : '\0';
        const char *end = quote == '\'' || quote == '"'
                              ? memchr(at.text + 1, quote, at.len - 1)
                              : NULL;
        if (end == NULL
            || !split_line((struct span){at.text + 1, (size_t)(end - at.text) - 1}, &name, &value))
            continue;
        take(reading, name, value, true);
        found = true;
    }
    return found;
}

/* 0000: Name: value, as curl --trace-ascii has it. */
static bool skip_offset(struct span *line)
{
    if (line->len < 6 || line->text[4] != ':' || line->text[5] != ' ')
        return false;
    for (int i = 0; i < 4; i++) {
        if (strchr("0123456789abcdef", line->text[i]) == NULL)
            return false;
    }
    *line = cut(*line, 6);
    return true;
}

/* POST /webhooks/calls HTTP/1.1 */
static bool take_request_line(struct reading *reading, struct span line)
{
    const char *blank = memchr(line.text, ' ', line.len);
    const char *version = memmem(line.text, line.len, " HTTP/", 6);

    if (blank == NULL || version == NULL || version == blank || blank - line.text > 20)
        return false;
    take(reading, (struct span){"REQUEST_METHOD", 14},
         (struct span){line.text, (size_t)(blank - line.text)}, true);
    return true;
}

/* What nginx logs of each header and FastCGI parameter with error_log ... debug. */
static bool unwrap_nginx(struct span *line)
{
    static const char *const marks[] = {"http header: \"", "fastcgi param: \"",
                                        "http2 header: \""};

    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        const char *mark = memmem(line->text, line->len, marks[i], strlen(marks[i]));
        const char *end = memrchr(line->text, '"', line->len);
        if (mark == NULL)
            continue;
        mark += strlen(marks[i]);
        *line = (struct span){mark, end < mark ? 0 : (size_t)(end - mark)};
        return true;
    }
    return false;
}

/* Browsers copy names and values in turn: a name with nothing behind it may have it below. */
static void settle(struct reading *reading, struct span value)
{
    if (reading->awaited.len > 0)
        take(reading, reading->awaited, value, true);
    reading->awaited = (struct span){NULL, 0};
}

static void take_line(struct reading *reading, struct span line)
{
    struct span name, value;

    const bool curl = skip(&line, "> ");
    if (!curl && line.len > 1 && strchr("<*{}", line.text[0]) != NULL && line.text[1] == ' ')
        return; /* curl -v: what it got, and what it did */
    const bool logged = unwrap_nginx(&line) || skip_offset(&line);
    if (take_arguments(reading, line))
        return;
    if (take_request_line(reading, line)) {
        reading->request_line |= !curl && !logged;
        return;
    }
    const bool split = split_line(line, &name, &value);
    settle(reading, split ? (struct span){"", 0} : trim(line));
    if (split && value.len == 0 && !logged && !curl)
        reading->awaited = name;
    else if (split)
        take(reading, name, value, true);
}

/* What follows the blank line of a raw request is its body. */
static void take_body(struct reading *reading, struct span rest)
{
    struct capture *capture = reading->capture;

    capture->body = malloc(rest.len + 1);
    if (capture->body == NULL) {
        reading->error = ENOMEM;
        return;
    }
    memcpy(capture->body, rest.text, rest.len);
    capture->body_len = rest.len;
}

static void read_lines(struct reading *reading, struct span text)
{
    while (text.len > 0 && reading->error == 0 && reading->capture->body == NULL) {
        const char *end = memchr(text.text, '\n', text.len);
        const size_t len = end == NULL ? text.len : (size_t)(end - text.text);
        const struct span line = {text.text, len};
        text = cut(text, end == NULL ? len : len + 1);
        if (trim(line).len > 0) {
            take_line(reading, line);
        } else if (reading->request_line && text.len > 0) {
            settle(reading, (struct span){"", 0});
            take_body(reading, text);
        }
    }
    settle(reading, (struct span){"", 0});
}

/* ---- JSON */

static void visit(void *context, const char *parent, const char *name, size_t index,
                  const char *value, size_t len)
{
    struct reading *reading = context;

    if (strcasecmp(parent, "headers") != 0 && strcasecmp(parent, "multiValueHeaders") != 0
        && parent[0] != '\0')
        return;
    if (strcmp(name, "name") == 0 && parent[0] != '\0') {
        (void)snprintf(reading->har_name, NAME, "%.*s", (int)len, value);
        return;
    }
    if (strcmp(name, "value") == 0 && parent[0] != '\0')
        name = reading->har_name;
    else if (strcmp(name, "method") == 0 && parent[0] == '\0')
        name = "REQUEST_METHOD";
    take(reading, (struct span){name, strlen(name)}, trim((struct span){value, len}), index > 0);
}

/* The body, where inspection sites and gateways put it beside the headers. */
static void take_json_body(struct reading *reading, struct span text)
{
    static const char *const names[] = {"content", "bodyRaw", "rawBody", "body"};
    struct jsonc *json = jsonc_parse(text.text, text.len);
    const char *body = NULL;
    size_t len = 0;

    for (size_t i = 0; json != NULL && body == NULL && i < sizeof(names) / sizeof(names[0]); i++)
        body = jsonc_text(json, names[i], &len);
    if (body != NULL)
        take_body(reading, (struct span){body, len});
    jsonc_free(json);
}

/* A dictionary as Python prints it is JSON but for its quotes. */
static bool read_python(struct reading *reading, struct span text)
{
    if (memchr(text.text, '"', text.len) != NULL)
        return false;
    char *copy = malloc(text.len + 1);
    if (copy == NULL)
        return false;
    for (size_t i = 0; i < text.len; i++)
        copy[i] = (char)(text.text[i] == '\'' ? '"' : text.text[i]);
    const bool read = jsonc_each(copy, text.len, visit, reading) == 0;
    free(copy);
    return read;
}

static bool read_json(struct reading *reading, struct span text)
{
    if (text.len == 0 || (text.text[0] != '{' && text.text[0] != '['))
        return false;
    while (text.len > 0 && strchr(" \t\r\n", text.text[text.len - 1]) != NULL)
        text.len--;
    if (jsonc_each(text.text, text.len, visit, reading) < 0)
        return read_python(reading, text);
    take_json_body(reading, text);
    return true;
}

int capture_read(struct capture *capture, const char *text, size_t len)
{
    struct reading reading = {.capture = capture};
    struct span all = {text, len};

    *capture = (struct capture){.variables = calloc(CAPTURE_HEADERS + 1, sizeof(char *))};
    if (capture->variables == NULL)
        return -1;
    (void)skip(&all, "\xef\xbb\xbf");
    while (all.len > 0 && strchr(" \t\r\n", all.text[0]) != NULL)
        all = cut(all, 1);
    if (!read_json(&reading, all))
        read_lines(&reading, all);
    if (reading.error == 0 && capture->count == 0)
        reading.error = EINVAL;
    if (reading.error == 0)
        return 0;
    capture_release(capture);
    errno = reading.error;
    return -1;
}

void capture_release(struct capture *capture)
{
    for (size_t i = 0; i < capture->count; i++)
        free(capture->variables[i]);
    free(capture->variables);
    free(capture->body);
    *capture = (struct capture){0};
}
