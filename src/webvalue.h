/* SPDX-License-Identifier: ISC */
/*
 * webvalue: sizes and times as nginx and Apache write them. Pure.
 */
#ifndef HOOKSPOOL_WEBVALUE_H
#define HOOKSPOOL_WEBVALUE_H

#include <stdint.h>

/* nginx: "1m", "512k", "1048576": bytes. -1: it is none. */
int webvalue_nginx_size(const char *text, uint64_t *bytes);
/* nginx: "12s", "1m30s", "500ms", "60": milliseconds. -1: it is none. */
int webvalue_nginx_time(const char *text, int64_t *milliseconds);

/* Apache: "1048576". -1: it is none. */
int webvalue_apache_size(const char *text, uint64_t *bytes);
/* Apache: "60", "12s", "500ms", "2mi", "1h": milliseconds. -1: it is none. */
int webvalue_apache_time(const char *text, int64_t *milliseconds);

#endif
