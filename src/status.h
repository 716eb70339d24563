/* SPDX-License-Identifier: ISC */
/*
 * status: how a program ends after an operation on a spool has failed: an errno
 * as one of sysexits.h. Pure.
 *
 *   EX_TEMPFAIL  it may be better next time: no room, no memory, busy
 *   EX_NOPERM    it is not allowed to whoever runs this
 *   EX_DATAERR   a file is damaged, or is not the one that was expected
 *   EX_IOERR     anything else
 */
#ifndef HOOKSPOOL_STATUS_H
#define HOOKSPOOL_STATUS_H

int status_of(int error);

#endif
