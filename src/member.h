/* SPDX-License-Identifier: ISC */
/*
 * member: members of a JSON object that is being printed, each behind another
 * one: ,"name":value. Times are RFC 3339, null for none.
 *
 * To standard output. One thread. Failed writes: out_flush() tells.
 */
#ifndef HOOKSPOOL_MEMBER_H
#define HOOKSPOOL_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void member_text(const char *name, const char *text, size_t len);
void member_string(const char *name, const char *text);
void member_number(const char *name, uint64_t number);
void member_flag(const char *name, bool flag);
/* Unix seconds; 0 and INT64_MAX mean none. */
void member_time(const char *name, int64_t seconds);

#endif
