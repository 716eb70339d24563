/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "option.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "near.h"

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

enum { NAME_LENGTH = 64, PATTERN_LENGTH = 128, NEAR = 2 };

static_assert(offsetof(struct config_consumer, backoff_max) ==
                  offsetof(struct config_consumer, backoff_min) + sizeof(int64_t),
              "one option sets both");

struct unit {
    const char *suffix;
    uint64_t factor;
};

/* A value on its way into its field. */
struct setting {
    const struct option_row *option;
    const char *directory;
    const char *text;
    void *field;
    char *why;
};

struct option_type {
    const char *name;
    bool (*parse)(const struct setting *setting);
    bool on_heap;
    const char *expected;     /* in words */
    const struct unit *units; /* of numbers */
    const char *bytes;        /* of strings: the only ones allowed */
};

__attribute__((format(printf, 2, 3)))
static bool refuse(const struct setting *setting, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(setting->why, OPTION_WHY, format, args);
    va_end(args);
    return false;
}

/* Numbers. */

/* Digits and a unit, no sign, no blank: NULL, or what is wrong with them. */
static const char *scan(const char *text, size_t len, const struct unit *units, uint64_t *value)
{
    const size_t digits = strspn(text, "0123456789");
    const size_t end = digits < len ? digits : len;
    uint64_t number = 0;
    bool overflow = false;

    if (end == 0)
        return "is not a number";
    for (size_t i = 0; i < end && !overflow; i++)
        overflow = __builtin_mul_overflow(number, 10, &number) ||
                   __builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number);

    for (; units->suffix != NULL; units++) {
        if (strlen(units->suffix) == len - end &&
            memcmp(units->suffix, text + end, len - end) == 0) {
            overflow = overflow || __builtin_mul_overflow(number, units->factor, &number);
            *value = overflow ? UINT64_MAX : number; /* beyond any bound */
            return NULL;
        }
    }
    return end == len ? "has no unit" : "has an unknown unit";
}

static bool read_number(const struct setting *setting, const char *text, size_t len,
                        uint64_t *value)
{
    const struct option_row *option = setting->option;
    const struct option_type *type = option->type;
    uint64_t number = 0, min = 0, max = 0;

    const char *fault = scan(text, len, type->units, &number);
    if (fault != NULL)
        return refuse(setting, "'%.*s' %s: expected %s", (int)len, text, fault, type->expected);

    scan(option->min, strlen(option->min), type->units, &min);
    scan(option->max, strlen(option->max), type->units, &max);
    if (number < min || number > max)
        return refuse(setting, "'%.*s' is out of bounds (%s to %s)%s%s", (int)len, text,
                      option->min, option->max, option->reason != NULL ? ": " : "",
                      option->reason != NULL ? option->reason : "");
    *value = number;
    return true;
}

static bool parse_count(const struct setting *setting)
{
    unsigned *field = setting->field;
    uint64_t value = 0;

    const bool fine = read_number(setting, setting->text, strlen(setting->text), &value);
    *field = (unsigned)value;
    return fine;
}

/* Sizes are kept in uint64_t, durations in int64_t: one store serves both. */
static bool parse_amount(const struct setting *setting)
{
    return read_number(setting, setting->text, strlen(setting->text), setting->field);
}

static bool parse_range(const struct setting *setting)
{
    int64_t *field = setting->field;
    const char *text = setting->text;
    const char *dots = strstr(text, "..");
    uint64_t from = 0, to = 0;

    if (dots == NULL)
        return refuse(setting, "'%s' is not a range: expected %s", text,
                      setting->option->type->expected);
    if (!read_number(setting, text, (size_t)(dots - text), &from) ||
        !read_number(setting, dots + 2, strlen(dots + 2), &to))
        return false;
    if (from > to)
        return refuse(setting, "'%s' begins above its end", text);
    field[0] = (int64_t)from;
    field[1] = (int64_t)to;
    return true;
}

/* Strings. */

static bool keep(const struct setting *setting, char *allocated)
{
    char **field = setting->field;

    if (allocated == NULL)
        return refuse(setting, "out of memory");
    *field = allocated;
    return true;
}

static bool parse_string(const struct setting *setting)
{
    const struct option_row *option = setting->option;

    if (strlen(setting->text) > strtoul(option->max, NULL, 10))
        return refuse(setting, "longer than %s bytes", option->max);
    if (setting->text[strspn(setting->text, option->type->bytes)] != '\0')
        return refuse(setting, "'%s' is not %s", setting->text, option->type->expected);
    return keep(setting, strdup(setting->text));
}

/* No user and no password: the configuration is for everybody to read. */
static bool parse_url(const struct setting *setting)
{
    const char *text = setting->text;
    const char *host = strncmp(text, "http://", 7) == 0    ? text + 7
                       : strncmp(text, "https://", 8) == 0 ? text + 8
                                                           : "";

    if (text[0] != '\0' && (host[0] == '\0' || strchr("/:?", host[0]) != NULL))
        return refuse(setting, "'%s' is not %s", text, setting->option->type->expected);
    return parse_string(setting);
}

static bool parse_name(const struct setting *setting)
{
    if (!option_is_name(setting->text))
        return refuse(setting, "'%s' is not %s", setting->text, OPTION_NAME);
    return keep(setting, strdup(setting->text));
}

static bool parse_absolute(const struct setting *setting)
{
    if (setting->text[0] != '/')
        return refuse(setting, "'%s' does not start with '/'", setting->text);
    if (setting->option->type->bytes != NULL)
        return parse_string(setting);
    return keep(setting, strdup(setting->text));
}

static bool parse_file(const struct setting *setting)
{
    const bool absolute = setting->text[0] == '/';
    char *path;

    if (asprintf(&path, "%s%s%s", absolute ? "" : setting->directory, absolute ? "" : "/",
                 setting->text) < 0)
        path = NULL;
    return keep(setting, path);
}

/* Pointers and patterns share one block, so that one free() is enough. */
static bool parse_patterns(const struct setting *setting)
{
    const char *text = setting->text;
    const struct option_type *type = setting->option->type;
    char ***field = setting->field;
    size_t count = 1;

    for (const char *at = text; *at != '\0'; at++)
        count += *at == ',';
    char **list = malloc((count + 1) * sizeof(*list) + strlen(text) + 1);
    if (list == NULL)
        return refuse(setting, "out of memory");

    char *rest = strcpy((char *)(list + count + 1), text);
    for (size_t i = 0; i < count; i++) {
        char *pattern = strsep(&rest, ",");
        pattern += strspn(pattern, " ");
        size_t len = strlen(pattern);
        while (len > 0 && pattern[len - 1] == ' ')
            pattern[--len] = '\0';
        if (len == 0 || len > PATTERN_LENGTH || strspn(pattern, type->bytes) != len) {
            refuse(setting, "'%s' is not %s", pattern, type->expected);
            free(list);
            return false;
        }
        list[i] = pattern;
    }
    list[count] = NULL;
    *field = list;
    return true;
}

/* The tables. */

static const struct unit no_units[] = {{"", 1}, {NULL, 0}};
static const struct unit size_units[] = {
    {"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"T", 1ULL << 40}, {NULL, 0}};
static const struct unit second_units[] = {
    {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {NULL, 0}};
static const struct unit millisecond_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0}};

/* Name, parser, whether free() is due, what is expected, and of which units or bytes. */
static const struct option_type count_type = {
    "count", parse_count, false, "digits", no_units, NULL};
static const struct option_type size_type = {
    "size", parse_amount, false, "digits, then K, M, G, T or nothing", size_units, NULL};
static const struct option_type duration_type = {
    "duration", parse_amount, false, "digits, then s, m, h or d", second_units, NULL};
static const struct option_type millisecond_type = {
    "duration", parse_amount, false, "digits, then ms, s, m, h or d", millisecond_units, NULL};
static const struct option_type range_type = {
    "range", parse_range, false, "two durations such as 30s..1h", second_units, NULL};
static const struct option_type string_type = {
    "string", parse_string, true, "printable ASCII", NULL,
    ALNUM " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"};
static const struct option_type url_type = {
    "url", parse_url, true, "http:// or https://, a host and a path (A-Z a-z 0-9 :/?&=+,;._~%[]-)",
    NULL, ALNUM ":/?&=+,;._~%[]-"};
static const struct option_type event_type = {
    "type", parse_string, true, "an event type (A-Z a-z 0-9 _ . : / -)", NULL, ALNUM "_.:/-"};
static const struct option_type patterns_type = {
    "patterns", parse_patterns, true,
    "a pattern (1 to 128 of A-Z a-z 0-9 _ . : / - * ? [ ] !)", NULL, ALNUM "_.:/-*?[]!"};
static const struct option_type path_type = {
    "path", parse_absolute, true, "a path (A-Z a-z 0-9 / _ . ~ -)", NULL, ALNUM "/_.~-"};
static const struct option_type name_type = {"name", parse_name, true, NULL, NULL, NULL};
static const struct option_type file_type = {"file", parse_file, true, NULL, NULL, NULL};
static const struct option_type directory_type = {
    "directory", parse_absolute, true, NULL, NULL, NULL};

#define ROW(place, owner, field, kind, preset, min, max, reason) \
    {OPTION_##place, #field, &kind##_type, offsetof(struct owner, field), preset, min, max, reason}
#define GLOBAL(...) ROW(HOOKSPOOL, config, __VA_ARGS__, NULL)
#define ENDPOINT(...) ROW(ENDPOINT, config_endpoint, __VA_ARGS__, NULL)
#define SPOOL(...) ROW(SPOOL, config_spool, __VA_ARGS__)
#define CONSUMER(...) ROW(CONSUMER, config_consumer, __VA_ARGS__, NULL)

/* The longest strings fit, with their keys, in the lines that inih takes. */
const struct option_row option_table[] = {
    GLOBAL(spool_dir, directory, "/var/spool/hookspool", NULL, NULL),
    GLOBAL(threads, count, "64", "1", "1024"),
    GLOBAL(deadline, millisecond, "10s", "1s", "60s"),

    ENDPOINT(path, path, "/webhooks/NAME", "1", "180"),
    ENDPOINT(url, url, "", "0", "180"),
    ENDPOINT(secret_file, file, NULL, NULL, NULL),
    ENDPOINT(spool, name, "NAME", "1", "64"),
    ENDPOINT(events, patterns, "*", NULL, NULL),
    ENDPOINT(default_type, event, "webhook", "1", "128"),
    ENDPOINT(tolerance, duration, "5m", "1s", "1d"),
    ENDPOINT(max_body, size, "1M", "1K", "64M"),
    ENDPOINT(description, string, "", "0", "180"),
    ENDPOINT(inspect, count, "0", "0", "1000"),

    SPOOL(dedupe_window, duration, "30d", "3d", "3650d", "the sender's retries span up to 66 h"),
    SPOOL(segment_size, size, "64M", "64K", "4G", NULL),
    SPOOL(keep, duration, "30d", "0s", "3650d", NULL),
    SPOOL(min_free, size, "256M", "0", "1T", NULL),

    CONSUMER(spool, name, "NAME", "1", "64"),
    CONSUMER(max_attempts, count, "10", "1", "1000"),
    CONSUMER(max_age, duration, "24h", "0s", "30d"),
    {OPTION_CONSUMER, "backoff", &range_type, offsetof(struct config_consumer, backoff_min),
     "30s..1h", "1s", "7d", NULL},
};

const char *const option_sections[OPTION_SECTIONS] = {"hookspool", "endpoint", "spool", "consumer"};

const struct option_row *option_find(enum option_section section, const char *key)
{
    for (size_t i = 0; i < OPTION_ROWS; i++) {
        if (option_table[i].section == section && strcmp(option_table[i].key, key) == 0)
            return &option_table[i];
    }
    return NULL;
}

const char *option_near(enum option_section section, const char *key)
{
    for (unsigned edits = 1; edits <= NEAR; edits++) {
        for (size_t i = 0; i < OPTION_ROWS; i++) {
            if (option_table[i].section == section
                && near_distance(key, option_table[i].key) == edits)
                return option_table[i].key;
        }
    }
    return NULL;
}

bool option_is_name(const char *text)
{
    const size_t len = strlen(text);

    return len > 0 && len <= NAME_LENGTH && text[0] != '-' && strspn(text, ALNUM "_-") == len;
}

static void *field_of(const struct option_row *option, void *section)
{
    return (char *)section + option->offset;
}

bool option_set(const struct option_row *option, void *section, const char *directory,
                const char *text, char why[OPTION_WHY])
{
    const struct setting setting = {option, directory, text, field_of(option, section), why};

    if (text[0] == '\0' && (option->preset == NULL || option->preset[0] != '\0'))
        return refuse(&setting, "value is empty");
    return option->type->parse(&setting);
}

bool option_preset(const struct option_row *option, void *section, const char *name,
                   char why[OPTION_WHY])
{
    const char *mark = strstr(option->preset, "NAME");
    char *text;

    if (mark == NULL)
        return option_set(option, section, "", option->preset, why);
    if (asprintf(&text, "%.*s%s", (int)(mark - option->preset), option->preset, name) < 0) {
        snprintf(why, OPTION_WHY, "out of memory");
        return false;
    }
    const bool done = option_set(option, section, "", text, why);
    free(text);
    return done;
}

void option_clear(enum option_section section, void *fields)
{
    for (size_t i = 0; i < OPTION_ROWS; i++) {
        void *memory;
        if (option_table[i].section != section || !option_table[i].type->on_heap)
            continue;
        memcpy(&memory, field_of(&option_table[i], fields), sizeof(memory)); /* of any type */
        free(memory);
    }
}

void option_print(FILE *out)
{
    for (size_t i = 0; i < OPTION_ROWS; i++) {
        const struct option_row *option = &option_table[i];
        const char *preset = option->preset == NULL ? "required"
                             : option->preset[0] == '\0' ? "\"\"" : option->preset;
        fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", option_sections[option->section],
                option->key, option->type->name, preset, option->min != NULL ? option->min : "-",
                option->max != NULL ? option->max : "-");
    }
}
