/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "check_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "tree.h"

/* ---- what a user may */

/* The rights that are missing, as chmod has them: "r", "wx". */
static const char *rights(int how, char out[4])
{
    snprintf(out, 4, "%s%s%s", (how & R_OK) != 0 ? "r" : "", (how & W_OK) != 0 ? "w" : "",
             (how & X_OK) != 0 ? "x" : "");
    return out;
}

/* There is an access control list where the modes say no: it may say yes. */
static void doubt(struct check *check, const char *what, const struct identity_walk *walk)
{
    finding_warn(check->findings, what, "by its mode '%s' does not let %s in, but it has an "
                 "access control list", walk->path, check->user.name);
    finding_advise(check->findings, "see what it says: getfacl '%s'; sudo -u %s ls -ld '%s'",
                   walk->path, check->user.name, walk->path);
}

static void refuse(struct check *check, const char *what, const struct identity_walk *walk,
                   int how)
{
    char owner[IDENTITY_NAME], group[IDENTITY_NAME], letters[4];
    const char *user = check->user.name;

    finding_fail(check->findings, EX_CONFIG, what, "%s '%s' cannot be %s by %s, whom hookspoold "
                 "runs as (mode %04o, %s:%s)", walk->directory ? "directory" : "file", walk->path,
                 walk->directory ? "passed" : (how & W_OK) != 0 ? "written" : "read", user,
                 (unsigned)walk->st.st_mode & 07777U, identity_user(walk->st.st_uid, owner),
                 identity_group(walk->st.st_gid, group));
    if (walk->directory)
        finding_advise(check->findings, "let it pass, not read: setfacl -m u:%s:x '%s', or "
                       "chmod o+x '%s'", user, walk->path, walk->path);
    else if (walk->st.st_uid == check->user.uid)
        finding_advise(check->findings, "chmod u+%s '%s'", rights(how, letters), walk->path);
    else
        finding_advise(check->findings, "chgrp %s '%s' && chmod g+%s '%s'",
                       check->user.gid == (gid_t)-1 ? user
                                                    : identity_group(check->user.gid, group),
                       walk->path, rights(how, letters), walk->path);
}

/* Can hookspoold's user come to it? False after a finding. */
static bool is_reached(struct check *check, const char *what, const char *path, int how)
{
    struct identity_walk walk;

    if (!check->user_known)
        return true;
    const int reached = identity_walk(&check->user, path, how, &walk);
    if (reached < 0)
        check_unseen(check, what, walk.path[0] != '\0' ? walk.path : path);
    else if (reached == 0 && walk.acl)
        doubt(check, what, &walk);
    else if (reached == 0)
        refuse(check, what, &walk, how);
    return reached > 0;
}

/* ---- files that are read */

/* Could a stranger put something else in its place? Then his name, or "anybody". */
static const char *stranger(const struct check *check, const struct stat *st,
                            char name[IDENTITY_NAME])
{
    if ((st->st_mode & S_IWOTH) != 0 && (st->st_mode & S_ISVTX) == 0)
        return "anybody";
    if (st->st_uid == 0 || (check->user_known && st->st_uid == check->user.uid)
        || st->st_uid == geteuid())
        return NULL;
    return identity_user(st->st_uid, name);
}

/* What is wrong with a file that hookspoold reads, or its directory: true after a finding. */
static bool is_exposed(struct check *check, const char *what, const char *path)
{
    char directory[PATH_MAX], name[IDENTITY_NAME];
    const char *slash = strrchr(path, '/');
    struct stat file, around;

    snprintf(directory, sizeof(directory), "%.*s", slash == path ? 1 : (int)(slash - path), path);
    if (stat(path, &file) < 0 || stat(directory, &around) < 0) {
        check_unseen(check, what, path);
        return true;
    }
    const char *who = stranger(check, &file, name);
    if (who != NULL) {
        finding_fail(check->findings, EX_CONFIG, what, "%s can change '%s' (mode %04o)", who, path,
                     (unsigned)file.st_mode & 07777U);
        finding_advise(check->findings, "chown root '%s' && chmod o-w '%s'", path, path);
        return true;
    }
    who = stranger(check, &around, name);
    if (who != NULL) {
        finding_fail(check->findings, EX_CONFIG, what, "%s can put another file in the place of "
                     "'%s', for its directory has mode %04o", who, path,
                     (unsigned)around.st_mode & 07777U);
        finding_advise(check->findings, "chown root '%s' && chmod o-w '%s'", directory, directory);
        return true;
    }
    return false;
}

static void check_file(struct check *check, const char *what, const char *path)
{
    char absolute[PATH_MAX], owner[IDENTITY_NAME], group[IDENTITY_NAME];
    struct stat st;

    if (path[0] != '/' && realpath(path, absolute) != NULL)
        path = absolute;
    if (is_exposed(check, what, path) || !is_reached(check, what, path, R_OK)
        || stat(path, &st) < 0)
        return;
    finding_ok(check->findings, what, "'%s', mode %04o, %s:%s%s%s", path,
               (unsigned)st.st_mode & 07777U, identity_user(st.st_uid, owner),
               identity_group(st.st_gid, group), check->user_known ? ", read by " : "",
               check->user_known ? check->user.name : "");
}

void check_config_files(struct check *check)
{
    const struct config *config = check->config;

    check_file(check, "configuration file", config->file);
    for (size_t i = 0; i < config->endpoint_count; i++) {
        const char *path = config->endpoints[i].secret_file;
        bool seen = access(path, F_OK) < 0 && errno == ENOENT; /* said with the secrets */
        for (size_t j = 0; j < i && !seen; j++)
            seen = strcmp(path, config->endpoints[j].secret_file) == 0;
        if (!seen)
            check_file(check, "secret file", path);
    }
}

/* ---- the spools */

static void tell_foreign(struct check *check, const char *what, const char *path,
                         const struct tree *tree)
{
    char is[IDENTITY_NAME], owner[IDENTITY_NAME];
    const char *first = tree->foreign.path;
    const bool in_lent = tree->owner != check->user.uid;

    (void)identity_user(tree->owner, owner);
    finding_fail(check->findings, EX_CONFIG, what, "of %zu files %zu do not belong to %s, the "
                 "first: '%s' (%s)", tree->looked, tree->foreign.count, owner, first,
                 identity_user(tree->foreign.st.st_uid, is));
    if (tree->lent == 0)
        finding_advise(check->findings, "chown -R -h %s: '%s'; run drains as %s (or as root, whose "
                       "files are given to it), or see \"drain\" in hookspool(1) for a user of its "
                       "own", owner, path, owner);
    else
        finding_advise(check->findings, "chown -h %s '%s', and so on; not all of the spool, for "
                       "directories of consumers are other users'%s", owner, first,
                       in_lent ? ", this one, too" : "");
}

/* What another user has in a consumer's directory, and the spool's does not see. */
static void tell_hidden(struct check *check, const char *what, const struct tree *tree)
{
    char directory[PATH_MAX], owner[IDENTITY_NAME], group[IDENTITY_NAME];
    const struct tree_fault *hidden = &tree->hidden;

    finding_fail(check->findings, EX_CONFIG, what, "%s cannot read '%s' (mode %04o, %s:%s), which "
                 "purge and status need to", check->user.name, hidden->path,
                 (unsigned)hidden->st.st_mode & 07777U,
                 identity_user(hidden->st.st_uid, owner), identity_group(hidden->st.st_gid, group));
    snprintf(directory, sizeof(directory), "%s", hidden->path);
    char *slash = strrchr(directory, '/');
    if (!S_ISDIR(hidden->st.st_mode) && slash != NULL)
        *slash = '\0';
    finding_advise(check->findings, "chgrp -R %s '%s' && chmod -R g+rX '%s' && chmod g+s '%s'",
                   check->user.gid == (gid_t)-1 ? check->user.name
                                                : identity_group(check->user.gid, group),
                   directory, directory, directory);
}

static void tell_tree(struct check *check, const char *what, const char *path,
                      const struct tree *tree)
{
    struct findings *findings = check->findings;

    if (tree->foreign.count > 0)
        tell_foreign(check, what, path, tree);
    if (tree->hidden.count > 0)
        tell_hidden(check, what, tree);
    if (tree->open.count > 0) {
        finding_fail(findings, EX_CONFIG, what, "of %zu files %zu can be written by others, the "
                     "first: '%s' (mode %04o)", tree->looked, tree->open.count, tree->open.path,
                     (unsigned)tree->open.st.st_mode & 07777U);
        finding_advise(findings, "chmod -R o-w '%s'", path);
    }
    if (tree->links.count > 0) {
        finding_warn(findings, what, "'%s' is a symbolic link (of %zu): hookspool follows none in "
                     "a spool, and what it syncs would be elsewhere", tree->links.path,
                     tree->links.count);
        finding_advise(findings, "put what it points to in its place, or let spool_dir be on that "
                       "disk");
    }
    if (tree->unseen.count > 0) {
        errno = tree->error;
        check_unseen(check, what, tree->unseen.path);
    }
    if (tree->foreign.count + tree->hidden.count + tree->open.count + tree->links.count
            + tree->unseen.count == 0)
        finding_ok(findings, what, "'%s', files looked at %zu, all of them %s's%s", path,
                   tree->looked, check->user.name,
                   tree->lent > 0 ? ", or in a consumer's directory whoever's that is" : "");
}

/* A consumer that is drained by another user: may that one read the log? */
static void check_lent(struct check *check, const struct config_consumer *consumer,
                       const char *spool)
{
    char path[PATH_MAX + 80], what[FINDING_WHAT], group[IDENTITY_NAME];
    struct identity_walk walk;
    struct identity who;
    struct stat st;

    snprintf(path, sizeof(path), "%s/consumers/%s", spool, consumer->name);
    if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid == 0
        || st.st_uid == check->user.uid)
        return;
    snprintf(what, sizeof(what), "consumer %s", consumer->name);
    identity_by_uid(&who, st.st_uid);
    snprintf(path, sizeof(path), "%s/log", spool);
    const int reached = identity_walk(&who, path, R_OK | X_OK, &walk);
    if (reached > 0 || (reached == 0 && walk.acl)) {
        finding_ok(check->findings, what, "drained by %s, whose directory it has", who.name);
    } else if (reached < 0) {
        check_unseen(check, what, walk.path);
    } else {
        finding_fail(check->findings, EX_CONFIG, what, "its directory is %s's, who cannot read "
                     "'%s' (mode %04o, group %s)", who.name, walk.path,
                     (unsigned)walk.st.st_mode & 07777U, identity_group(walk.st.st_gid, group));
        if ((walk.st.st_mode & 050) == 050)
            finding_advise(check->findings, "adduser %s %s", who.name, group);
        else
            finding_advise(check->findings, "setfacl -m u:%s:rx '%s'", who.name, walk.path);
    }
}

static void check_consumers(struct check *check, const struct config_spool *spool,
                            const char *path)
{
    for (size_t i = 0; i < check->config->consumer_count; i++) {
        if (check->config->consumers[i].spool_config == spool)
            check_lent(check, &check->config->consumers[i], path);
    }
}

static void check_spool(struct check *check, const struct config_spool *spool)
{
    char path[PATH_MAX], what[FINDING_WHAT];
    struct tree tree;
    struct stat st;

    (void)check_spool_path(check, spool, path);
    snprintf(what, sizeof(what), "spool %s", spool->name);
    if (lstat(path, &st) < 0 && errno == ENOENT) {
        finding_ok(check->findings, what, "'%s' is not there yet: hookspoold makes it when it "
                   "starts", path);
        return;
    }
    if (!is_reached(check, what, path, R_OK | W_OK | X_OK))
        return;
    tree_look(&tree, path, &check->user);
    tell_tree(check, what, path, &tree);
    check_consumers(check, spool, path);
}

/* The directory of all spools: there, hookspoold's, and nobody else's. False: do not go on. */
static bool check_spool_dir(struct check *check)
{
    static const char what[] = "spool directory";
    const char *path = check->config->spool_dir;
    const char *user = check->user_known ? check->user.name : "hookspool";
    char owner[IDENTITY_NAME], group[IDENTITY_NAME];
    struct stat st;

    if (stat(path, &st) < 0 && errno != ENOENT) {
        check_unseen(check, what, path);
        return false;
    }
    if (access(path, F_OK) < 0 || !S_ISDIR(st.st_mode)) {
        finding_fail(check->findings, EX_CONFIG, what, "'%s' is %s", path,
                     access(path, F_OK) < 0 ? "not there" : "no directory");
        finding_advise(check->findings, "install -d -o %s -g %s -m 0750 '%s'", user, user, path);
        return false;
    }
    if ((st.st_mode & S_IWOTH) != 0) {
        finding_fail(check->findings, EX_CONFIG, what, "anybody can write to '%s' (mode %04o)",
                     path, (unsigned)st.st_mode & 07777U);
        finding_advise(check->findings, "chmod o-w '%s'", path);
    }
    if (!is_reached(check, what, path, R_OK | W_OK | X_OK))
        return false;
    if (st.st_uid == 0 && check->user.uid == 0) {
        finding_warn(check->findings, what, "'%s' belongs to root, so hookspoold would run as "
                     "root", path);
        finding_advise(check->findings, "chown -R hookspool: '%s', or say whom it runs as: --user",
                       path);
        return true;
    }
    finding_ok(check->findings, what, "'%s', mode %04o, %s:%s; drains run as %s, as root, or as "
               "whom the consumer's directory belongs to", path, (unsigned)st.st_mode & 07777U,
               identity_user(st.st_uid, owner), identity_group(st.st_gid, group), user);
    return true;
}

void check_spool_files(struct check *check)
{
    if (!check_spool_dir(check) || !check->user_known)
        return;
    for (size_t i = 0; i < check->config->spool_count; i++)
        check_spool(check, &check->config->spools[i]);
}
