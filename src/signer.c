/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "signer.h"

#include <sysexits.h>
#include <time.h>

#include "log.h"
#include "secretfile.h"
#include "sender.h"

static int choose(struct signer *signer)
{
    signer->secret = sender_secret(&signer->secrets, (int64_t)time(NULL));
    if (signer->secret != NULL)
        return EX_OK;
    log_error("every secret in '%s' has expired: nothing can be signed", signer->file);
    return EX_CONFIG;
}

int signer_open(struct signer *signer, struct cli *cli, const char *name, const char *file)
{
    *signer = (struct signer){.file = file};
    if (name != NULL || file == NULL) {
        signer->endpoint = cli_endpoint(cli, name);
        if (signer->endpoint == NULL)
            return EX_CONFIG;
        if (file == NULL)
            signer->file = signer->endpoint->secret_file;
    }
    int status = secretfile_load(&signer->secrets, signer->file);
    if (status == EX_OK)
        status = choose(signer);
    if (status != EX_OK)
        signer_close(signer);
    return status;
}

void signer_close(struct signer *signer)
{
    secrets_release(&signer->secrets);
    signer->secret = NULL;
}
