/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "kept.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

static const char magic[8] = "hookinE1";

static_assert(sizeof(struct kept_head) == 72, "no padding, for all of it is hashed");

/* Where the part of the head begins that is hashed together with the text. */
enum { HASHED = offsetof(struct kept_head, body_hash) };

/* Beside the headers. A CGI program's environment may hold anything else. */
static const char *const described[] = {
    "REQUEST_METHOD", "REQUEST_URI",    "SCRIPT_NAME", "PATH_INFO",      "QUERY_STRING",
    "CONTENT_TYPE",   "CONTENT_LENGTH", "REMOTE_ADDR", "REMOTE_PORT",    "SERVER_PROTOCOL",
    "SERVER_NAME",    "SERVER_PORT",    "HTTPS",       "REQUEST_SCHEME"};

static const char *const credentials[] = {"HTTP_AUTHORIZATION", "HTTP_PROXY_AUTHORIZATION",
                                          "HTTP_COOKIE"};

static bool is_called(const char *variable, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(variable, name, len) == 0;
}

static bool is_among(const char *variable, size_t len, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_called(variable, len, names[i]))
            return true;
    }
    return false;
}

#define IS_AMONG(variable, len, names) \
    is_among(variable, len, names, sizeof(names) / sizeof((names)[0]))

/* ---- writing */

struct draft {
    char *text;
    size_t len;
    bool missing;
};

static void add(struct draft *draft, const char *text, size_t len)
{
    if (len >= KEPT_TEXT - draft->len) {
        draft->missing = true;
        return;
    }
    memcpy(draft->text + draft->len, text, len);
    draft->len += len;
    draft->text[draft->len++] = '\0';
}

/* Authorization and the like: that it was there, and how long it was. */
static void add_without_value(struct draft *draft, const char *variable, size_t name)
{
    char text[128];

    const int len = snprintf(text, sizeof(text), "%.*s=(%zu bytes, not kept)", (int)name, variable,
                             strlen(variable + name + 1));
    add(draft, text, (size_t)len);
}

static bool is_ours(const char *variable)
{
    return strncmp(variable, "HTTP_SVIX_", 10) == 0 || strncmp(variable, "HTTP_WEBHOOK_", 13) == 0;
}

/* nginx passes the headers Content-Type and Content-Length by both of their names. */
static bool stands_twice(char *const *env, const char *variable)
{
    if (strncmp(variable, "HTTP_CONTENT_", 13) != 0)
        return false;
    for (; *env != NULL; env++) {
        if (strcmp(*env, variable + strlen("HTTP_")) == 0)
            return true;
    }
    return false;
}

/* The variables of this kind: first the six headers, which must not be crowded out. */
static void add_variables(struct draft *draft, char *const *env, bool ours)
{
    for (char *const *at = env; *at != NULL; at++) {
        const size_t name = strcspn(*at, "=");
        if ((*at)[name] == '\0' || is_ours(*at) != ours || stands_twice(env, *at))
            continue;
        if (IS_AMONG(*at, name, credentials))
            add_without_value(draft, *at, name);
        else if (strncmp(*at, "HTTP_", 5) == 0 || IS_AMONG(*at, name, described))
            add(draft, *at, strlen(*at));
    }
}

struct kept_head *kept_note(const struct kept_facts *facts, char *const *env, size_t *len)
{
    struct kept_head *head = malloc(sizeof(*head) + KEPT_TEXT);

    if (head == NULL)
        return NULL;
    struct draft draft = {.text = (char *)(head + 1)};
    add(&draft, facts->word, strlen(facts->word));
    add(&draft, facts->reason == NULL ? "" : facts->reason,
        facts->reason == NULL ? 0 : strlen(facts->reason));
    add_variables(&draft, env, true);
    add_variables(&draft, env, false);
    *head = (struct kept_head){.came = facts->came,
                               .nanoseconds = facts->nanoseconds,
                               .status = facts->status,
                               .secret_line = facts->secret_line,
                               .flags = draft.missing ? KEPT_MISSING : 0,
                               .text_len = (uint32_t)draft.len};
    memcpy(head->magic, magic, sizeof(magic));
    *len = sizeof(*head) + draft.len;
    return head;
}

void kept_seal(struct kept_head *head, uint64_t number, const void *body, size_t len, size_t room)
{
    const size_t rest = room - sizeof(*head) - head->text_len;

    head->number = number;
    head->body_len = (uint32_t)(body == NULL ? 0 : len < rest ? len : rest);
    head->flags = (head->flags & ~(uint32_t)KEPT_BODY) | (body == NULL ? 0 : KEPT_BODY);
    head->body_hash = record_hash(body == NULL ? "" : body, head->body_len);
    head->hash = record_hash((const char *)head + HASHED,
                             sizeof(*head) - HASHED + head->text_len);
}

/* ---- reading */

size_t kept_rest(const struct kept_head *head, size_t room)
{
    if (memcmp(head->magic, magic, sizeof(magic)) != 0 || head->text_len > KEPT_TEXT
        || head->body_len > room || room - head->body_len < sizeof(*head) + head->text_len)
        return 0;
    return (size_t)head->text_len + head->body_len;
}

/* The strings of the text: how many there are, and where, unless strings is NULL. */
static size_t list_strings(char *text, size_t len, char **strings)
{
    size_t count = 0;

    for (size_t at = 0; at < len; at += strlen(text + at) + 1) {
        if (strings != NULL)
            strings[count] = text + at;
        count++;
    }
    return count;
}

static bool is_whole(const struct kept_head *head)
{
    const char *text = (const char *)(head + 1);

    return record_hash((const char *)head + HASHED, sizeof(*head) - HASHED + head->text_len)
            == head->hash
        && record_hash(text + head->text_len, head->body_len) == head->body_hash
        && head->text_len > 0 && text[head->text_len - 1] == '\0';
}

int kept_read(struct kept *kept, void *memory)
{
    struct kept_head *head = memory;
    char *text = (char *)(head + 1);

    *kept = (struct kept){.head = head, .memory = memory};
    const size_t count = is_whole(head) ? list_strings(text, head->text_len, NULL) : 0;
    char **strings = count < 2 ? NULL : calloc(count + 1, sizeof(char *));
    if (strings == NULL) {
        errno = count < 2 ? EINVAL : ENOMEM;
        const int saved = errno;
        free(memory);
        *kept = (struct kept){0};
        errno = saved;
        return -1;
    }
    (void)list_strings(text, head->text_len, strings);
    kept->word = strings[0];
    kept->reason = strings[1];
    memmove(strings, strings + 2, (count - 1) * sizeof(char *));
    kept->variables = strings;
    if ((head->flags & KEPT_BODY) != 0) {
        text[head->text_len + head->body_len] = '\0';
        kept->body = text + head->text_len;
    }
    return 0;
}

void kept_release(struct kept *kept)
{
    free(kept->variables);
    free(kept->memory);
    *kept = (struct kept){0};
}

bool kept_is_cut(const struct kept *kept)
{
    return kept->body == NULL || kept->head->body_len < kept->head->sent;
}

const char *kept_variable(const struct kept *kept, const char *name)
{
    const size_t len = strlen(name);

    for (char *const *at = kept->variables; *at != NULL; at++) {
        if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
            return *at + len + 1;
    }
    return NULL;
}

bool kept_header(const char *variable, char name[KEPT_NAME], const char **value)
{
    const size_t len = strcspn(variable, "=");
    bool first = true;
    size_t from = 0;

    if (strncmp(variable, "HTTP_", 5) == 0)
        from = 5;
    else if (strncmp(variable, "CONTENT_", 8) != 0)
        return false;
    if (variable[len] == '\0' || len - from >= KEPT_NAME || len == from)
        return false;
    for (size_t i = from; i < len; i++) {
        const char c = variable[i];
        const bool lower = !first && c >= 'A' && c <= 'Z';
        name[i - from] = (char)(c == '_' ? '-' : lower ? c - 'A' + 'a' : c);
        first = c == '_';
    }
    name[len - from] = '\0';
    *value = variable + len + 1;
    return true;
}
