/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "mend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "durable.h"
#include "io.h"
#include "journal.h"
#include "log.h"

struct mend {
    struct audit *audit;
    const char *file; /* below the spool */
    int aside;        /* NAME.damaged; -1: only tells */
    off_t end;        /* of that */
    uint64_t count;
    bool failed;
};

static int keep_line(struct mend *mend, const char *line, size_t len)
{
    struct iovec part = {.iov_base = (char *)line, .iov_len = len};

    if (io_pwritev_all(mend->aside, &part, 1, mend->end) < 0)
        return -1;
    mend->end += (off_t)len;
    return 0;
}

static int look(void *context, const char *line, size_t len, uint64_t offset, bool proven)
{
    struct mend *mend = context;

    if (proven)
        return 0;
    mend->count++;
    if (mend->aside >= 0 && keep_line(mend, line, len) < 0) {
        mend->failed = true;
        return 1;
    }
    flaws_add(&mend->audit->flaws,
              &(struct flaw){.kind = FLAW_JOURNAL_LINE, .file = mend->file, .placed = true,
                             .position = offset, .len = len, .repaired = mend->aside >= 0});
    return 0;
}

static bool is_proven(void *context, const char *line, size_t len, uint64_t offset, bool proven)
{
    (void)context, (void)line, (void)len, (void)offset;
    return proven;
}

static int ignore(void *context, const char *line, size_t len, uint64_t offset, bool proven)
{
    *(uint64_t *)context += !proven;
    (void)line, (void)len, (void)offset;
    return 0;
}

/* Copies the damaged lines, then drops them. */
static int move(struct mend *mend, struct journal *journal, int dir, const char *path,
                const char *name)
{
    char aside[64];
    struct stat st;

    snprintf(aside, sizeof(aside), "%s.damaged", name);
    mend->aside = durable_open(dir, path, aside, O_RDWR | O_CREAT);
    if (mend->aside < 0 || fstat(mend->aside, &st) < 0)
        return -1;
    mend->end = st.st_size;
    journal->end = 0;
    int result = journal_scan(journal, look, mend) == 0 ? 0 : -1;
    if (result == 0 && (io_fsync(mend->aside) < 0 || io_fsync(dir) < 0)) {
        log_error("cannot sync '%s/%s': %s", path, aside, strerror(errno));
        result = -1;
    }
    if (result == 0)
        result = journal_rewrite(journal, is_proven, NULL);
    close(mend->aside);
    return result;
}

void mend_journal(struct audit *audit, int dir, const char *directory, const char *name)
{
    char file[128], path[4096];
    struct mend mend = {.audit = audit, .file = file, .aside = -1};
    struct journal journal;
    uint64_t damaged = 0;

    snprintf(file, sizeof(file), "%s/%s", directory, name);
    snprintf(path, sizeof(path), "%s/%s", audit->spool.path, directory);
    if (journal_open(&journal, dir, path, name, false) < 0) {
        audit_failed(audit, errno);
        return;
    }
    int result = journal_scan(&journal, ignore, &damaged);
    if (result == 0 && damaged > 0 && audit->store == NULL) {
        journal.end = 0;
        result = journal_scan(&journal, look, &mend);
    } else if (result == 0 && damaged > 0) {
        result = move(&mend, &journal, dir, path, name);
    }
    if (result != 0)
        audit_failed(audit, errno);
    journal_close(&journal);
}
