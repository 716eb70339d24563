/* SPDX-License-Identifier: ISC */
/*
 * check_disk: what the spools lie on: the kind of file system and its options,
 * locks that really hold, free space and inodes, and how long those last.
 */
#ifndef HOOKSPOOL_CHECK_DISK_H
#define HOOKSPOOL_CHECK_DISK_H

#include "check.h"

void check_filesystem(struct check *check);
void check_space(struct check *check);

#endif
