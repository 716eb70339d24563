/* SPDX-License-Identifier: ISC */
/*
 * pour: pieces of files written to standard output as they are, by the kernel
 * alone where it can (sendfile(2)).
 *
 * What stdio holds back is written first. One thread. Errors: -1 with errno,
 * logged here, but for EPIPE: whoever reads has had enough.
 */
#ifndef HOOKSPOOL_POUR_H
#define HOOKSPOOL_POUR_H

#include <stdint.h>

/* len bytes of a file; path is for messages. */
int pour(int fd, uint64_t offset, uint64_t len, const char *path);

#endif
