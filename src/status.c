/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "status.h"

#include <errno.h>
#include <sysexits.h>

int status_of(int error)
{
    switch (error) {
    case EAGAIN:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:
    case ETXTBSY:
        return EX_TEMPFAIL;
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
