/* SPDX-License-Identifier: ISC */
/*
 * inifile: an INI file as sections and settings with their line numbers.
 *
 * inih splits the lines. This module is the reader under it and counts, since
 * builds of inih differ: most tell no line number, none tells of a section
 * without keys, names are cut at 49 bytes, lines at a length of the build's
 * choosing (Debian: 198), and continuation lines are taken silently. Here a
 * line is never cut or joined to another: it is given whole, or refused.
 *
 * The syntax: "[word]" or "[word name]"; "key = value"; lines that start with
 * ';' or '#' are comments, as is what follows a ';' behind a blank. CR LF and
 * a byte order mark are taken. Control bytes are not.
 *
 * No state: any thread. The strings live as long as the call they go to.
 * Nothing is logged; a failed read or allocation is -1 with errno.
 */
#ifndef HOOKSPOOL_INIFILE_H
#define HOOKSPOOL_INIFILE_H

/* Called in the order of the lines. */
struct inifile_calls {
    /* The name is "" when there is none. A word of NULL: the header was refused. */
    void (*section)(void *user, unsigned line, const char *word, const char *name);
    void (*setting)(void *user, unsigned line, const char *key, const char *value);
    void (*problem)(void *user, unsigned line, const char *text);
};

/* 0 whatever the problems, or -1: the file was not read to its end (EFBIG: over 1 MiB). */
int inifile_read(const char *path, const struct inifile_calls *calls, void *user);

#endif
