/* SPDX-License-Identifier: ISC */
/*
 * log: diagnostics on standard error, one line a fact.
 *
 * A line is formatted and cleaned in one pass over one bounded buffer and
 * written by one write(2), so lines of several threads and processes do not
 * mix. Bytes outside printable ASCII become '?': what a client wrote cannot
 * forge a line or move a terminal's cursor. A line too long is cut and ends
 * in "...". Failure to write is ignored: there is nowhere left to say so.
 *
 * Under systemd, which says so in JOURNAL_STREAM, a line begins with its
 * level, "<3>" for an error, as sd-daemon(3) has it.
 *
 * Never handed to these functions: a body, a secret, a signature.
 * Threads: any. errno is left as it was.
 */
#ifndef HOOKSPOOL_LOG_H
#define HOOKSPOOL_LOG_H

/* The name before each line; borrowed for the life of the process. */
void log_program(const char *name);

void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
