/* SPDX-License-Identifier: ISC */
/*
 * status: how a program ends after a system call has failed: an errno as one of
 * sysexits.h. Pure.
 */
#ifndef HOOKSPOOL_STATUS_H
#define HOOKSPOOL_STATUS_H

/*
 * On a spool:
 *   EX_TEMPFAIL     it may be better next time: no room, no memory, busy, being repaired
 *   EX_UNAVAILABLE  it is not there
 *   EX_NOPERM       it is not allowed to whoever runs this
 *   EX_DATAERR      a file is damaged, or is not the one that was expected
 *   EX_IOERR        anything else
 */
int status_of(int error);

/*
 * On a file that somebody named: EX_NOINPUT when it is not there, or none; EX_NOPERM; EX_OSERR for
 * want of memory; EX_IOERR.
 */
int status_of_file(int error);

#endif
