/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "program.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 0, or why it is none. */
static int check(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return errno;
    return S_ISREG(st.st_mode) && access(path, X_OK) == 0 ? 0 : EACCES;
}

static char *given(const char *path)
{
    const int error = check(path);

    if (error == 0)
        return strdup(path);
    errno = error;
    return NULL;
}

char *program_find(const char *program)
{
    const char *path = getenv("PATH");
    int error = ENOENT;

    if (strchr(program, '/') != NULL)
        return given(program);
    if (path == NULL)
        path = "/bin:/usr/bin";
    while (*program != '\0' && path != NULL) {
        const char *colon = strchrnul(path, ':');
        const int len = (int)(colon - path);
        char *full;
        if (asprintf(&full, "%.*s/%s", len > 0 ? len : 1, len > 0 ? path : ".", program) < 0)
            return NULL;
        const int found = check(full);
        if (found == 0)
            return full;
        if (found == EACCES && access(full, F_OK) == 0) /* not: in a directory closed to us */
            error = EACCES;
        free(full);
        path = *colon == ':' ? colon + 1 : NULL;
    }
    errno = error;
    return NULL;
}
