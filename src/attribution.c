/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "attribution.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rotation.h"
#include "variant.h"

enum {
    OTHERS = 64,  /* secrets of other endpoints that are tried */
    VARIED = 3,   /* secrets with which variants are tried */
    PARTS = 5,
    NUMBER = 24
};

/* A message as it may have been signed: its parts one after the other. */
struct content {
    struct iovec parts[PARTS];
    int count;
    size_t bytes; /* of the body in it */
};

struct search {
    const struct attribution_question *question;
    struct attribution_answer *answer;
    size_t bytes; /* left */
    bool failed;
};

static struct iovec part(const void *bytes, size_t len)
{
    return (struct iovec){(void *)bytes, len};
}

static struct iovec text(const char *string)
{
    return part(string, strlen(string));
}

static struct content plain(const char *id, const char *timestamp, const void *body, size_t len)
{
    return (struct content){{text(id), text("."), text(timestamp), text("."), part(body, len)}, 5,
                            len};
}

/* Not memcmp(): how far two of them agree is nobody's business. */
static bool same(const unsigned char *a, const unsigned char *b)
{
    unsigned char difference = 0;

    for (size_t i = 0; i < CRYPTO_HASH; i++)
        difference = (unsigned char)(difference | (a[i] ^ b[i]));
    return difference == 0;
}

/* Is one of the digests that of this content under this key? Then the answer is found. */
static bool try_key(struct search *search, const void *key, size_t key_len,
                    const struct content *content)
{
    struct attribution_answer *answer = search->answer;
    const struct attribution_question *question = search->question;
    unsigned char sum[CRYPTO_HASH];

    if (search->failed)
        return false;
    if (crypto_hmac(sum, key, key_len, content->parts, content->count) < 0) {
        search->failed = true;
        return false;
    }
    answer->tried++;
    search->bytes -= content->bytes < search->bytes ? content->bytes : search->bytes;
    for (size_t i = 0; i < question->digest_count && !answer->found; i++) {
        if (same(sum, question->digests[i].bytes)) {
            answer->found = true;
            answer->digest = &question->digests[i];
        }
    }
    crypto_wipe(sum, sizeof(sum));
    return answer->found;
}

static bool affordable(struct search *search, size_t bytes)
{
    if (bytes <= search->bytes)
        return true;
    search->answer->complete = false;
    return false;
}

/* A secret as it is meant, with the message as it is meant. */
static bool try_secret(struct search *search, const struct keyring_file *file,
                       const struct secret *secret, const struct content *content)
{
    search->answer->file = file;
    search->answer->secret = secret;
    search->answer->form = ATTRIBUTION_DECODED;
    return try_key(search, secret->key.bytes, secret->key.len, content);
}

/* A secret whose text was taken for the key. */
static bool try_text(struct search *search, const struct keyring_file *file,
                     const struct secret *secret, const struct content *content)
{
    const size_t prefix = strlen("whsec_");
    char secret_text[ROTATION_SECRET];
    bool found = false;

    search->answer->file = file;
    search->answer->secret = secret;
    rotation_secret(&secret->key, secret_text);
    const size_t full = strlen(secret_text), bare = strcspn(secret_text, "=");
    /* The file may have it without the = at its end: both are tried. */
    const size_t lengths[] = {full, bare};
    for (size_t i = 0; i < (bare == full ? 1 : 2) && !found; i++) {
        if (!affordable(search, 2 * content->bytes))
            break;
        search->answer->form = ATTRIBUTION_PREFIXED;
        found = try_key(search, secret_text, lengths[i], content);
        if (found)
            break;
        search->answer->form = ATTRIBUTION_TEXT;
        found = try_key(search, secret_text + prefix, lengths[i] - prefix, content);
    }
    crypto_wipe(secret_text, sizeof(secret_text));
    return found;
}

/* The message as it is meant, and every secret there is, in every form. */
static bool try_secrets(struct search *search)
{
    const struct attribution_question *question = search->question;
    const struct keyring *keyring = question->keyring;
    const struct content content = plain(question->id, question->timestamp, question->body,
                                         question->len);
    const struct secrets *own = &keyring->files[0].secrets;
    size_t others = 0;

    for (size_t i = 0; i < own->count; i++) {
        if (try_secret(search, &keyring->files[0], &own->list[i], &content))
            return true;
    }
    for (size_t i = 0; i < own->count; i++) {
        if (affordable(search, content.bytes)
            && try_text(search, &keyring->files[0], &own->list[i], &content))
            return true;
    }
    for (size_t i = 1; i < keyring->count; i++) {
        const struct secrets *secrets = &keyring->files[i].secrets;
        for (size_t j = 0; j < secrets->count; j++) {
            if (!affordable(search, content.bytes) || others++ == OTHERS) {
                search->answer->complete = false;
                return false;
            }
            if (try_secret(search, &keyring->files[i], &secrets->list[j], &content))
                return true;
        }
    }
    return false;
}

static bool try_bodies(struct search *search, const struct secret *secret)
{
    const struct attribution_question *question = search->question;
    struct attribution_answer *answer = search->answer;

    for (unsigned i = 0; i < variant_count() && !search->failed; i++) {
        size_t len;
        if (!affordable(search, question->len))
            return false;
        char *body = variant_make(i, question->body, question->len, search->bytes, &len,
                                  &answer->variant);
        if (body == NULL) {
            search->failed = errno == ENOMEM;
            continue;
        }
        const struct content content = plain(question->id, question->timestamp, body, len);
        const bool found = try_secret(search, &question->keyring->files[0], secret, &content);
        free(body);
        if (found)
            return true;
    }
    answer->variant = NULL;
    return false;
}

/* Other ways to write the time: false when there is none. As a whole number, seconds for ms. */
static bool reread_time(const char *timestamp, char out[NUMBER])
{
    const char *digits = timestamp + strspn(timestamp, "+0");
    const size_t len = strspn(digits, "0123456789");

    if (len == 0 || len > 18)
        return false;
    (void)snprintf(out, NUMBER, "%.*s", (int)(len == 13 ? 10 : len), digits);
    return strcmp(out, timestamp) != 0;
}

static bool try_contents(struct search *search, const struct secret *secret)
{
    const struct attribution_question *question = search->question;
    const char *id = question->id, *timestamp = question->timestamp;
    char number[NUMBER] = "", milliseconds[NUMBER + 3] = "";
    const struct iovec body = part(question->body, question->len), dot = text(".");

    const bool reread = reread_time(timestamp, number);
    if (strlen(timestamp) == 10)
        (void)snprintf(milliseconds, sizeof(milliseconds), "%.10s000", timestamp);
    const struct {
        const char *what;
        bool applies;
        struct content content;
    } contents[] = {
        {"the body alone", true, {{body}, 1, 0}},
        {"time.body, without the id", true, {{text(timestamp), dot, body}, 3, 0}},
        {"id.body, without the time", true, {{text(id), dot, body}, 3, 0}},
        {".time.body, with an empty id", id[0] != '\0',
         {{dot, text(timestamp), dot, body}, 4, 0}},
        {"id..body, with an empty time", timestamp[0] != '\0',
         {{text(id), text(".."), body}, 3, 0}},
        {"id, time and body without dots between", true,
         {{text(id), text(timestamp), body}, 3, 0}},
        {"id.time.body with the time as a whole number of seconds", reread,
         {{text(id), dot, text(number), dot, body}, 5, 0}},
        {"id.time.body with the time in milliseconds", milliseconds[0] != '\0',
         {{text(id), dot, text(milliseconds), dot, body}, 5, 0}},
    };
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        struct content content = contents[i].content;
        content.bytes = question->len;
        if (!contents[i].applies || !affordable(search, question->len))
            continue;
        search->answer->content = contents[i].what;
        if (try_secret(search, &question->keyring->files[0], secret, &content))
            return true;
    }
    search->answer->content = NULL;
    return false;
}

int attribution_find(const struct attribution_question *question, struct attribution_answer *answer)
{
    struct search search = {.question = question, .answer = answer, .bytes = question->bytes};
    const struct secrets *own = &question->keyring->files[0].secrets;

    *answer = (struct attribution_answer){.complete = true};
    bool found = try_secrets(&search);
    for (size_t i = 0; !found && !question->plainly && i < own->count && i < VARIED; i++)
        found = try_bodies(&search, &own->list[i]) || try_contents(&search, &own->list[i]);
    if (!found)
        *answer = (struct attribution_answer){.tried = answer->tried, .complete = answer->complete};
    if (!search.failed)
        return 0;
    errno = ENOMEM;
    return -1;
}
