/* SPDX-License-Identifier: ISC */
/*
 * expired: gives a spool the entries of ids that are long past, for bench/purge: links to day files
 * of January 2020, in the directories where hookspoold would have put them.
 *
 * usage: expired LOCKS COUNT
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xxhash.h>

enum { LINKS = 60000 /* ext4 allows 65,000 */ };

int main(int argc, char **argv)
{
    char day[64] = "", id[64], name[80];
    const long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    const int dir = argc == 3 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;

    if (dir < 0 || count <= 0) {
        fprintf(stderr, "usage: expired LOCKS COUNT\n");
        return 64;
    }
    for (long i = 0; i < count; i++) {
        if (i % LINKS == 0) {
            snprintf(day, sizeof day, i == 0 ? "days/2020-01-01" : "days/2020-01-01.%ld",
                     i / LINKS);
            const int fd = openat(dir, day, O_WRONLY | O_CREAT, 0640);
            if (fd < 0) {
                fprintf(stderr, "expired: cannot create '%s': %s\n", day, strerror(errno));
                return 1;
            }
            close(fd);
        }
        snprintf(id, sizeof id, "msg_2000000000000000000%08ld", i);
        snprintf(name, sizeof name, "%02x/%s", (unsigned) (XXH3_64bits(id, strlen(id)) & 0xff), id);
        if (linkat(dir, day, dir, name, 0) < 0) {
            fprintf(stderr, "expired: cannot create '%s': %s\n", name, strerror(errno));
            return 1;
        }
    }
    return 0;
}
