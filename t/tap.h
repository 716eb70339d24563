/* SPDX-License-Identifier: ISC */
/*
 * tap: the Test Anything Protocol for unit tests in C.
 *
 * A program calls plan(n) first or only done_testing() last, checks in
 * between, and returns done_testing() from main(). Each check takes a printf
 * format that names it, and returns whether it held. One that failed says
 * where and does not end the program. diag() is for people and never counts.
 * Threads: checks belong in one of them.
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ok(held, ...) tap_ok((held), __FILE__, __LINE__, __VA_ARGS__)
#define is_int(got, want, ...) \
    tap_is_int((intmax_t)(got), (intmax_t)(want), __FILE__, __LINE__, __VA_ARGS__)
#define is_str(got, want, ...) tap_is_str((got), (want), __FILE__, __LINE__, __VA_ARGS__)
#define is_mem(got, got_len, want, want_len, ...) \
    tap_is_mem((got), (got_len), (want), (want_len), __FILE__, __LINE__, __VA_ARGS__)

static struct {
    int planned; /* 0: not before done_testing() */
    int run;
    int failed;
} tap;

static inline void __attribute__((format(printf, 1, 2))) diag(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("# ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

/* Flushed, so that nothing is lost or told twice when the test forks or dies. */
static inline void tap_line(bool held, const char *file, int line, const char *format, va_list args)
{
    printf("%s %d - ", held ? "ok" : "not ok", ++tap.run);
    vprintf(format, args);
    putchar('\n');
    fflush(stdout);
    if (!held) {
        tap.failed++;
        diag("failed at %s:%d", file, line);
    }
}

static inline bool __attribute__((format(printf, 4, 5)))
tap_ok(bool held, const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tap_line(held, file, line, format, args);
    va_end(args);
    return held;
}

static inline bool __attribute__((format(printf, 5, 6)))
tap_is_int(intmax_t got, intmax_t want, const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tap_line(got == want, file, line, format, args);
    va_end(args);
    if (got != want)
        diag("got %jd, want %jd", got, want);
    return got == want;
}

/* NULL is equal to NULL and to nothing else. */
static inline bool __attribute__((format(printf, 5, 6)))
tap_is_str(const char *got, const char *want, const char *file, int line, const char *format, ...)
{
    const bool held = got != NULL && want != NULL ? strcmp(got, want) == 0 : got == want;
    va_list args;
    va_start(args, format);
    tap_line(held, file, line, format, args);
    va_end(args);
    if (!held)
        diag("got '%s', want '%s'", got != NULL ? got : "(NULL)", want != NULL ? want : "(NULL)");
    return held;
}

static inline bool __attribute__((format(printf, 7, 8)))
tap_is_mem(const void *got, size_t got_len, const void *want, size_t want_len, const char *file,
           int line, const char *format, ...)
{
    const bool held = got_len == want_len && (got_len == 0 || memcmp(got, want, got_len) == 0);
    va_list args;
    va_start(args, format);
    tap_line(held, file, line, format, args);
    va_end(args);
    if (!held)
        diag("got %zu bytes, want %zu, or they differ", got_len, want_len);
    return held;
}

static inline void plan(int count)
{
    tap.planned = count;
    printf("1..%d\n", count);
    fflush(stdout);
}

/* The whole program does not apply here. */
static inline _Noreturn void skip_all(const char *reason)
{
    printf("1..0 # SKIP %s\n", reason);
    exit(0);
}

/* The exit status of the program. */
static inline int done_testing(void)
{
    if (tap.planned == 0)
        plan(tap.run);
    if (tap.failed > 0)
        diag("%d of %d failed", tap.failed, tap.run);
    if (tap.planned != tap.run)
        diag("%d planned, %d run", tap.planned, tap.run);
    return tap.failed > 0 || tap.planned != tap.run;
}

#endif
