/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "keyring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "log.h"
#include "secretfile.h"

static int make_room(struct keyring *keyring, size_t files)
{
    *keyring = (struct keyring){calloc(files, sizeof(struct keyring_file)), 0};
    if (keyring->files != NULL)
        return EX_OK;
    log_error("cannot load secrets: %s", strerror(errno));
    return EX_OSERR;
}

static int load_first(struct keyring *keyring, const char *endpoint, const char *path)
{
    struct keyring_file *file = &keyring->files[0];

    *file = (struct keyring_file){.endpoint = endpoint, .path = path};
    const int status = secretfile_load(&file->secrets, path);
    keyring->count = status == EX_OK;
    if (status != EX_OK)
        keyring_release(keyring);
    return status;
}

static bool is_loaded(const struct keyring *keyring, const char *path)
{
    for (size_t i = 0; i < keyring->count; i++) {
        if (strcmp(keyring->files[i].path, path) == 0)
            return true;
    }
    return false;
}

/* What another endpoint has can only help to explain. */
static void load_another(struct keyring *keyring, const struct config_endpoint *endpoint,
                         bool verbose)
{
    struct keyring_file *file = &keyring->files[keyring->count];
    char why[1024];

    if (is_loaded(keyring, endpoint->secret_file))
        return;
    *file = (struct keyring_file){.endpoint = endpoint->name, .path = endpoint->secret_file};
    if (secrets_load(&file->secrets, file->path, why, sizeof(why)) == 0)
        keyring->count++;
    else if (verbose)
        log_warn("the secrets of endpoint %s are not tried: %s", endpoint->name, why);
}

int keyring_load(struct keyring *keyring, const struct config *config,
                 const struct config_endpoint *endpoint, bool verbose)
{
    int status = make_room(keyring, config->endpoint_count);

    if (status == EX_OK)
        status = load_first(keyring, endpoint->name, endpoint->secret_file);
    for (size_t i = 0; status == EX_OK && i < config->endpoint_count; i++)
        load_another(keyring, &config->endpoints[i], verbose);
    return status;
}

int keyring_load_file(struct keyring *keyring, const char *path)
{
    const int status = make_room(keyring, 1);

    return status == EX_OK ? load_first(keyring, NULL, path) : status;
}

void keyring_release(struct keyring *keyring)
{
    for (size_t i = 0; i < keyring->count; i++)
        secrets_release(&keyring->files[i].secrets);
    free(keyring->files);
    *keyring = (struct keyring){NULL, 0};
}
