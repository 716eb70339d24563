/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "upkeep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "identity.h"
#include "log.h"
#include "owner.h"
#include "spool.h"
#include "status.h"

int upkeep_status(int error)
{
    return status_of(error);
}

/* We may not change the spool: who may. */
static void advise(const char *path)
{
    char owner[IDENTITY_NAME];
    struct stat st;

    if (stat(path, &st) == 0 && st.st_uid != geteuid())
        log_error("run it as root, or as user %s, who has the spool",
                  identity_user(st.st_uid, owner));
}

struct store *upkeep_open(const struct config *config, const struct config_spool *which,
                          int *status)
{
    const struct store_limits limits = {.segment_size = which->segment_size,
                                        .min_free = which->min_free};
    struct store *store = NULL;
    char *path;

    *status = EX_UNAVAILABLE;
    if (!spool_exists(config, which)) {
        log_error("there is no spool '%s/%s' yet: hookspoold makes it when it starts",
                  config->spool_dir, which->name);
        return NULL;
    }
    if (asprintf(&path, "%s/%s", config->spool_dir, which->name) < 0) {
        log_error("cannot open spool '%s': %s", which->name, strerror(ENOMEM));
        *status = EX_OSERR;
        return NULL;
    }
    if (owner_become(path) == 0)
        store = store_open(path, &limits);
    *status = store != NULL ? EX_OK : upkeep_status(errno);
    if (*status == EX_NOPERM)
        advise(path);
    if (store == NULL)
        owner_leave();
    free(path);
    return store;
}

void upkeep_close(struct store *store)
{
    store_close(store);
    owner_leave();
}
