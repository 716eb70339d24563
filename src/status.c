/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "status.h"

#include <errno.h>
#include <sysexits.h>

int status_of(int error)
{
    switch (error) {
    case EAGAIN:
    case EBUSY:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:
    case ETXTBSY:
        return EX_TEMPFAIL;
    case ENOENT:
        return EX_UNAVAILABLE;
    case EACCES:
    case EPERM:
        return EX_NOPERM;
    case EINVAL:
    case ESTALE:
    case EUCLEAN:
        return EX_DATAERR;
    default:
        return EX_IOERR;
    }
}

int status_of_file(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
        return EX_NOINPUT;
    case EACCES:
    case EPERM:
    case EROFS:
        return EX_NOPERM;
    case ENOMEM:
        return EX_OSERR;
    default:
        return EX_IOERR;
    }
}
