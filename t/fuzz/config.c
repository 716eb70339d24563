/* SPDX-License-Identifier: ISC */
/* A configuration: what is loaded is whole and within its bounds. */
#include "fuzz.h"

#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];

    const int fd = fuzz_file(data, size, path);
    struct config *config = config_load(path);
    if (config == NULL) {
        FUZZ_CHECK(errno == EINVAL || errno == EFBIG);
        close(fd);
        return 0;
    }
    FUZZ_CHECK(config->endpoint_count >= 1 && config->spool_dir[0] == '/');
    FUZZ_CHECK(config->threads >= 1 && config->deadline > 0);
    for (size_t i = 0; i < config->endpoint_count; i++) {
        const struct config_endpoint *endpoint = &config->endpoints[i];
        FUZZ_CHECK(option_is_name(endpoint->name) && endpoint->path[0] == '/');
        FUZZ_CHECK(endpoint->spool_config != NULL && endpoint->secret_file[0] == '/');
        FUZZ_CHECK(config_endpoint_by_path(config, endpoint->path) == endpoint);
        FUZZ_CHECK(config_endpoint_by_name(config, endpoint->name) == endpoint);
        (void)config_wants(endpoint, "phone_call.ended");
    }
    for (size_t i = 0; i < config->spool_count; i++)
        FUZZ_CHECK(config->spools[i].dedupe_window >= 3 * 86400);
    for (size_t i = 0; i < config->consumer_count; i++)
        FUZZ_CHECK(config->consumers[i].backoff_min <= config->consumers[i].backoff_max);
    config_free(config);
    close(fd);
    return 0;
}
