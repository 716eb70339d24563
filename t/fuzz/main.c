/* SPDX-License-Identifier: ISC */
/*
 * main: runs a harness without a fuzzer: on every file of a corpus, and then for a while on what a
 * small generator makes of them. NAME SECONDS SEED FILE...: what it prints last is the number of
 * runs. A crash names the file it leaves the input in.
 */
#include "fuzz.h"

#include <signal.h>
#include <time.h>

enum { INPUT = 64 * 1024, LEAST = 200 /* runs, however slow the machine is */ };

static struct {
    uint8_t bytes[INPUT];
    size_t len;
} current; /* what the harness is given, for the handler */

static uint64_t state;

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % below;
}

static void keep_input(int sig)
{
    char name[64];

    snprintf(name, sizeof(name), "crash-%d.input", (int)getpid());
    const int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd >= 0 && write(fd, current.bytes, current.len) == (ssize_t)current.len)
        dprintf(fuzz_out(), "signal %d; the input is in %s\n", sig, name);
    signal(sig, SIG_DFL);
    raise(sig);
}

/* One small change; most of them keep most of the input. */
static void change(void)
{
    static const char words[][12] = {"v1,", "\x1e", "\n", "\"", "=", ".", "\\u0000", "\xc3\xa9",
                                     "99999999999", "-1", "{", "}", "[", "]", "svix-", "\x01"};
    const size_t at = current.len == 0 ? 0 : draw((uint32_t)current.len);

    switch (current.len == 0 ? 2 : draw(5)) {
    case 0:
        current.bytes[at] ^= (uint8_t)(1u << draw(8));
        break;
    case 1:
        current.bytes[at] = (uint8_t)draw(256);
        break;
    case 2: {
        const char *word = words[draw(sizeof(words) / sizeof(words[0]))];
        const size_t len = strlen(word);
        if (current.len + len > INPUT)
            return;
        memmove(current.bytes + at + len, current.bytes + at, current.len - at);
        memcpy(current.bytes + at, word, len);
        current.len += len;
        break;
    }
    case 3: {
        const size_t len = 1 + draw((uint32_t)(current.len - at));
        memmove(current.bytes + at, current.bytes + at + len, current.len - at - len);
        current.len -= len;
        break;
    }
    default: {
        const size_t from = draw((uint32_t)current.len);
        size_t len = 1 + draw(32);
        if (len > current.len - (from > at ? from : at))
            len = current.len - (from > at ? from : at);
        memmove(current.bytes + at, current.bytes + from, len);
    }
    }
}

static void load(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd < 0 ? -1 : read(fd, current.bytes, INPUT);

    if (got < 0) {
        dprintf(fuzz_out(), "cannot read '%s': %s\n", path, strerror(errno));
        exit(1);
    }
    current.len = (size_t)got;
    close(fd);
}

/* From a copy: that ends where the input does, so that a sanitizer sees what is read behind it. */
static void try(void)
{
    uint8_t *copy = malloc(current.len == 0 ? 1 : current.len);

    if (copy == NULL)
        abort();
    memcpy(copy, current.bytes, current.len);
    (void)LLVMFuzzerTestOneInput(copy, current.len);
    free(copy);
}

static void be_quiet(void)
{
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    fuzz_kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (getenv("FUZZ_LOUD") == NULL && (null < 0 || dup2(null, STDERR_FILENO) < 0))
        abort();
    close(null);
}

int main(int argc, char **argv)
{
    unsigned long runs = 0;

    if (argc < 4) {
        fprintf(stderr, "usage: %s SECONDS SEED FILE...\n", argv[0]);
        return 64;
    }
    be_quiet();
    signal(SIGABRT, keep_input);
    signal(SIGSEGV, keep_input);
    const time_t end = time(NULL) + atoi(argv[1]);
    state = strtoull(argv[2], NULL, 10) * 2654435761u + 88172645463325252u;
    for (int i = 3; i < argc; i++, runs++) {
        load(argv[i]);
        try();
    }
    for (unsigned long least = runs + LEAST; time(NULL) < end || runs < least;) {
        load(argv[3 + draw((uint32_t)argc - 3)]);
        for (uint32_t changes = 1 + draw(8); changes > 0; changes--)
            change();
        try();
        runs++;
    }
    printf("%lu\n", runs);
    return fflush(stdout) == 0 ? 0 : 1;
}
