/* SPDX-License-Identifier: ISC */
/*
 * load: a closed-loop sender of signed webhooks, for bench/run.
 *
 * N kept HTTP/1.1 connections to a loopback address, one request in flight on each. Every event
 * has an id of its own and is signed before the clock starts; all share one body, so an event
 * costs about 90 bytes of memory and a request is one sendmsg() of five pieces.  The clock is read
 * when the measured window opens and when it closes, together with the CPU clocks of the processes
 * named with -p; a request counts when its answer arrives inside the window.
 *
 * Output: one "name value" a line.  Exit: 0 measured, 1 something failed, 64 usage.
 */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <mbedtls/base64.h>
#include <mbedtls/md.h>

enum {
    ID_MAX = 40,
    SIGNATURE = 44,
    BUCKET_US = 10,              /* width of a latency bucket */
    BUCKETS = 500 * 1000,        /* the last one takes everything from 5 s on */
    STATUSES = 600,
    GROUPS = 4,
    PIDS = 64,
    CONNECTIONS_MAX = 4096,
    SECONDS_MAX = 200,           /* all is signed at the start; the tolerance is 300 s */
    EVENTS_MAX = 4 * 1000 * 1000
};

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

struct event {
    char id[ID_MAX];
    char signature[SIGNATURE];
    short status;                /* of the last answer; 0: none */
};

struct conn {
    int fd;
    bool busy;
    size_t event;
    uint64_t sent_ns;
    size_t have;
    char answer[4096];
};

struct group {                   /* processes whose CPU time is wanted */
    char name[32];
    clockid_t clocks[PIDS];
    size_t count;
    uint64_t spent_ns;
};

struct options {
    size_t connections;
    double warm_up, seconds;
    size_t events_max;
    size_t body_bytes;
    const char *duplicates, *ids_out, *secret_file;
    const char *address, *path;
};

static struct options opt = {
    .connections = 64, .warm_up = 1, .seconds = 5, .body_bytes = 1500
};
static struct group groups[GROUPS];
static size_t group_count;

struct machine {                 /* CPU time of the whole machine, in ticks */
    double busy, idle;
};

static struct machine machine_opened, machine_closed;

static struct event *events;
static size_t event_count, event_next;

static struct sockaddr_in server;
static char head[512], *tail;
static size_t head_len, tail_len;

static uint32_t latency[BUCKETS];
static uint64_t answers, by_status[STATUSES], duplicates, broken;
static bool in_window, stopping, ran_out;

__attribute__((format(printf, 1, 2), noreturn))
static void die(const char *format, ...)
{
    va_list ap;

    fputs("load: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

__attribute__((noreturn))
static void usage(void)
{
    fputs("usage: load -k SECRETFILE [-c connections] [-w warm-up] [-t seconds] [-n max-requests]\n"
          "            [-b body-bytes] [-d IDSFILE | --duplicate IDSFILE] [-o IDSFILE]\n"
          "            [-p NAME:PID[,PID...]]... 127.0.0.1:PORT /PATH\n", stderr);
    exit(64);
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    if (clock_gettime(clock, &now) != 0) {
        die("cannot read a clock (has a process ended?): %s", strerror(errno));
    }
    return (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL) {
        die("cannot allocate %zu x %zu bytes", count, size);
    }
    return memory;
}

/* ---- events: a body, ids, signatures ---- */

/* A call as the sender describes it; the transcription fills it up to the wanted size. */
static char *make_body(size_t want)
{
    static const char start[] =
        "{\"type\":\"phone_call.ended\",\"timestamp\":\"2026-11-23T09:33:00.123456Z\",\"data\":{"
        "\"providerCallId\":\"069652c8-d01e-733e-8000-7c64a16dde5f\","
        "\"numberFrom\":\"+15550106928\",\"numberTo\":\"+15550185805\","
        "\"providerStatus\":\"pass\",\"deliveryStatus\":\"pass\",\"duration\":53,"
        "\"summary\":null,\"endedReason\":null,\"callOutput\":\"CALL_RESULT\","
        "\"callOutputReasoning\":\"The caller asked for an appointment and confirmed it.\","
        "\"sentimentOutput\":\"NEUTRAL\","
        "\"recordingUrl\":\"recordings/2026/11/23/recording_1768238221.mp3\","
        "\"metadata\":{\"requestMetadata\":{\"project_id\":\"proj_123\"}},\"transcription\":\"";
    static const char words[] =
        "Agent: How may I help?\\nCaller: I would like to come on Friday.\\n";
    static const char end[] = "\"}}";
    size_t fixed = sizeof start - 1 + sizeof end - 1, left;
    char *body = allocate(want + 1, 1), *at = body;

    if (want < fixed) {
        die("the body cannot be smaller than %zu bytes", fixed);
    }
    at = stpcpy(at, start);
    for (left = want - fixed; left >= sizeof words - 1; left -= sizeof words - 1) {
        at = stpcpy(at, words);
    }
    memset(at, '.', left);       /* words cut in the middle of \n would not be JSON */
    memcpy(at + left, end, sizeof end);
    return body;
}

static size_t read_secret(unsigned char *key, size_t size)
{
    char line[256];
    const char *text = line;
    size_t len = 0;
    FILE *file = fopen(opt.secret_file, "re");

    if (file == NULL || fgets(line, sizeof line, file) == NULL) {
        die("cannot read '%s': %s", opt.secret_file, strerror(errno));
    }
    fclose(file);
    line[strcspn(line, " \t\r\n")] = '\0';
    if (strncmp(text, "whsec_", 6) == 0) {
        text += 6;
    }
    if (mbedtls_base64_decode(key, size, &len, (const unsigned char *) text, strlen(text)) != 0) {
        die("'%s' does not hold a secret in base64", opt.secret_file);
    }
    return len;
}

/* Ids look like a Svix id: msg_ and 27 characters; random for the run, then a counter. */
static void invent_ids(void)
{
    unsigned char noise[19];
    char prefix[sizeof noise + 1] = "";
    FILE *file = fopen("/dev/urandom", "re");

    if (file == NULL || fread(noise, sizeof noise, 1, file) != 1) {
        die("cannot read '/dev/urandom': %s", strerror(errno));
    }
    fclose(file);
    for (size_t i = 0; i < sizeof noise; i++) {
        prefix[i] = alphabet[noise[i] % (sizeof alphabet - 1)];
    }
    event_count = opt.events_max;
    events = allocate(event_count, sizeof *events);
    for (size_t i = 0; i < event_count; i++) {
        snprintf(events[i].id, ID_MAX, "msg_%s%08zu", prefix, i % 100000000u);
    }
}

static void read_ids(void)
{
    char line[256];
    FILE *file = fopen(opt.duplicates, "re");

    if (file == NULL) {
        die("cannot open '%s': %s", opt.duplicates, strerror(errno));
    }
    events = allocate(opt.events_max, sizeof *events);
    while (event_count < opt.events_max && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '\0' || strlen(line) >= ID_MAX) {
            die("'%s': not an id: '%s'", opt.duplicates, line);
        }
        strcpy(events[event_count++].id, line);
    }
    fclose(file);
    if (event_count == 0) {
        die("'%s' holds no id", opt.duplicates);
    }
}

static void sign_events(const char *timestamp, const char *body)
{
    unsigned char key[128], mac[32], text[SIGNATURE + 1];
    size_t key_len = read_secret(key, sizeof key), len;
    mbedtls_md_context_t md;
    int bad;

    mbedtls_md_init(&md);
    bad = mbedtls_md_setup(&md, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1);
    bad |= mbedtls_md_hmac_starts(&md, key, key_len);
    for (size_t i = 0; i < event_count; i++) {
        bad |= mbedtls_md_hmac_reset(&md);
        bad |= mbedtls_md_hmac_update(&md, (unsigned char *) events[i].id, strlen(events[i].id));
        bad |= mbedtls_md_hmac_update(&md, (const unsigned char *) ".", 1);
        bad |= mbedtls_md_hmac_update(&md, (const unsigned char *) timestamp, strlen(timestamp));
        bad |= mbedtls_md_hmac_update(&md, (const unsigned char *) ".", 1);
        bad |= mbedtls_md_hmac_update(&md, (const unsigned char *) body, opt.body_bytes);
        bad |= mbedtls_md_hmac_finish(&md, mac);
        bad |= mbedtls_base64_encode(text, sizeof text, &len, mac, sizeof mac);
        memcpy(events[i].signature, text, SIGNATURE);
    }
    mbedtls_md_free(&md);
    if (bad != 0) {
        die("cannot sign");
    }
}

/* A request is head, id, "svix-signature: v1,", signature, tail. */
static void prepare(void)
{
    char timestamp[32];
    char *body = make_body(opt.body_bytes);

    snprintf(timestamp, sizeof timestamp, "%lld", (long long) time(NULL));
    if (opt.duplicates != NULL) {
        read_ids();
    } else {
        invent_ids();
    }
    sign_events(timestamp, body);
    head_len = (size_t) snprintf(head, sizeof head,
        "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Svix-Webhooks/1.99.1\r\n"
        "Accept: */*\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
        "Svix-Timestamp: %s\r\nSvix-Id: ", opt.path, opt.body_bytes, timestamp);
    if (head_len >= sizeof head) {
        die("the path is too long");
    }
    tail = allocate(opt.body_bytes + 5, 1);
    memcpy(tail, "\r\n\r\n", 4);
    memcpy(tail + 4, body, opt.body_bytes);
    tail_len = opt.body_bytes + 4;
    free(body);
}

/* ---- connections ---- */

static void conn_open(struct conn *conn, int ep)
{
    static const struct timeval patience = { .tv_sec = 10 };
    struct epoll_event want = { .events = EPOLLIN, .data.ptr = conn };
    int one = 1;

    conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    conn->have = 0;
    conn->busy = false;
    if (conn->fd < 0 || connect(conn->fd, (struct sockaddr *) &server, sizeof server) != 0) {
        die("cannot connect to %s: %s", opt.address, strerror(errno));
    }
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(conn->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (epoll_ctl(ep, EPOLL_CTL_ADD, conn->fd, &want) != 0) {
        die("cannot watch a connection: %s", strerror(errno));
    }
}

static bool next_event(size_t *which)
{
    if (event_next == event_count && opt.duplicates != NULL) {
        event_next = 0;
    }
    if (stopping || event_next == event_count) {
        ran_out = ran_out || !stopping;
        return false;
    }
    *which = event_next++;
    return true;
}

/* The socket blocks for writing: a request is small, and nginx always reads. */
static void conn_send(struct conn *conn)
{
    static char middle[] = "\r\nSvix-Signature: v1,";
    struct event *event;
    struct iovec piece[5];
    struct msghdr message = { .msg_iov = piece, .msg_iovlen = 5 };

    if (!next_event(&conn->event)) {
        return;
    }
    event = &events[conn->event];
    piece[0] = (struct iovec) { head, head_len };
    piece[1] = (struct iovec) { event->id, strlen(event->id) };
    piece[2] = (struct iovec) { middle, sizeof middle - 1 };
    piece[3] = (struct iovec) { event->signature, SIGNATURE };
    piece[4] = (struct iovec) { tail, tail_len };
    conn->busy = true;
    conn->sent_ns = clock_ns(CLOCK_MONOTONIC);
    while (message.msg_iovlen > 0) {
        ssize_t sent = sendmsg(conn->fd, &message, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return;              /* the read that follows sees the broken connection */
        }
        while (message.msg_iovlen > 0 && (size_t) sent >= message.msg_iov->iov_len) {
            sent -= (ssize_t) message.msg_iov->iov_len;
            message.msg_iov++;
            message.msg_iovlen--;
        }
        if (message.msg_iovlen > 0) {
            message.msg_iov->iov_base = (char *) message.msg_iov->iov_base + sent;
            message.msg_iov->iov_len -= (size_t) sent;
        }
    }
}

/* Is the answer whole?  Either length is known, or the last chunk has come. */
static bool answer_complete(const struct conn *conn)
{
    const char *body = strstr(conn->answer, "\r\n\r\n");
    const char *length = strcasestr(conn->answer, "\r\nContent-Length:");

    if (body == NULL) {
        return false;
    }
    body += 4;
    if (length != NULL && length < body) {
        return strlen(body) >= strtoul(length + 17, NULL, 10);
    }
    return strstr(body - 2, "\r\n0\r\n\r\n") != NULL;
}

static void count_answer(struct conn *conn)
{
    uint64_t spent_us = (clock_ns(CLOCK_MONOTONIC) - conn->sent_ns) / 1000;
    long status = strncmp(conn->answer, "HTTP/1.1 ", 9) == 0
        ? strtol(conn->answer + 9, NULL, 10) : 0;
    bool known = status == 200 && strstr(conn->answer, "\"duplicate\"") != NULL;

    if (status < 0 || status >= STATUSES) {
        status = 0;
    }
    events[conn->event].status = (short) status;
    if (!in_window) {
        return;
    }
    answers++;
    by_status[status]++;
    duplicates += known;
    latency[spent_us / BUCKET_US < BUCKETS ? spent_us / BUCKET_US : BUCKETS - 1]++;
}

static void conn_read(struct conn *conn, int ep)
{
    ssize_t got = recv(conn->fd, conn->answer + conn->have,
                       sizeof conn->answer - 1 - conn->have, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {              /* closed; between two requests that is the server's right */
        broken += conn->busy;
        close(conn->fd);
        conn_open(conn, ep);
        conn_send(conn);
        return;
    }
    conn->have += (size_t) got;
    conn->answer[conn->have] = '\0';
    if (!answer_complete(conn)) {
        return;
    }
    count_answer(conn);
    conn->busy = false;
    conn->have = 0;
    conn_send(conn);
}

/* ---- the run ---- */

static void read_groups(int sign)
{
    for (size_t g = 0; g < group_count; g++) {
        for (size_t i = 0; i < groups[g].count; i++) {
            groups[g].spent_ns += (uint64_t) sign * clock_ns(groups[g].clocks[i]);
        }
    }
}

/* The first line of /proc/stat: user nice system idle iowait irq softirq steal. */
static struct machine read_machine(void)
{
    struct machine machine = { 0, 0 };
    double ticks[8] = { 0 };
    FILE *file = fopen("/proc/stat", "re");

    if (file == NULL || fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &ticks[0], &ticks[1],
                               &ticks[2], &ticks[3], &ticks[4], &ticks[5], &ticks[6],
                               &ticks[7]) != 8) {
        die("cannot read '/proc/stat'");
    }
    fclose(file);
    for (size_t i = 0; i < 8; i++) {
        *(i == 3 || i == 4 ? &machine.idle : &machine.busy) += ticks[i];
    }
    return machine;
}

static size_t count_busy(const struct conn *conns, uint64_t older_ns)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    size_t busy = 0;

    for (size_t i = 0; i < opt.connections; i++) {
        busy += conns[i].busy && now - conns[i].sent_ns >= older_ns;
    }
    return busy;
}

static void serve_answers(int ep)
{
    struct epoll_event ready[256];
    int count = epoll_wait(ep, ready, 256, 5);

    for (int i = 0; i < count; i++) {
        conn_read(ready[i].data.ptr, ep);
    }
}

/* The length of the window in ns. */
static uint64_t run(struct conn *conns, int ep, size_t *waiting)
{
    uint64_t start = clock_ns(CLOCK_MONOTONIC), opened, closed;
    uint64_t warm_ns = (uint64_t) (opt.warm_up * 1e9), window_ns = (uint64_t) (opt.seconds * 1e9);

    for (size_t i = 0; i < opt.connections; i++) {
        conn_open(&conns[i], ep);
        conn_send(&conns[i]);
    }
    while (clock_ns(CLOCK_MONOTONIC) - start < warm_ns && !ran_out) {
        serve_answers(ep);
    }
    opened = clock_ns(CLOCK_MONOTONIC);
    read_groups(-1);
    machine_opened = read_machine();
    in_window = true;
    while (clock_ns(CLOCK_MONOTONIC) - opened < window_ns && !ran_out) {
        serve_answers(ep);
    }
    in_window = false;
    closed = clock_ns(CLOCK_MONOTONIC);
    read_groups(1);
    machine_closed = read_machine();
    *waiting = count_busy(conns, 1000000000u);

    /* what is in flight ends here, so that its fate is known too */
    stopping = true;
    while (count_busy(conns, 0) > 0 && clock_ns(CLOCK_MONOTONIC) - closed < 15000000000u) {
        serve_answers(ep);
    }
    return closed - opened;
}

static double quantile(double share)
{
    uint64_t wanted = (uint64_t) ((double) answers * share), seen = 0;

    for (size_t i = 0; i < BUCKETS; i++) {
        seen += latency[i];
        if (seen > wanted) {
            return ((double) i + 0.5) * BUCKET_US / 1000;
        }
    }
    return 0;
}

/* How much of the machine idled, and how much went to what no group names. */
static void report_machine(double seconds)
{
    double idle = machine_closed.idle - machine_opened.idle;
    double busy = machine_closed.busy - machine_opened.busy;
    double cpus = (double) sysconf(_SC_NPROCESSORS_ONLN), known = 0;

    for (size_t g = 0; g < group_count; g++) {
        known += (double) groups[g].spent_ns / 1e9;
    }
    idle *= 100 / (idle + busy);
    printf("idle_pct %.0f\nrest_pct %.0f\n", idle, 100 - idle - 100 * known / (seconds * cpus));
}

static void report(uint64_t window_ns, size_t waiting, size_t lost)
{
    double seconds = (double) window_ns / 1e9, each = answers > 0 ? (double) answers : 1;

    printf("events %llu\nseconds %.3f\nrate %.0f\n", (unsigned long long) answers, seconds,
           (double) answers / seconds);
    printf("p50_ms %.2f\np99_ms %.2f\np999_ms %.2f\n",
           quantile(0.5), quantile(0.99), quantile(0.999));
    for (size_t i = 0; i < STATUSES; i++) {
        if (by_status[i] > 0) {
            printf("status_%zu %llu\n", i, (unsigned long long) by_status[i]);
        }
    }
    printf("duplicates %llu\nbroken %llu\nunanswered %zu\nwaiting_1s %zu\nran_out %d\n",
           (unsigned long long) duplicates, (unsigned long long) broken, lost, waiting, ran_out);
    for (size_t g = 0; g < group_count; g++) {
        printf("cpu_us_%s %.1f\n", groups[g].name, (double) groups[g].spent_ns / 1e3 / each);
    }
    report_machine(seconds);
}

static void write_ids(void)
{
    FILE *file = fopen(opt.ids_out, "we");

    if (file == NULL) {
        die("cannot open '%s': %s", opt.ids_out, strerror(errno));
    }
    for (size_t i = 0; i < event_count; i++) {
        if (events[i].status == 200) {
            fprintf(file, "%s\n", events[i].id);
        }
    }
    if (fclose(file) != 0) {
        die("cannot write '%s': %s", opt.ids_out, strerror(errno));
    }
}

/* ---- the command line ---- */

static double number(const char *text, double low, double high)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value >= low && value <= high)) {
        fprintf(stderr, "load: '%s' is not a number from %g to %g\n", text, low, high);
        usage();
    }
    return value;
}

static struct group *add_group(const char *name, size_t len)
{
    struct group *group = &groups[group_count];

    if (group_count == GROUPS || len == 0 || len >= sizeof group->name) {
        usage();
    }
    group_count++;
    memcpy(group->name, name, len);
    return group;
}

/* NAME:PID[,PID...] */
static void parse_group(char *text)
{
    char *colon = strchr(text, ':'), *save = NULL;
    struct group *group;

    if (colon == NULL) {
        usage();
    }
    group = add_group(text, (size_t) (colon - text));
    for (char *pid = strtok_r(colon + 1, ",", &save); pid; pid = strtok_r(NULL, ",", &save)) {
        int error = group->count == PIDS ? E2BIG
            : clock_getcpuclockid((pid_t) number(pid, 1, INT_MAX), &group->clocks[group->count]);

        if (error != 0) {
            die("cannot watch process %s: %s", pid, strerror(error));
        }
        group->count++;
    }
}

static void parse_address(const char *address)
{
    char host[64];
    const char *colon = strchr(address, ':');

    if (colon == NULL || (size_t) (colon - address) >= sizeof host) {
        usage();
    }
    memcpy(host, address, (size_t) (colon - address));
    host[colon - address] = '\0';
    server.sin_family = AF_INET;
    server.sin_port = htons((uint16_t) number(colon + 1, 1, 65535));
    if (inet_pton(AF_INET, host, &server.sin_addr) != 1
        || ntohl(server.sin_addr.s_addr) >> 24 != 127) {
        die("'%s' is not a loopback address; this program floods nobody else", host);
    }
}

static void parse_options(int argc, char **argv)
{
    static const struct option long_options[] = {
        { "duplicate", required_argument, NULL, 'd' },
        { NULL, 0, NULL, 0 }
    };
    int c;

    while ((c = getopt_long(argc, argv, "b:c:d:k:n:o:p:t:w:", long_options, NULL)) != -1) {
        switch (c) {
        case 'b': opt.body_bytes = (size_t) number(optarg, 1, 16 << 20); break;
        case 'c': opt.connections = (size_t) number(optarg, 1, CONNECTIONS_MAX); break;
        case 'd': opt.duplicates = optarg; break;
        case 'k': opt.secret_file = optarg; break;
        case 'n': opt.events_max = (size_t) number(optarg, 1, EVENTS_MAX); break;
        case 'o': opt.ids_out = optarg; break;
        case 'p': parse_group(optarg); break;
        case 't': opt.seconds = number(optarg, 0.1, SECONDS_MAX); break;
        case 'w': opt.warm_up = number(optarg, 0, 30); break;
        default: usage();
        }
    }
    if (argc - optind != 2 || opt.secret_file == NULL || argv[optind + 1][0] != '/') {
        usage();
    }
    opt.address = argv[optind];
    opt.path = argv[optind + 1];
    parse_address(opt.address);
    if (opt.events_max == 0) {   /* faster than anything seen on two cores */
        double most = (opt.warm_up + opt.seconds) * 50000;

        opt.events_max = most < EVENTS_MAX ? (size_t) most : EVENTS_MAX;
    }
}

int main(int argc, char **argv)
{
    struct group *self;
    struct conn *conns;
    uint64_t window_ns;
    size_t waiting;
    int ep = epoll_create1(EPOLL_CLOEXEC);

    parse_options(argc, argv);
    self = add_group("load", 4);
    self->clocks[self->count++] = CLOCK_PROCESS_CPUTIME_ID;
    prepare();
    conns = allocate(opt.connections, sizeof *conns);
    window_ns = run(conns, ep, &waiting);
    report(window_ns, waiting, count_busy(conns, 0));
    if (opt.ids_out != NULL) {
        write_ids();
    }
    return 0;
}
