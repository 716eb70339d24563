/* SPDX-License-Identifier: ISC */
/* A secret file: what is loaded is within bounds; what is refused is told, without its text. */
#include "fuzz.h"

#include "secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct secrets secrets;
    char path[64], err[512] = "";

    const int fd = fuzz_file(data, size, path);
    if (secrets_load(&secrets, path, err, sizeof(err)) == 0) {
        FUZZ_CHECK(secrets.count >= 1 && secrets.count <= SECRETS_MAX);
        for (size_t i = 0; i < secrets.count; i++) {
            const struct signature_key *key = &secrets.list[i].key;
            FUZZ_CHECK(key->len >= SIGNATURE_KEY_MIN && key->len <= SIGNATURE_KEY_MAX);
            FUZZ_CHECK(i == 0 || secrets.list[i].line > secrets.list[i - 1].line);
            FUZZ_CHECK(secrets.list[i].fingerprint != 0 && secrets.list[i].expires >= 0);
        }
    } else {
        FUZZ_CHECK(secrets.count == 0 && err[0] != '\0' && strlen(err) < sizeof(err) - 1);
        FUZZ_CHECK(strstr(err, "whsec_") == NULL || strstr(err, "whsec_ ") != NULL
                   || memmem(data, size, strstr(err, "whsec_"), 12) == NULL);
    }
    secrets_release(&secrets);
    close(fd);
    return 0;
}
