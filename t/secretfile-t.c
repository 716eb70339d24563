/* SPDX-License-Identifier: ISC */
/*
 * Secret files made and rotated: the text in every form that a file can have, what is kept of the
 * file, and that whoever dies or fails at any step leaves the old file or the new one.
 */
#include "autoconf.h"

#include "secretfile.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <termios.h>

#include "newkey.h"

#include "tap.h"
#include "temp.h"

#define KEY_A "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define A "whsec_" KEY_A
#define B "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
#define C "whsec_plJ3nmyCDGBKInavdOK15jsl"
#define NEW "whsec_bmV3IG5ldyBuZXcgbmV3IG5ldyBuZXchIQ=="
#define SOON " expires=2026-11-25T00:00:00Z"
#define THEN " expires=2026-12-01T00:00:00Z"
#define LATE " expires=2027-01-01T00:00:00Z"
#define GONE " expires=2026-11-20T00:00:00Z"
#define LONG " expires=2026-10-01T00:00:00Z"
#define MARK "\xef\xbb\xbf"

enum { NOW = 1795478400 /* 2026-11-24T00:00:00Z */, UNTIL = NOW + 7 * 86400, CRASHED = 99 };

static struct signature_key new_key;

static struct rotation rotation_until(int64_t expires)
{
    return (struct rotation){.key = &new_key, .now = NOW, .expires = expires};
}

static char *path_in(const struct temp *temp, const char *name)
{
    static char path[2][PATH_MAX + 64];
    static int turn;

    turn = !turn;
    (void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", temp->path, name);
    return path[turn];
}

static void put(const struct temp *temp, const char *name, const char *text, mode_t mode)
{
    temp_put(temp->dir, name, text, strlen(text));
    if (fchmodat(temp->dir, name, mode, 0) < 0)
        temp_die(name);
}

static void holds(const struct temp *temp, const char *name, const char *want, const char *what)
{
    size_t len = 0;
    char *text = temp_get(temp->dir, name, &len);

    is_str(text, want, "%s", what);
    free(text);
}

/* ---- the text */

static void texts(void)
{
    static const struct {
        const char *what, *before, *after;
        int64_t expires;
        unsigned line, kept, dropped;
    } cases[] = {
        {"one secret", A "\n", NEW "\n" A THEN "\n", UNTIL, 1, 1, 0},
        {"no line end", A, NEW "\n" A THEN "\n", UNTIL, 1, 1, 0},
        {"two", A "\n" B "\n", NEW "\n" A THEN "\n" B THEN "\n", UNTIL, 1, 2, 0},
        {"comments stay", "# Levers\n\n" A " # of May\n\t# end\n",
         "# Levers\n\n" NEW "\n" A THEN " # of May\n\t# end\n", UNTIL, 3, 1, 0},
        {"a sooner end stays", A "\n" B SOON "\n", NEW "\n" A THEN "\n" B SOON "\n", UNTIL, 1, 2,
         0},
        {"a later one does not", A LATE " # x\n", NEW "\n" A THEN " # x\n", UNTIL, 1, 1, 0},
        {"one that is over stays", A "\n" B GONE "\n", NEW "\n" A THEN "\n" B GONE "\n", UNTIL, 1,
         1, 0},
        {"one that is long over goes", A "\n" B LONG "\n# end\n", NEW "\n" A THEN "\n# end\n",
         UNTIL, 1, 1, 1},
        {"never", A LATE "\n" B "\n", NEW "\n" A LATE "\n" B "\n", 0, 1, 2, 0},
        {"now", A "\n" B LATE "\n", NEW "\n" A " expires=2026-11-24T00:00:00Z\n" B
         " expires=2026-11-24T00:00:00Z\n", NOW, 1, 0, 0},
        {"CR LF", "# x\r\n" A "\r\n", "# x\r\n" NEW "\r\n" A THEN "\r\n", UNTIL, 2, 1, 0},
        {"CR LF, the last missing", A "\r\n" B "\r", NEW "\r\n" A THEN "\r\n" B THEN "\r\n", UNTIL,
         1, 2, 0},
        {"a byte order mark", MARK A "\n", MARK NEW "\n" A THEN "\n", UNTIL, 1, 1, 0},
        {"a mark before a comment", MARK "# x\n" A "\n", MARK "# x\n" NEW "\n" A THEN "\n", UNTIL,
         2, 1, 0},
        {"blanks", " \t" A "  " LATE "\t \n", NEW "\n \t" A THEN "\t \n", UNTIL, 1, 1, 0},
        {"other forms", KEY_A "\nv1," B "\n", NEW "\n" KEY_A THEN "\nv1," B THEN "\n", UNTIL, 1, 2,
         0},
    };
    struct temp temp;

    temp_make(&temp);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rotation rotation = rotation_until(cases[i].expires);
        put(&temp, "s", cases[i].before, 0640);
        is_int(secretfile_rotate(path_in(&temp, "s"), &rotation, true), EX_OK, "%s: dry",
               cases[i].what);
        holds(&temp, "s", cases[i].before, "a dry run leaves the file alone");
        is_int(secretfile_rotate(path_in(&temp, "s"), &rotation, false), EX_OK, "%s",
               cases[i].what);
        holds(&temp, "s", cases[i].after, "the text");
        ok(rotation.line == cases[i].line && rotation.kept == cases[i].kept
               && rotation.dropped == cases[i].dropped, "what it tells: %u %u %u", rotation.line,
           rotation.kept, rotation.dropped);
    }
    is_int(temp_said("whsec_"), 0, "no message holds a secret");
    temp_drop(&temp);
}

/* ---- what is refused */

static void refusals(void)
{
    struct rotation rotation = rotation_until(UNTIL);
    char many[2048] = "";
    struct temp temp;

    temp_make(&temp);
    put(&temp, "s", A "\n" NEW SOON "\n", 0640);
    is_int(secretfile_rotate(path_in(&temp, "s"), &rotation, false), EX_DATAERR, "known already");
    ok(temp_said("/s:2: the new secret stands there already") == 1, "... and where");
    put(&temp, "s", A "\nwhsec_!\n", 0640);
    is_int(secretfile_rotate(path_in(&temp, "s"), &rotation, false), EX_CONFIG, "a broken file");
    holds(&temp, "s", A "\nwhsec_!\n", "... is not touched");
    put(&temp, "s", A "\n", 0644);
    is_int(secretfile_rotate(path_in(&temp, "s"), &rotation, false), EX_CONFIG, "open to others");
    is_int(secretfile_rotate(path_in(&temp, "none"), &rotation, false), EX_NOINPUT, "none there");
    is_int(secretfile_rotate("/nowhere/at/all", &rotation, false), EX_NOINPUT, "nor a directory");
    for (int i = 0; i < SECRETS_MAX; i++) {
        struct signature_key key;
        char text[ROTATION_SECRET];
        (void)newkey_generate(&key, 24);
        rotation_secret(&key, text);
        strcat(strcat(many, text), "\n");
    }
    put(&temp, "s", many, 0640);
    is_int(secretfile_rotate(path_in(&temp, "s"), &rotation, true), EX_DATAERR, "full, dry");
    is_int(secretfile_rotate(path_in(&temp, "s"), &rotation, false), EX_DATAERR, "full");
    ok(temp_said("more than 16 secrets") == 2, "... it says so");
    holds(&temp, "s", many, "... is not touched");
    is_int(temp_names(temp.dir, ".", NULL), 1, "nothing is left beside it");
    is_int(temp_said("whsec_"), 0, "no message holds a secret");
    temp_drop(&temp);
}

/* ---- what is kept of the file */

static void kept(void)
{
    struct rotation rotation = rotation_until(UNTIL);
    struct stat st;
    struct temp temp;

    temp_make(&temp);
    if (mkdirat(temp.dir, "real", 0755) < 0 || symlinkat("real/s", temp.dir, "link") < 0)
        temp_die("link");
    put(&temp, "real/s", A "\n", 0440);
    if (geteuid() == 0 && fchownat(temp.dir, "real/s", 65534, 12345, 0) < 0)
        temp_die("chown");
    put(&temp, "real/s.new", "the user's own\n", 0600);
    put(&temp, "real/.s.new", "left by one that was killed\n", 0600);
    is_int(secretfile_rotate(path_in(&temp, "link"), &rotation, false), EX_OK, "by a link");
    ok(fstatat(temp.dir, "link", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode),
       "the link stays");
    holds(&temp, "real/s", NEW "\n" A THEN "\n", "what it points to is rewritten");
    ok(fstatat(temp.dir, "real/s", &st, 0) == 0 && (st.st_mode & 07777) == 0440, "its mode stays");
    ok(geteuid() != 0 || (st.st_uid == 65534 && st.st_gid == 12345), "its owner stays");
    holds(&temp, "real/s.new", "the user's own\n", "no file of the user's is taken");
    is_int(temp_names(temp.dir, "real", NULL), 2, "what another left is gone");
    temp_drop(&temp);
}

/* ---- crashes and failures */

static struct {
    int countdown; /* calls until the end; negative: never */
    bool after;
} end_at;

static int end_seam(const struct io_call *call)
{
    if (end_at.countdown >= 0 && call->done == end_at.after && end_at.countdown-- == 0)
        _exit(CRASHED);
    return 0;
}

static int rotate_in_child(const char *path, int step, bool after)
{
    struct rotation rotation = rotation_until(UNTIL);
    const pid_t pid = fork();
    int status;

    if (pid == 0) {
        end_at.countdown = step;
        end_at.after = after;
        io_seam = end_seam;
        _exit(secretfile_rotate(path, &rotation, false));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        temp_die("child");
    return WEXITSTATUS(status);
}

static void crashes(void)
{
    static const char old[] = "# x\n" A "\n", rotated[] = "# x\n" NEW "\n" A THEN "\n";
    int steps = 0, new_ones = 0;
    struct temp temp;

    temp_make(&temp);
    for (int after = 0; after < 2; after++) {
        for (int step = 0, status = CRASHED; status == CRASHED; step++) {
            put(&temp, "s", old, 0640);
            status = rotate_in_child(path_in(&temp, "s"), step, after);
            size_t len = 0;
            char *text = temp_get(temp.dir, "s", &len);
            const bool is_new = text != NULL && strcmp(text, rotated) == 0;
            ok(text != NULL && (is_new || strcmp(text, old) == 0), "step %d: old or new", step);
            free(text);
            steps++;
            new_ones += is_new;
            put(&temp, "s", old, 0640);
            is_int(rotate_in_child(path_in(&temp, "s"), -1, false), EX_OK, "it is rotated again");
            is_int(temp_names(temp.dir, ".", NULL), 1, "nothing is left");
        }
    }
    ok(steps > 10 && new_ones > 3 && new_ones < steps, "%d steps, %d new", steps, new_ones);
    temp_drop(&temp);
}

static void failures(void)
{
    static const char old[] = A "\n";
    int step = 0, status = -1;
    struct temp temp;

    temp_make(&temp);
    for (step = 1; status != EX_OK && step < 100; step++) {
        struct rotation rotation = rotation_until(UNTIL);
        put(&temp, "s", old, 0640);
        fault_burst(step, step);
        status = secretfile_rotate(path_in(&temp, "s"), &rotation, false);
        fault_clear();
        size_t len = 0;
        char *text = temp_get(temp.dir, "s", &len);
        /* The last call is the directory's sync: the new name is there by then. */
        if (status != EX_OK && strcmp(text, old) != 0)
            is_str(text, NEW "\n" A THEN "\n", "step %d: new, but not surely", step);
        free(text);
        if (status != EX_OK)
            is_int(temp_said("cannot "), 1, "step %d fails and says so", step);
        is_int(temp_names(temp.dir, ".", NULL), 1, "nothing is left beside it");
        temp_hear();
    }
    ok(step > 5 && status == EX_OK, "%d calls", step);
    temp_drop(&temp);
}

/* What is named must be on disk before: its bytes, and then the name. */
static char order[64];

static int order_seam(const struct io_call *call)
{
    static const char letters[] = "omwdstlru"; /* of enum io_op */
    const size_t len = strlen(order);

    if (call->done && len + 1 < sizeof(order))
        order[len] = letters[call->op];
    return 0;
}

static void durable(void)
{
    struct rotation rotation = rotation_until(UNTIL);
    unsigned mode;
    struct temp temp;

    temp_make(&temp);
    put(&temp, "s", A "\n", 0640);
    io_seam = order_seam;
    (void)secretfile_rotate(path_in(&temp, "s"), &rotation, false);
    is_str(order, "owsrs", "open, write, sync, rename, sync");
    memset(order, 0, sizeof(order));
    (void)secretfile_create(path_in(&temp, "t"), &new_key, SECRETFILE_NO_GROUP, &mode);
    is_str(order, "owslus", "open, write, sync, link, unlink, sync");
    io_seam = NULL;
    temp_drop(&temp);
}

/* ---- new files */

static void created(void)
{
    struct secrets secrets;
    struct stat st;
    unsigned mode = 0;
    struct temp temp;

    temp_make(&temp);
    umask(0);
    is_int(secretfile_create(path_in(&temp, "s"), &new_key, SECRETFILE_NO_GROUP, &mode), EX_OK,
           "a new file");
    holds(&temp, "s", NEW "\n", "it holds the secret");
    ok(fstatat(temp.dir, "s", &st, 0) == 0 && (st.st_mode & 07777) == mode && mode == 0600,
       "its mode");
    is_int(secretfile_load(&secrets, path_in(&temp, "s")), EX_OK, "it loads");
    secrets_release(&secrets);
    is_int(secretfile_create(path_in(&temp, "s"), &new_key, SECRETFILE_NO_GROUP, &mode),
           EX_CANTCREAT, "one that is there");
    if (symlinkat("nowhere", temp.dir, "link") < 0)
        temp_die("link");
    is_int(secretfile_create(path_in(&temp, "link"), &new_key, SECRETFILE_NO_GROUP, &mode),
           EX_CANTCREAT, "a link that points nowhere");
    is_int(secretfile_create(path_in(&temp, "g"), &new_key, getegid(), &mode), EX_OK,
           "for a group");
    ok(fstatat(temp.dir, "g", &st, 0) == 0 && (st.st_mode & 07777) == 0640
           && st.st_gid == getegid() && mode == 0640, "... its mode and group");
    if (geteuid() == 0 && fchown(temp.dir, (uid_t)-1, 12345) == 0) {
        is_int(secretfile_create(path_in(&temp, "r"), &new_key, SECRETFILE_NO_GROUP, &mode), EX_OK,
               "root, in a group's directory");
        ok(fstatat(temp.dir, "r", &st, 0) == 0 && (st.st_mode & 07777) == 0640
               && st.st_gid == 12345 && mode == 0640, "... its mode and group");
    }
    for (int step = 1, status = -1; status != EX_OK && step < 100; step++) {
        fault_burst(step, step);
        status = secretfile_create(path_in(&temp, "f"), &new_key, SECRETFILE_NO_GROUP, &mode);
        fault_clear();
        if (status != EX_OK && temp_size(temp.dir, "f") >= 0)
            holds(&temp, "f", NEW "\n", "a failure leaves nothing, or all");
        (void)unlinkat(temp.dir, "f", 0);
        is_int(temp_size(temp.dir, ".f.new"), -1, "step %d leaves nothing beside it", step);
    }
    io_seam = NULL;
    temp_drop(&temp);
}

/* ---- the new key */

static void read_as(const struct temp *temp, const char *text, int want, const char *what)
{
    struct signature_key key;

    put(temp, "k", text, 0600);
    is_int(newkey_read(&key, path_in(temp, "k")), want, "%s", what);
    is_int(key.len == new_key.len && memcmp(key.bytes, new_key.bytes, key.len) == 0, want == EX_OK,
           "... and its key");
}

static void new_keys(void)
{
    struct signature_key key;
    struct temp temp;

    temp_make(&temp);
    read_as(&temp, NEW, EX_OK, "a secret");
    read_as(&temp, "# from the sender\r\n\r\n  " NEW " \r\n\n", EX_OK, "with what surrounds it");
    read_as(&temp, "", EX_DATAERR, "nothing");
    read_as(&temp, "# only\n", EX_DATAERR, "a comment");
    read_as(&temp, NEW "\n" A "\n", EX_DATAERR, "two");
    read_as(&temp, "whsec_!!!!", EX_DATAERR, "none");
    read_as(&temp, NEW SOON, EX_DATAERR, "with words behind it");
    put(&temp, "k", NEW, 0644);
    is_int(newkey_read(&key, path_in(&temp, "k")), EX_NOPERM, "open to others");
    is_int(newkey_read(&key, path_in(&temp, "none")), EX_NOINPUT, "no file");
    put(&temp, "k", "", 0600);
    temp_put(temp.dir, "k", NEW "\0\n", sizeof(NEW) + 1);
    is_int(newkey_read(&key, path_in(&temp, "k")), EX_DATAERR, "a NUL");
    is_int(temp_said("bmV3"), 0, "no message holds a secret");
    is_int(temp_said("whsec_"), 0, "nor a part of one");
    temp_drop(&temp);
}

/* What a terminal shows of a secret that is typed while it is asked for. */
static void hidden(void)
{
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    const int stdin_copy = dup(STDIN_FILENO);
    struct signature_key key;
    struct termios mode;
    char shown[256] = "";

    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
        temp_die("terminal");
    const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (slave < 0 || dup2(slave, STDIN_FILENO) < 0)
        temp_die("terminal");
    const pid_t typist = fork();
    if (typist == 0) { /* types when the echo is off, as people do when they are asked */
        const int64_t deadline = temp_deadline();
        while (tcgetattr(slave, &mode) == 0 && (mode.c_lflag & ECHO) != 0 && io_now() < deadline)
            temp_pause();
        _exit(write(master, NEW "\n", sizeof(NEW)) != sizeof(NEW));
    }
    is_int(newkey_read(&key, "-"), EX_OK, "a secret from a terminal");
    ok(key.len == new_key.len && memcmp(key.bytes, new_key.bytes, key.len) == 0, "... is read");
    ok(tcgetattr(slave, &mode) == 0 && (mode.c_lflag & ECHO) != 0, "... which then shows again");
    (void)waitpid(typist, NULL, 0);
    (void)fcntl(master, F_SETFL, O_NONBLOCK);
    (void)!read(master, shown, sizeof(shown) - 1);
    ok(strstr(shown, "whsec") == NULL, "... and did not show it");
    (void)dup2(stdin_copy, STDIN_FILENO);
    close(stdin_copy);
    close(slave);
    close(master);
}

int main(void)
{
    const char *why;

    temp_start();
    if (signature_key_parse(&new_key, NEW, strlen(NEW), &why) < 0)
        temp_die(why);
    fault_clear();
    texts();
    refusals();
    kept();
    crashes();
    failures();
    durable();
    created();
    new_keys();
    hidden();
    return done_testing();
}
