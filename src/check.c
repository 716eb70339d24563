/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

const char *check_socket_path(const struct check *check)
{
    if (check->socket != NULL)
        return check->socket;
    return check->found[0] != '\0' ? check->found : CHECK_SOCKET;
}

const char *check_duration(char out[CHECK_DURATION], int64_t seconds)
{
    static const struct {
        int64_t seconds;
        char unit;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    size_t i = 0;

    while (seconds % units[i].seconds != 0 || (seconds == 0 && units[i].unit != 's'))
        i++;
    snprintf(out, CHECK_DURATION, "%" PRId64 "%c", seconds / units[i].seconds, units[i].unit);
    return out;
}

const char *check_spool_path(const struct check *check, const struct config_spool *spool,
                             char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%s", check->config->spool_dir, spool->name);
    return out;
}

void check_unseen(const struct check *check, const char *what, const char *path)
{
    const int error = errno;

    finding_warn(check->findings, what, "cannot look at '%s': %s", path, strerror(error));
    if ((error == EACCES || error == EPERM) && geteuid() != 0)
        finding_advise(check->findings, "run it as root: sudo hookspool check");
    else
        finding_advise(check->findings, "see what is there: ls -ld '%s'", path);
}

bool check_find_user(struct check *check)
{
    struct stat st;

    if (check->user_name != NULL) {
        check->user_known = identity_by_name(&check->user, check->user_name) == 0;
        if (check->user_known)
            return true;
        finding_fail(check->findings, EX_CONFIG, "user", "there is no user '%s'",
                     check->user_name);
        finding_advise(check->findings, "adduser --system --group --no-create-home "
                       "--home /nonexistent '%s'", check->user_name);
        return false;
    }
    if (check->config != NULL && stat(check->config->spool_dir, &st) == 0) {
        identity_by_uid(&check->user, st.st_uid);
        check->user_known = true;
    } else {
        check->user_known = identity_by_name(&check->user, "hookspool") == 0;
    }
    return true;
}
