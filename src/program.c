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

static bool is_program(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return false;
    if (S_ISREG(st.st_mode) && access(path, X_OK) == 0)
        return true;
    errno = EACCES;
    return false;
}

char *program_find(const char *program)
{
    const char *path = getenv("PATH");
    int error = ENOENT;

    if (strchr(program, '/') != NULL)
        return is_program(program) ? strdup(program) : NULL;
    if (path == NULL)
        path = "/bin:/usr/bin";
    while (*program != '\0' && path != NULL) {
        const char *colon = strchrnul(path, ':');
        const int len = (int)(colon - path);
        char *full;
        if (asprintf(&full, "%.*s/%s", len > 0 ? len : 1, len > 0 ? path : ".", program) < 0)
            return NULL;
        if (is_program(full))
            return full;
        if (errno == EACCES)
            error = EACCES;
        free(full);
        path = *colon == ':' ? colon + 1 : NULL;
    }
    errno = error;
    return NULL;
}
