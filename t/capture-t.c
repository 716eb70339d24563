/* SPDX-License-Identifier: ISC */
/* Captured headers in every form that people have them in, read into CGI variables. */
#include "autoconf.h"

#include "capture.h"

#include <errno.h>

#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

/* What the three headers become. */
#define THREE "HTTP_SVIX_ID=msg_1\nHTTP_SVIX_TIMESTAMP=1614265330\nHTTP_SVIX_SIGNATURE=" \
    SIGNATURE "\n"

static void joined(const struct capture *capture, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < capture->count; i++) {
        const size_t len = strlen(text);
        snprintf(text + len, size - len, "%s\n", capture->variables[i]);
    }
}

static void reads(const char *what, const char *text, const char *variables, const char *body)
{
    struct capture capture;
    char got[4096];

    if (!ok(capture_read(&capture, text, strlen(text)) == 0, "%s", what))
        return;
    joined(&capture, got, sizeof(got));
    is_str(got, variables, "... its variables");
    is_str(capture.body == NULL ? NULL : strndupa(capture.body, capture.body_len), body,
           "... its body");
    ok(capture.variables[capture.count] == NULL, "... and their end");
    capture_release(&capture);
}

static void lines(void)
{
    static const struct {
        const char *what, *text, *variables, *body;
    } table[] = {
        {"lines", "svix-id: msg_1\nsvix-timestamp: 1614265330\nsvix-signature: " SIGNATURE "\n",
         THREE, NULL},
        {"any case, CR LF, no last line end",
         "Svix-Id:msg_1\r\nSVIX-TIMESTAMP:   1614265330 \r\nsvix-Signature:\t" SIGNATURE, THREE,
         NULL},
        {"indented, with empty lines and a heading",
         "Request Headers\n\n   svix-id: msg_1\n\n   svix-timestamp: 1614265330\n"
         "   svix-signature: " SIGNATURE "\n", THREE, NULL},
        {"a byte order mark", "\xef\xbb\xbfsvix-id: msg_1\n", "HTTP_SVIX_ID=msg_1\n", NULL},
        {"a raw request", "POST /webhooks/a?b=c HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n"
         "Svix-Id: msg_1\r\n\r\n{\"a\":1}\r\n",
         "REQUEST_METHOD=POST\nHTTP_HOST=h\nCONTENT_LENGTH=9\nHTTP_SVIX_ID=msg_1\n",
         "{\"a\":1}\r\n"},
        {"a raw request without a body", "GET / HTTP/1.0\nSvix-Id: msg_1\n\n",
         "REQUEST_METHOD=GET\nHTTP_SVIX_ID=msg_1\n", NULL},
        {"twice is twice", "svix-id: a\nsvix-id: a\n", "HTTP_SVIX_ID=a\nHTTP_SVIX_ID=a\n", NULL},
        {"empty is empty", "svix-id:\nsvix-timestamp: 1\n",
         "HTTP_SVIX_ID=\nHTTP_SVIX_TIMESTAMP=1\n", NULL},
        {"empty at the end", "svix-timestamp: 1\nsvix-id:",
         "HTTP_SVIX_TIMESTAMP=1\nHTTP_SVIX_ID=\n", NULL},
        {"quotes in a value stay", "svix-signature: \"" SIGNATURE "\"\n",
         "HTTP_SVIX_SIGNATURE=\"" SIGNATURE "\"\n", NULL},
        {"an underscore is no header", "svix_id: a\nsvix-timestamp: 1\n", "HTTP_SVIX_TIMESTAMP=1\n",
         NULL},
        {"Content-Type and Content-Length", "content-type: text/plain\nCONTENT-LENGTH: 3\n",
         "CONTENT_TYPE=text/plain\nCONTENT_LENGTH=3\n", NULL},
        {"curl -v", "* Connected to h (127.0.0.1) port 80 (#0)\n> POST /hook HTTP/1.1\r\n"
         "> Host: h\r\n> Svix-Id: msg_1\r\n> \r\n} [9 bytes data]\n* upload sent\n"
         "< HTTP/1.1 401 Unauthorized\r\n< Content-Length: 20\r\n< \r\n{ [20 bytes data]\n",
         "REQUEST_METHOD=POST\nHTTP_HOST=h\nHTTP_SVIX_ID=msg_1\n", NULL},
        {"curl --trace-ascii", "=> Send header, 200 bytes (0xc8)\n0000: POST /hook HTTP/1.1\n"
         "0010: Host: h\n0020: Svix-Id: msg_1\n0030: \n",
         "REQUEST_METHOD=POST\nHTTP_HOST=h\nHTTP_SVIX_ID=msg_1\n", NULL},
        {"copy as cURL", "curl 'https://h/hook' \\\n  -X POST \\\n  -H 'svix-id: msg_1' \\\n"
         "  -H 'svix-timestamp: 1614265330' \\\n  -H $'svix-signature: " SIGNATURE "' \\\n"
         "  --data-raw '{\"a\":1}'\n", THREE, NULL},
        {"copy as cURL, one line",
         "curl -H \"svix-id: msg_1\" --header \"svix-timestamp: 1614265330\" -H \"svix-signature: "
         SIGNATURE "\" https://h/\n", THREE, NULL},
        {"a browser's list, names and values in turn",
         "svix-id:\nmsg_1\nsvix-timestamp:\n1614265330\nsvix-signature:\n" SIGNATURE "\n", THREE,
         NULL},
        {"a table", "svix-id\tmsg_1\nsvix-timestamp\t1614265330\nsvix-signature\t" SIGNATURE "\n",
         THREE, NULL},
        {"nginx: headers", "2026/11/26 10:00:00 [debug] 7#7: *1 http header: \"svix-id: msg_1\"\n"
         "2026/11/26 10:00:00 [debug] 7#7: *1 http header: \"svix-timestamp: 1614265330\"\n"
         "2026/11/26 10:00:00 [debug] 7#7: *1 http header: \"svix-signature: " SIGNATURE "\"\n"
         "2026/11/26 10:00:00 [debug] 7#7: *1 http header done\n", THREE, NULL},
        {"nginx: FastCGI parameters",
         "2026/11/26 10:00:00 [debug] 7#7: *1 fastcgi param: \"REQUEST_METHOD: POST\"\n"
         "2026/11/26 10:00:00 [debug] 7#7: *1 fastcgi param: \"HTTP_SVIX_ID: msg_1\"\n",
         "REQUEST_METHOD=POST\nHTTP_SVIX_ID=msg_1\n", NULL},
        {"an environment", "HTTP_SVIX_ID=msg_1\nHTTP_SVIX_TIMESTAMP=1614265330\n"
         "HTTP_SVIX_SIGNATURE=" SIGNATURE "\n", THREE, NULL},
        {"an environment of bash", "declare -x HTTP_SVIX_ID=\"msg_1\"\n"
         "export HTTP_SVIX_TIMESTAMP='1614265330'\ndeclare -x HTTP_SVIX_SIGNATURE=\"" SIGNATURE
         "\"\n", THREE, NULL},
        {"PHP", "Array\n(\n    [HTTP_SVIX_ID] => msg_1\n    [HTTP_SVIX_TIMESTAMP] => 1614265330\n"
         "    [HTTP_SVIX_SIGNATURE] => " SIGNATURE "\n)\n", THREE, NULL},
        {"Python", "{'svix-id': 'msg_1',\n 'svix-timestamp': '1614265330',\n 'svix-signature': '"
         SIGNATURE "'}\n", "HTTP_SVIX_ID=msg_1\nHTTP_SVIX_TIMESTAMP=1614265330\n"
         "HTTP_SVIX_SIGNATURE=" SIGNATURE "\n", NULL},
    };

    for (size_t i = 0; i < COUNT(table); i++)
        reads(table[i].what, table[i].text, table[i].variables, table[i].body);
}

static void json(void)
{
    static const struct {
        const char *what, *text, *variables, *body;
    } table[] = {
        {"an object", "{\"Svix-Id\":\"msg_1\",\"svix-timestamp\":\"1614265330\","
         "\"svix-signature\":\"" SIGNATURE "\"}\n", THREE, NULL},
        {"a number", "{\"svix-timestamp\":1614265330}", "HTTP_SVIX_TIMESTAMP=1614265330\n", NULL},
        {"httpbin", "{\"args\":{\"a\":\"b\"},\"headers\":{\"Svix-Id\":\"msg_1\"},\"origin\":\"h\"}",
         "HTTP_SVIX_ID=msg_1\nHTTP_ORIGIN=h\n", NULL},
        {"webhook.site", "{\"uuid\":\"u\",\"method\":\"POST\",\"headers\":{\"svix-id\":[\"msg_1\"],"
         "\"svix-timestamp\":[\"1614265330\"],\"svix-signature\":[\"" SIGNATURE "\"]},"
         "\"content\":\"{\\\"a\\\":1}\\n\"}",
         "HTTP_UUID=u\nREQUEST_METHOD=POST\n" THREE "HTTP_CONTENT={\"a\":1}\n\n", "{\"a\":1}\n"},
        {"a header twice", "{\"headers\":{\"svix-id\":[\"msg_1\",\"msg_1\"]}}",
         "HTTP_SVIX_ID=msg_1\nHTTP_SVIX_ID=msg_1\n", NULL},
        {"Lambda", "{\"headers\":{\"svix-id\":\"msg_1\"},\"multiValueHeaders\":{\"svix-id\":"
         "[\"msg_1\"]},\"body\":\"x\",\"requestContext\":{\"svix-id\":\"no\"}}",
         "HTTP_SVIX_ID=msg_1\nHTTP_BODY=x\n", "x"},
        {"HAR", "{\"log\":{\"entries\":[{\"request\":{\"method\":\"POST\",\"headers\":[{\"name\":"
         "\"svix-id\",\"value\":\"msg_1\"},{\"name\":\"svix-timestamp\",\"value\":\"1614265330\"}]"
         "}}]}}", "HTTP_SVIX_ID=msg_1\nHTTP_SVIX_TIMESTAMP=1614265330\n", NULL},
        {"a parsed body is not looked into", "{\"headers\":{\"svix-id\":\"msg_1\"},\"body\":{"
         "\"svix-id\":\"no\",\"content\":\"no\"}}", "HTTP_SVIX_ID=msg_1\n", NULL},
    };

    for (size_t i = 0; i < COUNT(table); i++)
        reads(table[i].what, table[i].text, table[i].variables, table[i].body);
}

static void refuses(const char *what, const char *text, size_t len, int error)
{
    struct capture capture;

    errno = 0;
    is_int(capture_read(&capture, text, len), -1, "refused: %s", what);
    is_int(errno, error, "... and why");
    ok(capture.variables == NULL && capture.body == NULL, "... and nothing is left");
}

static void hostile(void)
{
    static char many[CAPTURE_HEADERS * 16 + 64];
    struct capture capture;

    refuses("nothing", "", 0, EINVAL);
    refuses("no headers", "hello\nworld\n", 12, EINVAL);
    refuses("JSON without any", "{\"a\":{}}", 8, EINVAL);
    refuses("a NUL in a value", "a: b\0c", 6, EINVAL);
    for (int i = 0; i <= CAPTURE_HEADERS; i++)
        strcat(many + i * 8, "a: 1234\n");
    refuses("too many", many, strlen(many), E2BIG);

    /* Every beginning and every end of something that has everything in it. */
    static const char all[] =
        "POST /a HTTP/1.1\r\n> svix-id:\r\n[x] => 'y'\n 'a': \"b\",\n-H 'x: y'\n"
        "http header: \"a: b\"\n0000: a: b\n\texport A=\"\"\n\nbody";
    for (size_t i = 0; i < sizeof(all) - 1; i++) {
        char *exact = malloc(i + 1); /* so that a byte read too many is seen */
        memcpy(exact, all, i);
        if (capture_read(&capture, exact, i) == 0)
            capture_release(&capture);
        memcpy(exact, all + sizeof(all) - 1 - i, i);
        if (capture_read(&capture, exact, i) == 0)
            capture_release(&capture);
        free(exact);
    }
    ok(true, "pieces of everything");
}

int main(void)
{
    lines();
    json();
    hostile();
    return done_testing();
}
