/* SPDX-License-Identifier: ISC */
/*
 * A body to a record and back: the line proves itself, is strict JSON, gives the body back byte for
 * byte, and a change of any byte is seen. The bytes by themselves are tried as a line, too.
 */
#include "fuzz.h"

#include "crypto.h"
#include "event.h"
#include "record.h"
#include "strictjson.h"

/* What stands behind the name in the line, up to `end`; NULL. */
static const char *member(const char *line, size_t len, const char *name, const char *end,
                          size_t *found_len)
{
    const char *found = memmem(line, len, name, strlen(name));

    if (found == NULL)
        return NULL;
    found += strlen(name);
    *found_len = (size_t)(end - found);
    return found;
}

static bool decodes_to(const char *text, size_t len, const uint8_t *data, size_t size)
{
    unsigned char *bytes = malloc(size + 1);
    const ssize_t got = crypto_base64_decode(bytes, size + 1, text, len);
    const bool same = got == (ssize_t)size && memcmp(bytes, data, size) == 0;

    free(bytes);
    return same;
}

/* The body as hookspool-spool(5) says that it is had back. */
static bool holds_body(const char *line, size_t len, const uint8_t *data, size_t size)
{
    const char *end = line + len - RECORD_SEAL;
    size_t text_len;
    const char *text = member(line, len, ",\"data_base64\":\"", end - 1, &text_len);

    /* The first ,"data": in a line is the member, so what a body holds does not count. */
    const char *plain = member(line, len, ",\"data\":", end, &text_len);
    if (text != NULL && (plain == NULL || text < plain)) {
        text = member(line, len, ",\"data_base64\":\"", end - 1, &text_len);
        return decodes_to(text, text_len, data, size);
    }
    if (plain == NULL)
        return false;
    if (memchr(data, '\n', size) == NULL && memchr(data, '\r', size) == NULL)
        return text_len == size && memcmp(plain, data, size) == 0;
    const char *base64 = plain + size; /* breaks became blanks, one for one */
    static const char name[] = ",\"bodybase64\":\"";
    return text_len > size + sizeof(name) && memcmp(base64, name, sizeof(name) - 1) == 0
        && decodes_to(base64 + sizeof(name) - 1, (size_t)(end - 1 - base64) - (sizeof(name) - 1),
                      data, size);
}

/* How deep brackets are at most, those in strings included: the line has one level more. */
static int depth(const uint8_t *data, size_t size)
{
    int now = 0, most = 0;

    for (size_t i = 0; i < size; i++) {
        now += (data[i] == '[' || data[i] == '{') - (data[i] == ']' || data[i] == '}');
        most = now > most ? now : most;
    }
    return most;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event event = {.id = "msg_1", .source = "/webhooks/a", .time = 1790000000,
                          .received = {1790000001, 5000}, .body = (const char *)data,
                          .body_len = size};
    struct strictjson_string none;
    struct record_view view;
    size_t len;

    if (size == 0)
        event.body = "";
    (void)record_check(event.body, size, &view);
    FUZZ_CHECK(record_find(event.body, size) <= size);
    FUZZ_CHECK(event_examine(&event, "webhook") == 0);
    char *line = record_encode(&event, &len);
    FUZZ_CHECK(line != NULL && line[len - 1] == '\n' && memchr(line, '\n', len) == line + len - 1);
    FUZZ_CHECK(record_check(line, len, &view) && view.id_len == 5);
    FUZZ_CHECK(strlen(event.type) == view.type_len
               && memcmp(view.type, event.type, view.type_len) == 0);
    FUZZ_CHECK(strictjson_scan(line, len, NULL, 0, &none) || depth(data, size) >= STRICTJSON_DEPTH);
    FUZZ_CHECK(holds_body(line, len, (const uint8_t *)event.body, size));
    if (size > 0) {
        line[(data[0] * 251u + size) % (len - 1)] ^= 1;
        FUZZ_CHECK(!record_check(line, len, &view));
    }
    free(line);
    return 0;
}
