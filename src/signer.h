/* SPDX-License-Identifier: ISC */
/*
 * signer: whose secret signs, for `sign` and `send`: that of an endpoint of
 * the configuration, or one in a file. Never one of the command line.
 *
 * A signer that was opened holds secrets: close it. One thread.
 */
#ifndef HOOKSPOOL_SIGNER_H
#define HOOKSPOOL_SIGNER_H

#include "cli.h"
#include "secret.h"

struct signer {
    const struct config_endpoint *endpoint; /* NULL: there is only the file */
    const char *file;                       /* the secrets' */
    struct secrets secrets;
    const struct secret *secret; /* of these, the one that a sender would use now */
};

/*
 * The endpoint of this name, with the secrets of the file, or with its own if file is NULL.
 * Without a name: no endpoint if there is a file, else the only one in the configuration.
 * Returns one of sysexits.h, after a message unless it is EX_OK.
 */
int signer_open(struct signer *signer, struct cli *cli, const char *name, const char *file);

void signer_close(struct signer *signer);

#endif
