/* SPDX-License-Identifier: ISC */
/*
 * keyring: whose secret was it? The secrets of an endpoint, and behind them
 * those of all other endpoints, which may have been mistaken for it.
 *
 * Files that cannot be read are left out, except the first, which fails.
 * keyring_release() wipes and frees. One thread.
 */
#ifndef HOOKSPOOL_KEYRING_H
#define HOOKSPOOL_KEYRING_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "secret.h"

struct keyring_file {
    const char *endpoint; /* name of one that uses it; NULL: none, the file was named itself */
    const char *path;
    struct secrets secrets;
};

/* The first file is what ought to have signed. Strings are the configuration's. */
struct keyring {
    struct keyring_file *files;
    size_t count;
};

/* Those of all endpoints, this one's first: EX_OK, or another status after a message. */
int keyring_load(struct keyring *keyring, const struct config *config,
                 const struct config_endpoint *endpoint, bool verbose);

/* Those of one file and no others; path is borrowed. */
int keyring_load_file(struct keyring *keyring, const char *path);

void keyring_release(struct keyring *keyring);

#endif
