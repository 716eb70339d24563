/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "capture.h"
#include "explain.h"
#include "input.h"
#include "jsonc.h"
#include "log.h"
#include "out.h"

enum { HEADERS_MAX = 16 * 1024 * 1024 }; /* a HAR file has bodies in it, too */

/* What is to be verified, and with what. */
struct task {
    struct cli *cli;
    const struct config_endpoint *endpoint; /* NULL: a secret file was named */
    struct keyring keyring;
    struct capture capture;
    char *body;
    size_t body_len;
    int64_t at;
    bool at_given;
};

/* ---- what is verified */

/* The operands: an endpoint unless a secret file was named, and a body. */
static int take_operands(struct task *task, const char **body)
{
    struct cli *cli = task->cli;
    const char *file = cli_text(cli, "secret-file");
    const bool named = file == NULL && cli_count(cli) > 0;

    *body = cli_operand(cli, named ? 1 : 0);
    if (file != NULL && cli_count(cli) > 1)
        return cli_usage(cli, "with --secret-file there is no endpoint; '%s' is one too many",
                         cli_operand(cli, 1));
    if (file != NULL)
        return keyring_load_file(&task->keyring, file);
    task->endpoint = cli_endpoint(cli, named ? cli_operand(cli, 0) : NULL);
    if (task->endpoint == NULL)
        return EX_CONFIG;
    return keyring_load(&task->keyring, cli_config(cli), task->endpoint, cli_verbose(cli));
}

static int read_headers(struct task *task, const char *path)
{
    char *text;
    size_t len;

    const int status = input_read(path, HEADERS_MAX, &text, &len);
    if (status != EX_OK)
        return status;
    const int result = capture_read(&task->capture, text, len);
    const int error = errno;
    free(text);
    if (result == 0)
        return EX_OK;
    if (error == EINVAL || error == E2BIG)
        log_error("%s holds %s", path, error == EINVAL ? "no headers" : "too many headers");
    else
        log_error("cannot read headers from '%s': %s", path, strerror(error));
    return error == ENOMEM ? EX_OSERR : EX_DATAERR;
}

/* From the file named, else behind the headers, else from standard input. */
static int read_body(struct task *task, const char *path, bool headers_on_stdin)
{
    if (path == NULL && task->capture.body != NULL) {
        task->body = task->capture.body;
        task->body_len = task->capture.body_len;
        task->capture.body = NULL;
        return EX_OK;
    }
    if (headers_on_stdin && (path == NULL || strcmp(path, "-") == 0))
        return cli_usage(task->cli, "headers and body cannot both come from standard input");
    return input_read(path, INPUT_MAX, &task->body, &task->body_len);
}

/* ---- what comes of it */

static const char *word(enum explain_holds holds)
{
    return holds == EXPLAIN_HOLDS ? "ok" : holds == EXPLAIN_DIFFERS ? "wrong" : "?";
}

static void print_inputs(const struct explanation *explanation)
{
    static const enum out_style styles[] = {[EXPLAIN_UNKNOWN] = OUT_WARN,
                                            [EXPLAIN_HOLDS] = OUT_GOOD,
                                            [EXPLAIN_DIFFERS] = OUT_BAD};

    for (int i = 0; i < EXPLAIN_INPUTS; i++) {
        const enum explain_holds holds = explanation->inputs[i].holds;
        printf("%-10s %s%-5s%s  ", explanation_input((enum explain_input)i),
               out_style(stdout, styles[holds]), word(holds), out_style(stdout, OUT_PLAIN));
        out_clean(stdout, explanation->inputs[i].text, strlen(explanation->inputs[i].text));
        putchar('\n');
    }
}

static void print_findings(const struct explanation *explanation)
{
    puts(explanation->genuine ? "genuine" : "not genuine:");
    for (size_t i = 0; i < explanation->count; i++) {
        fputs("  ", stdout);
        out_clean(stdout, explanation->findings[i], strlen(explanation->findings[i]));
        putchar('\n');
    }
}

/* A capture is as a rule older than the tolerance. */
static void print_hint(const struct task *task, const struct explanation *explanation)
{
    if (explanation->inputs[EXPLAIN_TIME].holds == EXPLAIN_DIFFERS && !task->at_given
        && explanation->inputs[EXPLAIN_SIGNATURE].holds == EXPLAIN_HOLDS)
        puts("  it was judged by the clock of now: --at TIME says when it came");
}

static void print_json(const struct explanation *explanation)
{
    static const char *const words[] = {[EXPLAIN_UNKNOWN] = "null",
                                        [EXPLAIN_HOLDS] = "true",
                                        [EXPLAIN_DIFFERS] = "false"};

    printf("{\"genuine\":%s,\"inputs\":{", explanation->genuine ? "true" : "false");
    for (int i = 0; i < EXPLAIN_INPUTS; i++) {
        printf("%s\"%s\":{\"holds\":%s,\"text\":", i > 0 ? "," : "",
               explanation_input((enum explain_input)i), words[explanation->inputs[i].holds]);
        jsonc_put(stdout, explanation->inputs[i].text, strlen(explanation->inputs[i].text));
        putchar('}');
    }
    fputs("},\"causes\":[", stdout);
    for (size_t i = 0; i < explanation->count; i++) {
        fputs(i > 0 ? "," : "", stdout);
        jsonc_put(stdout, explanation->findings[i], strlen(explanation->findings[i]));
    }
    puts("]}");
}

static int verify(struct task *task)
{
    struct explanation explanation;
    const struct explain_request request = {.headers = task->capture.variables,
                                            .body = task->body,
                                            .body_len = task->body_len,
                                            .sent = task->body_len,
                                            .came = task->at};

    if (explain(&request, task->endpoint, &task->keyring, &explanation) < 0) {
        log_error("cannot verify: %s", strerror(errno));
        return EX_OSERR;
    }
    if (cli_flag(task->cli, "json")) {
        print_json(&explanation);
    } else if (!cli_quiet(task->cli)) {
        print_inputs(&explanation);
        print_findings(&explanation);
        print_hint(task, &explanation);
    }
    if (out_flush() < 0)
        return EX_IOERR;
    return explanation.genuine ? EX_OK : EX_DATAERR;
}

static int run(struct cli *cli)
{
    struct task task = {.cli = cli, .at = (int64_t)time(NULL)};
    const char *headers = cli_text(cli, "headers"), *body;

    if (headers == NULL)
        return cli_usage(cli, "--headers FILE is wanted: the headers as they were captured");
    if (cli_time(cli, "at", &task.at_given, &task.at) < 0)
        return EX_USAGE;
    int status = take_operands(&task, &body);
    if (status == EX_OK)
        status = read_headers(&task, headers);
    if (status == EX_OK)
        status = read_body(&task, body, strcmp(headers, "-") == 0);
    if (status == EX_OK)
        status = verify(&task);
    free(task.body);
    capture_release(&task.capture);
    keyring_release(&task.keyring);
    return status;
}

static const struct cli_option options[] = {
    {"headers", 'H', "FILE", "the headers as they were captured (-: standard input)", CLI_FILE},
    {"secret-file", 's', "FILE", "use the secrets in this file, and no configuration", CLI_FILE},
    {"at", 'a', "TIME", "when it came (default now)", CLI_NOTHING},
    {"json", 'j', NULL, "print one JSON object", CLI_NOTHING},
    {0}};

const struct verb verb_verify = {
    .name = "verify",
    .operands = "[ENDPOINT] [BODY]",
    .most = 2,
    .summary = "say which input of a captured request differs from what was signed",
    .help =
        "Judges a request as hookspoold would, from its headers and its body as they\n"
        "were captured, and says of each input whether it holds. When the signature does\n"
        "not match, it tries what goes wrong in practice: the secret of another endpoint\n"
        "or an expired one, a line feed more or less, other line ends, JSON that was\n"
        "written again, a signature of something else or in another form. What it says\n"
        "of these it has proven by computing the signature; it never prints one.\n"
        "\n"
        "The headers may be \"Name: value\" lines, a raw request, what curl -v, a browser,\n"
        "nginx's debug log or a CGI environment shows, or JSON of an inspection site.\n"
        "BODY is a file with the bytes as they were sent; without it the body is taken\n"
        "from behind the headers, else from standard input.\n"
        "\n"
        "TIME is 2026-11-23T09:33:00Z, @1790000000, or how long ago: 90m, 2h, 3d.\n"
        "\n"
        "Exit status: 0, genuine; 65, not.",
    .example = "hookspool verify levers --headers headers.txt --at 2h body.json",
    .words = CLI_ENDPOINT,
    .options = options,
    .run = run};
