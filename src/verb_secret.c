/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_secret.h"

#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "crypto.h"
#include "newkey.h"
#include "out.h"
#include "secretfile.h"
#include "when.h"

enum { BYTES = 32, BYTES_MIN = 24, BYTES_MAX = 64, DAY = 24 * 60 * 60, WEEK = 7 * DAY };

/* ---- secret new */

static int print_secret(const struct signature_key *key)
{
    char text[ROTATION_SECRET];

    rotation_secret(key, text);
    puts(text);
    const int status = out_flush() < 0 ? EX_IOERR : EX_OK;
    crypto_wipe(text, sizeof(text));
    return status;
}

static int create(const char *path, const struct signature_key *key, gid_t group)
{
    unsigned mode;
    const int status = secretfile_create(path, key, group, &mode);

    if (status != EX_OK)
        return status;
    printf("created %s, mode %04o\n", path, mode);
    if (mode == 0600)
        puts("hookspoold must be able to read it: chgrp it to its group, and chmod 0640");
    return out_flush() < 0 ? EX_IOERR : EX_OK;
}

static int read_group(struct cli *cli, gid_t *group)
{
    const char *name = cli_text(cli, "group");

    *group = SECRETFILE_NO_GROUP;
    if (name == NULL)
        return EX_OK;
    if (cli_text(cli, "file") == NULL)
        return cli_usage(cli, "--group is for a file, so it wants --file");
    const struct group *found = getgrnam(name);
    if (found == NULL)
        return cli_usage(cli, "--group: there is no group '%s'", name);
    *group = found->gr_gid;
    return EX_OK;
}

static int run_new(struct cli *cli)
{
    const char *path = cli_text(cli, "file");
    struct signature_key key;
    int64_t bytes;
    gid_t group;

    if (cli_number(cli, "bytes", BYTES_MIN, BYTES_MAX, BYTES, &bytes) < 0)
        return EX_USAGE;
    int status = read_group(cli, &group);
    if (status != EX_OK)
        return status;
    status = newkey_generate(&key, (size_t)bytes);
    if (status == EX_OK)
        status = path == NULL ? print_secret(&key) : create(path, &key, group);
    signature_key_wipe(&key);
    return status;
}

static const struct cli_option new_options[] = {
    {"bytes", 'b', "N", "random bytes, 24 to 64 (default 32)", CLI_NOTHING},
    {"file", 'f', "FILE", "create this secret file instead of printing", CLI_FILE},
    {"group", 'g', "GROUP", "the file is for this group, too: mode 0640", CLI_NOTHING},
    {0}};

const struct verb verb_secret_new = {
    .name = "secret new",
    .operands = "",
    .least = 0,
    .most = 0,
    .summary = "make a secret",
    .help =
        "Prints a secret as senders show them: whsec_ and random bytes as base64. With\n"
        "most senders it is they who make the secret; this is for those that take one,\n"
        "and for tests.\n"
        "\n"
        "--file creates a secret file with it. Its mode is 0600; with --group, or where\n"
        "root makes it in a directory of another group, 0640 and that group. A file\n"
        "that is there is left alone: exit status 73.",
    .example = "hookspool secret new --group hookspool --file /etc/hookspool/levers.secret",
    .words = CLI_NOTHING,
    .options = new_options,
    .run = run_new};

/* ---- secret rotate */

/* A time, how long from now, or "never": 0. */
static int read_expires(struct cli *cli, int64_t now, int64_t *expires)
{
    const char *text = cli_text(cli, "expires");

    *expires = now + WEEK;
    if (text == NULL)
        return 0;
    if (strcmp(text, "never") == 0) {
        *expires = 0;
        return 0;
    }
    if (!when_parse(text, now, expires))
        return cli_usage(cli, "--expires: '%s' is no time and no duration; say 24h, 7d, "
                              "2026-12-01T00:00:00Z, now or never", text);
    const size_t digits = strspn(text, "0123456789");
    if (digits > 0 && digits + 1 == strlen(text)) /* when_parse() takes it for how long ago */
        *expires = now + (now - *expires);
    return 0;
}

static int take_key(struct cli *cli, struct signature_key *key)
{
    const char *path = cli_text(cli, "file");

    if ((path != NULL) == cli_flag(cli, "generate"))
        return cli_usage(cli, "where does the new secret come from? As a rule the sender makes it: "
                              "--file FILE, or --file - for standard input. --generate makes one");
    return path != NULL ? newkey_read(key, path) : newkey_generate(key, BYTES);
}

static void tell_old(const struct rotation *rotation, bool dry_run)
{
    char stamp[WHEN_SIZE];

    if (rotation->kept > 0 && rotation->expires != 0) {
        (void)when_stamp(stamp, rotation->expires);
        printf("  %u older %s until %s at the latest\n", rotation->kept,
               rotation->kept == 1 ? "one holds" : "ones hold", stamp);
    } else if (rotation->kept > 0) {
        printf("  %u older %s\n", rotation->kept,
               rotation->kept == 1 ? "one holds as before" : "ones hold as before");
    } else {
        printf("  no older one %s\n", dry_run ? "would hold any more" : "holds any more");
    }
    if (rotation->dropped > 0)
        printf("  %u left out, expired more than 30 days ago\n", rotation->dropped);
}

static void tell_endpoints(struct cli *cli, const struct config_endpoint *endpoint)
{
    const struct config *config = cli_config(cli);

    for (size_t i = 0; i < config->endpoint_count; i++) {
        const struct config_endpoint *other = &config->endpoints[i];
        if (other != endpoint && strcmp(other->secret_file, endpoint->secret_file) == 0)
            printf("  the file is also that of endpoint %s\n", other->name);
    }
}

static void tell_next(const struct config *config, const char *path,
                      const struct rotation *rotation, bool generated)
{
    puts("next:");
    printf("  hookspoold -c '%s' -t          is the file in order?\n", config->file);
    puts("  systemctl reload hookspoold      (or SIGHUP): before that nothing has changed");
    if (generated)
        printf("  give the sender the new secret:  sed -n %up '%s'\n", rotation->line, path);
    else
        puts("  the sender must have the new secret, too; if it asks, let the old one sign along");
    puts("  hookspoold -t tells later which secret still matches: the old one may go when it\n"
         "  has not for some days");
}

static int run_rotate(struct cli *cli)
{
    const bool dry_run = cli_flag(cli, "dry-run");
    struct signature_key key = {.len = 0};
    struct rotation rotation = {.key = &key, .now = (int64_t)time(NULL)};
    int status = read_expires(cli, rotation.now, &rotation.expires);

    if (status != EX_OK)
        return status;
    const struct config_endpoint *endpoint = cli_endpoint(cli, cli_operand(cli, 0));
    if (endpoint == NULL)
        return EX_CONFIG;
    const char *path = endpoint->secret_file;
    status = take_key(cli, &key);
    if (status == EX_OK)
        status = secretfile_rotate(path, &rotation, dry_run);
    signature_key_wipe(&key);
    if (status != EX_OK)
        return status;
    printf("%s: %s %s, in line %u\n", path, dry_run ? "would get" : "has",
           cli_flag(cli, "generate") ? "a secret made here" : "the new secret", rotation.line);
    tell_old(&rotation, dry_run);
    tell_endpoints(cli, endpoint);
    if (!dry_run)
        tell_next(cli_config(cli), path, &rotation, cli_flag(cli, "generate"));
    return out_flush() < 0 ? EX_IOERR : EX_OK;
}

static const struct cli_option rotate_options[] = {
    {"file", 'f', "FILE", "the new secret, as the sender shows it (-: standard input)", CLI_FILE},
    {"generate", 'g', NULL, "make the new secret here", CLI_NOTHING},
    {"expires", 'e', "TIME", "when the old ones cease to hold (default 7d; never; now)",
     CLI_NOTHING},
    {"dry-run", 'n', NULL, "only say what would be done", CLI_NOTHING},
    {0}};

const struct verb verb_secret_rotate = {
    .name = "secret rotate",
    .operands = "ENDPOINT",
    .least = 1,
    .most = 1,
    .summary = "put a new secret before an endpoint's old ones",
    .help =
        "Rewrites the endpoint's secret file, whole or not at all: the new secret in\n"
        "front, the old ones behind it with expires=. Comments, owner and mode stay, and\n"
        "so does a symbolic link to it.\n"
        "\n"
        "The old ones hold for 7 more days, unless they expire sooner anyway: that is as\n"
        "long as Svix can be told to let an old secret sign along, and long enough for\n"
        "every retry. After a leak say --expires now, once the sender uses the new one.\n"
        "TIME is 24h, 7d, 2026-12-01T00:00:00Z, now, or never.\n"
        "\n"
        "hookspoold reads the file when it is reloaded, not before.",
    .example = "hookspool secret rotate levers --file - --expires 3d",
    .words = CLI_ENDPOINT,
    .options = rotate_options,
    .run = run_rotate};
