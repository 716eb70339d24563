/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "check_config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "consumer.h"
#include "secret.h"
#include "spool.h"
#include "when.h"

enum {
    MINUTE = 60,
    HOUR = 60 * MINUTE,
    DAY = 24 * HOUR,
    SOON = 7 * DAY,           /* a secret that expires by then wants a word */
    SENDER_PATIENCE = 15000,  /* milliseconds; senders give up after 15 to 30 seconds */
    SECRET_SHORT = 24         /* bytes that senders use, at least */
};

/* "endpoint levers (Levers, production)" */
static const char *name_of(const struct config_endpoint *endpoint, char out[FINDING_WHAT])
{
    const bool described = endpoint->description[0] != '\0';

    snprintf(out, FINDING_WHAT, "endpoint %s%s%s%s", endpoint->name, described ? " (" : "",
             described ? endpoint->description : "", described ? ")" : "");
    return out;
}

/* ---- the file */

void check_configuration(struct check *check)
{
    const struct config *config = check->config;

    if (config == NULL) {
        finding_fail(check->findings, EX_CONFIG, "configuration",
                     "it cannot be loaded, as was said on standard error");
        finding_advise(check->findings, "mend it and try: hookspoold -t; see hookspool.conf(5)");
        return;
    }
    finding_ok(check->findings, "configuration", "%s: endpoints %zu, spools %zu, consumers %zu",
               config->file, config->endpoint_count, config->spool_count,
               config->consumer_count);
    if (config->deadline > SENDER_PATIENCE) {
        finding_warn(check->findings, "configuration",
                     "deadline is %" PRId64 " s, and senders give up after 15 to 30",
                     config->deadline / 1000);
        finding_advise(check->findings, "set deadline = 10s in '%s'", config->file);
    }
}

/* ---- secrets */

struct loaded {
    struct secrets secrets;
    bool held;
};

/* How many still hold, and until when all of those do that end (0: one never does). */
static size_t count_holding(const struct secrets *secrets, int64_t now, int64_t *until)
{
    size_t count = 0;
    bool forever = false;

    *until = 0;
    for (size_t i = 0; i < secrets->count; i++) {
        const struct secret *secret = &secrets->list[i];
        if (secret->expires != 0 && secret->expires <= now)
            continue;
        count++;
        forever = forever || secret->expires == 0;
        if (secret->expires > *until)
            *until = secret->expires;
    }
    if (forever)
        *until = 0;
    return count;
}

static void judge_secrets(struct check *check, const struct config_endpoint *endpoint,
                          const struct secrets *secrets, const char *what)
{
    int64_t until;
    char stamp[WHEN_SIZE], age[WHEN_AGE_SIZE], tolerance[CHECK_DURATION];
    const size_t holding = count_holding(secrets, check->now, &until);

    (void)when_stamp(stamp, until);
    if (holding == 0) {
        finding_fail(check->findings, EX_CONFIG, what, "every secret in '%s' has expired: all of "
                     "its events are refused", endpoint->secret_file);
        finding_advise(check->findings, "get the sender's secret and: hookspool secret rotate %s "
                       "--file -", endpoint->name);
    } else if (until != 0 && until - check->now < SOON) {
        finding_warn(check->findings, what, "its last secret expires in %s, at %s",
                     when_age(age, until - check->now), stamp);
        finding_advise(check->findings, "take expires= from the line of the secret that is to "
                       "stay in '%s', and: systemctl reload hookspoold", endpoint->secret_file);
    } else {
        finding_ok(check->findings, what, "%s, secrets in use %zu, expired %zu", endpoint->path,
                   holding, secrets->count - holding);
    }
    for (size_t i = 0; i < secrets->count; i++) {
        if (secrets->list[i].key.len >= SECRET_SHORT)
            continue;
        finding_warn(check->findings, what, "the secret in line %u of '%s' has %zu bytes; senders "
                     "use 24 to 64", secrets->list[i].line, endpoint->secret_file,
                     secrets->list[i].key.len);
        finding_advise(check->findings, "see whether it was copied whole, or: hookspool secret "
                       "rotate %s --file -", endpoint->name);
    }
    if (endpoint->tolerance > HOUR) {
        finding_warn(check->findings, what, "tolerance is %s: a stolen request can be sent for "
                     "that long", check_duration(tolerance, endpoint->tolerance));
        finding_advise(check->findings, "keep the clock (see the finding on it), and set "
                       "tolerance = 5m");
    }
}

static void load_secrets(struct check *check, const struct config_endpoint *endpoint,
                         struct loaded *loaded)
{
    char why[1024], what[FINDING_WHAT];

    (void)name_of(endpoint, what);
    if (access(endpoint->secret_file, R_OK) < 0 && errno == EACCES) {
        check_unseen(check, what, endpoint->secret_file);
        return;
    }
    loaded->held = secrets_load(&loaded->secrets, endpoint->secret_file, why, sizeof(why)) == 0;
    if (loaded->held) {
        judge_secrets(check, endpoint, &loaded->secrets, what);
        return;
    }
    finding_fail(check->findings, EX_CONFIG, what, "%s", why);
    if (access(endpoint->secret_file, F_OK) < 0)
        finding_advise(check->findings, "put the sender's secret there: install -o root -g %s "
                       "-m 0640 /dev/stdin '%s'",
                       check->user_known ? check->user.name : "hookspool", endpoint->secret_file);
    else
        finding_advise(check->findings, "mend it, for hookspoold does not start with it; see "
                       "\"Secret files\" in hookspool.conf(5)");
}

static bool share_one(const struct secrets *some, const struct secrets *others)
{
    for (size_t i = 0; i < some->count; i++) {
        for (size_t j = 0; j < others->count; j++) {
            if (some->list[i].fingerprint != 0
                && some->list[i].fingerprint == others->list[j].fingerprint)
                return true;
        }
    }
    return false;
}

/* What one sender signs is taken at the other's URL as well. In one spool it is stored once. */
static void compare_secrets(struct check *check, const struct loaded *loaded)
{
    const struct config *config = check->config;

    for (size_t i = 0; i < config->endpoint_count; i++) {
        for (size_t j = i + 1; loaded[i].held && j < config->endpoint_count; j++) {
            const struct config_endpoint *one = &config->endpoints[i];
            const struct config_endpoint *other = &config->endpoints[j];
            if (!loaded[j].held || one->spool_config == other->spool_config
                || !share_one(&loaded[i].secrets, &loaded[j].secrets))
                continue;
            finding_warn(check->findings, "secrets", "endpoints %s and %s share one: an event of "
                         "either is taken at both, into two spools", one->name, other->name);
            finding_advise(check->findings, "give each the secret that the sender shows for it, "
                           "or both the same spool");
        }
    }
}

void check_secrets(struct check *check)
{
    const struct config *config = check->config;
    struct loaded *loaded = calloc(config->endpoint_count, sizeof(*loaded));

    if (loaded == NULL) {
        check_unseen(check, "secrets", config->file);
        return;
    }
    for (size_t i = 0; i < config->endpoint_count; i++)
        load_secrets(check, &config->endpoints[i], &loaded[i]);
    compare_secrets(check, loaded);
    for (size_t i = 0; i < config->endpoint_count; i++)
        secrets_release(&loaded[i].secrets);
    free(loaded);
}

/* ---- spools */

static size_t count_consumers(const struct config *config, const struct config_spool *spool)
{
    size_t count = 0;

    for (size_t i = 0; i < config->consumer_count; i++)
        count += config->consumers[i].spool_config == spool;
    return count;
}

void check_spools(struct check *check)
{
    const struct config *config = check->config;
    char what[FINDING_WHAT], keep[CHECK_DURATION], window[CHECK_DURATION];

    for (size_t i = 0; i < config->spool_count; i++) {
        const struct config_spool *spool = &config->spools[i];
        const size_t consumers = count_consumers(config, spool);
        (void)check_duration(keep, spool->keep);
        (void)check_duration(window, spool->dedupe_window);
        snprintf(what, sizeof(what), "spool %s", spool->name);
        if (consumers == 0)
            finding_ok(check->findings, what, "no consumer: its events are kept for %s and "
                       "then purged, read or not", keep);
        else
            finding_ok(check->findings, what, "consumers %zu; events are kept for %s after all "
                       "of them are done, ids for %s", consumers, keep, window);
        if (spool->dedupe_window < spool->keep) {
            finding_warn(check->findings, what, "dedupe_window (%s) is shorter than keep (%s): an "
                         "event that is sent again in between stands in the spool twice", window,
                         keep);
            finding_advise(check->findings, "set dedupe_window = %s or more in [spool %s]", keep,
                           spool->name);
        }
    }
}

/* ---- consumers */

static bool is_configured(const struct config *config, const struct config_spool *spool,
                          const char *name)
{
    for (size_t i = 0; i < config->consumer_count; i++) {
        if (config->consumers[i].spool_config == spool
            && strcmp(config->consumers[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Directories of consumers that are configured no more. */
static void find_left_over(struct check *check, const struct config_spool *which)
{
    struct spool spool = SPOOL_CLOSED;
    char **names, what[FINDING_WHAT], path[PATH_MAX];
    size_t count;

    snprintf(path, sizeof(path), "%s/%s/log", check->config->spool_dir, which->name);
    if (access(path, R_OK | X_OK) < 0 || spool_open(&spool, check->config, which) < 0)
        return; /* said elsewhere */
    if (consumer_names(&spool, &names, &count) == 0) {
        for (size_t i = 0; i < count; i++) {
            if (is_configured(check->config, which, names[i]))
                continue;
            snprintf(what, sizeof(what), "consumer %s", names[i]);
            finding_warn(check->findings, what, "it is not in the configuration any more, and "
                         "'%s/consumers/%s' is still there", spool.path, names[i]);
            finding_advise(check->findings, "if it is not to come back: rm -r '%s/consumers/%s'; "
                           "its failed events are in there", spool.path, names[i]);
        }
        consumer_names_free(names, count);
    }
    spool_close(&spool);
}

void check_consumers(struct check *check)
{
    const struct config *config = check->config;
    char what[FINDING_WHAT], most[CHECK_DURATION], age[CHECK_DURATION];

    for (size_t i = 0; i < config->consumer_count; i++) {
        const struct config_consumer *consumer = &config->consumers[i];
        snprintf(what, sizeof(what), "consumer %s", consumer->name);
        if (!spool_exists(config, consumer->spool_config)) {
            finding_warn(check->findings, what, "its spool '%s' is not there yet",
                         consumer->spool);
            finding_advise(check->findings, "hookspoold makes it when it starts: systemctl start "
                           "hookspoold");
        } else if (consumer->backoff_max > consumer->max_age && consumer->max_age > 0) {
            finding_warn(check->findings, what, "it waits up to %s between attempts, longer than "
                         "max_age (%s)", check_duration(most, consumer->backoff_max),
                         check_duration(age, consumer->max_age));
            finding_advise(check->findings, "set max_age to several times the longest backoff in "
                           "[consumer %s]", consumer->name);
        } else {
            finding_ok(check->findings, what, "reads spool %s", consumer->spool);
        }
    }
    for (size_t i = 0; i < config->spool_count; i++)
        find_left_over(check, &config->spools[i]);
}
