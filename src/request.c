/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io.h"

const char *request_variable(const struct request *request, const char *name)
{
    const size_t len = strlen(name);

    for (char *const *at = request->env; *at != NULL; at++) {
        if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
            return (*at)[len + 1] == '\0' ? NULL : *at + len + 1;
    }
    return NULL;
}

void request_path(const struct request *request, char path[REQUEST_PATH_SIZE])
{
    const char *script = request_variable(request, "SCRIPT_NAME");
    const char *info = request_variable(request, "PATH_INFO");
    const char *uri = request_variable(request, "REQUEST_URI");
    int len;

    if (script != NULL)
        len = snprintf(path, REQUEST_PATH_SIZE, "%s%s", script, info == NULL ? "" : info);
    else if (uri != NULL)
        len = snprintf(path, REQUEST_PATH_SIZE, "%.*s", (int)strcspn(uri, "?"), uri);
    else
        len = snprintf(path, REQUEST_PATH_SIZE, "%s", info == NULL ? "" : info);
    if (len < 0 || len >= REQUEST_PATH_SIZE)
        path[0] = '\0';
}

/* CONTENT_LENGTH: 1 and *length, 0 when there is none, -1 when it is no number. */
static int content_length(const struct request *request, uint64_t *length)
{
    const char *text = request_variable(request, "CONTENT_LENGTH");

    if (text == NULL)
        return 0;
    if (strspn(text, "0123456789") != strlen(text))
        return -1;
    errno = 0;
    *length = strtoull(text, NULL, 10);
    return errno == 0 ? 1 : -1;
}

/* Reads until the buffer is full or the body ends: false when the stream broke or took too long. */
static bool read_full(struct request *request, char *buffer, size_t want, int64_t deadline,
                      size_t *got)
{
    *got = 0;
    while (*got < want) {
        const ssize_t n = request->read(request, buffer + *got, want - *got);
        if (n < 0)
            return false;
        if (n == 0)
            return true;
        *got += (size_t)n;
        if (io_now() > deadline)
            return false;
    }
    return true;
}

static enum request_body read_announced(struct request *request, size_t length, int64_t deadline,
                                        char *body, size_t *len)
{
    /* One byte more than announced tells a body that is longer; its room is there. */
    const size_t want = request->reads_to_end ? length + 1 : length;

    if (!read_full(request, body, want, deadline, len) || *len != length)
        return REQUEST_BROKEN;
    return REQUEST_BODY;
}

static enum request_body read_unannounced(struct request *request, uint64_t max, int64_t deadline,
                                          char **body, size_t *len)
{
    size_t room = 16 * 1024;

    *len = 0;
    for (;;) {
        size_t got;
        if (room > max + 1)
            room = (size_t)max + 1;
        char *grown = realloc(*body, room);
        if (grown == NULL)
            return REQUEST_NO_MEMORY;
        *body = grown;
        if (!read_full(request, *body + *len, room - *len, deadline, &got))
            return REQUEST_BROKEN;
        *len += got;
        if (*len < room)
            return REQUEST_BODY;
        if (*len > max)
            return REQUEST_TOO_LARGE;
        room *= 2;
    }
}

enum request_body request_body(struct request *request, uint64_t max, int64_t deadline,
                               char **body, size_t *len)
{
    uint64_t length;
    enum request_body result;
    const int announced = content_length(request, &length);

    *body = NULL;
    if (announced < 0)
        return REQUEST_BROKEN;
    if (announced > 0) {
        if (length > max)
            return REQUEST_TOO_LARGE;
        *body = malloc((size_t)length + 1);
        result = *body == NULL ? REQUEST_NO_MEMORY
                               : read_announced(request, (size_t)length, deadline, *body, len);
    } else {
        result = read_unannounced(request, max, deadline, body, len);
    }
    if (result != REQUEST_BODY) {
        free(*body);
        *body = NULL;
    }
    return result;
}

static const char *reason_phrase(int status)
{
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 413: return "Content Too Large";
    default: return "Service Unavailable";
    }
}

void request_answer(struct request *request, int status, const char *word)
{
    char text[256];
    const char *header = "";

    if (status == 405)
        header = "Allow: POST\r\n";
    else if (status == 503)
        header = "Retry-After: 30\r\n";
    const int len = snprintf(text, sizeof(text),
                             "Status: %d %s\r\nContent-Type: application/json\r\n"
                             "Content-Length: %zu\r\n%s\r\n{\"status\":\"%s\"}",
                             status, reason_phrase(status),
                             strlen(word) + sizeof("{\"status\":\"\"}") - 1, header, word);
    request->respond(request, text, (size_t)len);
}
