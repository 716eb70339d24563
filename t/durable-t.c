/* SPDX-License-Identifier: ISC */
/* Files that are replaced whole: the old one or the new one, whatever was left beside them. */
#include "autoconf.h"

#include "durable.h"

#include "tap.h"
#include "temp.h"

static void holds(const struct temp *temp, const char *want, const char *what)
{
    size_t len;
    char *text = temp_get(temp->dir, "file", &len);

    is_str(text, want, "%s", what);
    free(text);
}

static int replace(const struct temp *temp, const char *text)
{
    struct iovec part = {.iov_base = (char *)text, .iov_len = strlen(text)};

    return durable_replace(temp->dir, temp->path, "file", &part, 1);
}

static void replaces(void)
{
    struct temp temp;

    temp_make(&temp);
    is_int(replace(&temp, "one"), 0, "a file is made");
    holds(&temp, "one", "of what was given");
    temp_put(temp.dir, "file.new", "half of anoth", 13);
    is_int(replace(&temp, "two"), 0, "it is replaced, although somebody died while he did that");
    holds(&temp, "two", "whole");
    is_int(temp_size(temp.dir, "file.new"), -1, "and nothing is left beside it");
    temp_drop(&temp);
}

/* A file system without a journal may have done one half of a rename when the power went. */
static void two_names(void)
{
    struct temp temp;

    temp_make(&temp);
    is_int(replace(&temp, "one"), 0, "a file is made");
    if (linkat(temp.dir, "file", temp.dir, "file.new", 0) < 0)
        temp_die("link");
    const int fd = durable_begin(temp.dir, temp.path, "file");
    ok(fd >= 0, "a new one is begun where a power cut has left the old one a second name");
    holds(&temp, "one", "the old one stays what it is");
    if (write(fd, "two", 3) != 3)
        temp_die("write");
    is_int(durable_commit(temp.dir, temp.path, "file", fd), 0, "until it is replaced");
    holds(&temp, "two", "by the new one");
    close(fd);
    temp_drop(&temp);
}

static void failures(void)
{
    static const enum io_op ops[] = {IO_UNLINK, IO_OPEN, IO_WRITE, IO_FSYNC, IO_RENAME};
    struct temp temp;

    temp_make(&temp);
    is_int(replace(&temp, "one"), 0, "a file is made");
    for (size_t i = 0; i < COUNT(ops); i++) {
        fault_clear();
        fault_set(ops[i], 0, 1, EIO);
        is_int(replace(&temp, "two"), -1, "call %zu fails", i);
        fault_clear();
        is_int(temp_said("Input/output error"), (int)i + 1, "it is said");
        holds(&temp, "one", "and the file is what it was");
    }
    temp_drop(&temp);
}

int main(void)
{
    temp_start();
    replaces();
    two_names();
    failures();
    return done_testing();
}
