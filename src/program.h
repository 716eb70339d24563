/* SPDX-License-Identifier: ISC */
/*
 * program: where the program of a command is, as execvp(3) would find it, so
 * that it is known to be there before anything is offered to it. Pure but for
 * looking.
 */
#ifndef HOOKSPOOL_PROGRAM_H
#define HOOKSPOOL_PROGRAM_H

/* A malloc()ed path, or NULL with errno, not logged: ENOENT, EACCES (no program), ENOMEM. */
char *program_find(const char *name);

#endif
