/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_check.h"

#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "check.h"
#include "check_apache.h"
#include "check_clock.h"
#include "check_config.h"
#include "check_disk.h"
#include "check_files.h"
#include "check_nginx.h"
#include "check_socket.h"
#include "check_url.h"
#include "out.h"

/* The web servers come before the socket, for they may name it. */
static const struct {
    const char *name; /* in JSON, and stays what it is */
    void (*run)(struct check *check);
    bool wants_config;
} checks[] = {
    {"configuration", check_configuration, false},
    {"secrets", check_secrets, true},
    {"spools", check_spools, true},
    {"consumers", check_consumers, true},
    {"files", check_config_files, true},
    {"spool_files", check_spool_files, true},
    {"filesystem", check_filesystem, true},
    {"space", check_space, true},
    {"clock", check_clock, false},
    {"nginx", check_nginx, true},
    {"apache", check_apache, true},
    {"socket", check_socket, false},
    {"url", check_url, true},
};

/* Was a web server's configuration looked at that leads to us? Asked when none was named. */
static void tell_front_end(struct check *check)
{
    if (check->config == NULL || check->passed || check->nginx != NULL || check->apache != NULL)
        return;
    check->findings->check = "web_server";
    finding_warn(check->findings, "web server", "no configuration of nginx or Apache was found "
                 "that leads to hookspoold");
    finding_advise(check->findings, "point to it: hookspool check --nginx FILE, or --apache FILE");
}

static int run(struct cli *cli)
{
    struct findings findings = FINDINGS(stdout, cli_quiet(cli), cli_flag(cli, "json"));
    struct check check = {.findings = &findings, .now = (int64_t)time(NULL),
                          .socket = cli_text(cli, "socket"), .nginx = cli_text(cli, "nginx"),
                          .apache = cli_text(cli, "apache"), .url = cli_text(cli, "url"),
                          .user_name = cli_text(cli, "user")};

    check.config = cli_config(cli);
    if (!check_find_user(&check))
        return findings_end(&findings);
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        findings.check = checks[i].name;
        if (checks[i].wants_config && check.config == NULL)
            continue;
        checks[i].run(&check);
    }
    tell_front_end(&check);
    const int status = findings_end(&findings);
    return out_flush() < 0 ? EX_IOERR : status;
}

static const struct cli_option options[] = {
    {"socket", 's', "SOCKET", "the socket of hookspoold (default: what the web server names, or "
     CHECK_SOCKET ")", CLI_FILE},
    {"nginx", 0, "FILE", "the configuration of nginx (default " CHECK_NGINX_CONF ")", CLI_FILE},
    {"apache", 0, "FILE", "the configuration of Apache (default " CHECK_APACHE_CONF ")", CLI_FILE},
    {"user", 'u', "NAME", "whom hookspoold runs as (default: whom spool_dir belongs to)",
     CLI_NOTHING},
    {"url", 0, "URL", "send to an endpoint's public URL, unsigned, and see what comes back",
     CLI_NOTHING},
    {"json", 'j', NULL, "print one JSON object a finding", CLI_NOTHING},
    {0}};

const struct verb verb_check = {
    .name = "check",
    .operands = "",
    .least = 0,
    .most = 0,
    .summary = "see whether everything around the spool is as it should be",
    .help =
        "Looks at the configuration and the secrets, owners and modes, the file system\n"
        "and its room, the clock, the web server's configuration and its limits, and\n"
        "asks hookspoold at its socket. Prints a line for each finding, and behind what\n"
        "is not in order a second one that says what to do. -q leaves out what is.\n"
        "\n"
        "Run it as root, or as the user that hookspoold runs as: others do not see all.\n"
        "Nothing is changed. hookspoold logs the request that it is asked with.\n"
        "\n"
        "A web server's configuration is about hookspool when it passes requests to the\n"
        "socket of --socket or, without that option, to one with \"hookspool\" in its\n"
        "name, or when Apache starts a program of the name hookspoold.\n"
        "\n"
        "--url sends two requests without a signature through the web server, the second\n"
        "as large as max_body; hookspoold counts them as refused.\n"
        "\n"
        "Exit status: 0, at most warnings; 78, something is to be mended; 69, hookspoold\n"
        "does not answer; 75, the disk is full.",
    .example = "hookspool check --nginx /etc/nginx/nginx.conf",
    .words = CLI_NOTHING,
    .options = options,
    .run = run};
