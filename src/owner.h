/* SPDX-License-Identifier: ISC */
/*
 * owner: whom a spool belongs to. What root makes in a spool the responder
 * could not use: it may not even link to a file that is not its own
 * (protected_hardlinks in proc(5)). So root acts as the owner of the directory
 * while it changes something there.
 *
 * Effective ids only, of the whole process. Errors: -1 with errno, logged.
 */
#ifndef HOOKSPOOL_OWNER_H
#define HOOKSPOOL_OWNER_H

/*
 * Nothing happens unless we are root and the directory is not root's. If it is, but the one that it
 * stands in is not (EPERM), somebody else may have put it there, or a link to it.
 */
int owner_become(const char *path);
/* Root again, if owner_become() changed anything. */
void owner_leave(void);

#endif
