/* SPDX-License-Identifier: ISC */
/*
 * fuzz: what the harnesses share. Each defines LLVMFuzzerTestOneInput(), which libFuzzer, AFL++ and
 * main.c call; run.sh builds them for the first two, make for the last. A harness checks what must
 * be true, beside not crashing: FUZZ_CHECK() aborts.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "autoconf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition) \
    do { \
        if (!(condition)) { \
            dprintf(fuzz_out(), "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

/* Where a harness complains; main.c keeps the library's messages away from there. */
__attribute__((weak)) int fuzz_kept = STDERR_FILENO;

static inline int fuzz_out(void)
{
    return fuzz_kept;
}

/* The bytes as a file of mode 0600, by a path in `path`; the descriptor is to be closed. */
static inline int fuzz_file(const void *bytes, size_t len, char path[64])
{
    const int fd = memfd_create("fuzz", 0);

    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || fchmod(fd, 0600) < 0)
        abort();
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

/* The name of the directory below, for its removal. */
static inline const char *fuzz_name(const char *name)
{
    static char kept[64];

    if (name != NULL)
        snprintf(kept, sizeof(kept), "%s", name);
    return kept;
}

static inline void fuzz_empty(int dir);

static inline void fuzz_remove(void)
{
    const int dir = open(fuzz_name(NULL), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir >= 0)
        fuzz_empty(dir);
    (void)rmdir(fuzz_name(NULL));
}

/* Removes what stands in a directory; directories in it, too. */
static inline void fuzz_empty(int dir)
{
    DIR *stream = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct dirent *entry;

    if (stream == NULL)
        abort();
    while ((entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0
            || unlinkat(dir, entry->d_name, 0) == 0)
            continue;
        const int below = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fuzz_empty(below);
        close(below);
        (void)unlinkat(dir, entry->d_name, AT_REMOVEDIR);
    }
    closedir(stream);
}

/* A directory in memory, empty at each call. */
static inline int fuzz_directory(void)
{
    static int dir = -1;
    char name[] = "/dev/shm/hookspool-fuzz.XXXXXX";

    if (dir < 0) {
        if (mkdtemp(name) == NULL)
            abort();
        dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fuzz_name(name);
        (void)atexit(fuzz_remove);
    }
    fuzz_empty(dir);
    return dir;
}

/* A part of the input up to the byte 0x1e, which is taken away: false when nothing is left. */
static inline bool fuzz_part(const uint8_t **data, size_t *size, const char **part, size_t *len)
{
    if (*size == 0)
        return false;
    const uint8_t *end = memchr(*data, 0x1e, *size);
    *part = (const char *)*data;
    *len = end == NULL ? *size : (size_t)(end - *data);
    *data += *len + (end != NULL);
    *size -= *len + (end != NULL);
    return true;
}

/* The same as a string, without NULs. */
static inline char *fuzz_string(const char *part, size_t len)
{
    char *text = malloc(len + 1);

    if (text == NULL)
        abort();
    memcpy(text, part, len);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\0')
            text[i] = ' ';
    }
    text[len] = '\0';
    return text;
}

#endif
