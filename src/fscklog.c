/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "fscklog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aside.h"
#include "io.h"
#include "log.h"
#include "logstate.h"
#include "reader.h"

/* The segment at hand, and how far it was read. */
struct walk {
    struct audit *audit;
    segment_visit *visit;
    void *context;
    uint64_t start, next; /* next: UINT64_MAX for the active one */
    uint64_t limit;       /* what is durable of it */
    uint64_t behind;      /* the last line */
    char file[4 + SEGMENT_NAME_SIZE]; /* its name below the spool */
    bool settled_is_line; /* where settled points a line begins, or the log ends */
};

static int fail(const struct walk *walk, const char *operation, const char *name)
{
    const int error = errno;

    log_error("cannot %s '%s/%s': %s", operation, walk->audit->spool.path, name,
              strerror(error));
    audit_failed(walk->audit, error);
    return -1;
}

/* ---- moving aside */

static int lock_appenders(const struct walk *walk)
{
    const int fd = io_openat(walk->audit->spool.log_dir, "lock", O_RDWR | O_NOFOLLOW, 0);

    if (fd >= 0 && flock(fd, LOCK_EX) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return fail(walk, "lock", "log/lock");
}

/* Replaces bytes by blanks and a newline, durably. */
static int blank(struct walk *walk, uint64_t position, size_t len)
{
    const struct spool *spool = &walk->audit->spool;
    const char *name = walk->file + sizeof("log/") - 1;

    const int fd = io_openat(spool->log_dir, name, O_RDWR | O_NOFOLLOW, 0);
    if (fd < 0)
        return fail(walk, "open", walk->file);
    const int lock = lock_appenders(walk);
    int result = lock < 0 ? -1 : 0;
    if (result == 0) {
        result = aside_blank(fd, spool->log_path, walk->start, position, len);
        close(lock);
        /* We wrote the bytes through this descriptor, so it hears if they do not reach the disk. */
        if (result == 0 && io_fdatasync(fd) < 0)
            result = fail(walk, "sync", walk->file);
    }
    close(fd);
    return result;
}

/* Moves damaged bytes of what is durable aside, if the spool is to be repaired: was it done? */
static bool move_aside(struct walk *walk, uint64_t position, const char *text, size_t len)
{
    const struct spool *spool = &walk->audit->spool;

    if (walk->audit->store == NULL)
        return false;
    if (aside_keep(spool->log_dir, spool->log_path, position, text, len) == 0
        && blank(walk, position, len) == 0)
        return true;
    audit_failed(walk->audit, errno);
    return false;
}

/* ---- lines */

static void tell(struct walk *walk, enum flaw_kind kind, uint64_t position, uint64_t len,
                 bool repaired)
{
    const struct flaw flaw = {.kind = kind, .file = walk->file, .placed = true,
                              .position = position, .len = len, .repaired = repaired};

    flaws_add(&walk->audit->flaws, &flaw);
}

static int visit_line(void *context, const struct segment_line *line)
{
    struct walk *walk = context;
    struct audit *audit = walk->audit;

    walk->behind = line->position + line->len;
    walk->settled_is_line |=
        line->position == audit->settled || walk->behind == audit->settled;
    audit->bytes += line->len;
    progress_show(&audit->progress, audit->events, audit->bytes, audit->all);
    if (!line->damaged) {
        audit->events++;
        return walk->visit(walk->context, line);
    }
    if (reader_blank(line))
        tell(walk, FLAW_BLANK_LINE, line->position, line->len, false);
    else
        tell(walk, FLAW_DAMAGED_LINE, line->position, line->len,
             move_aside(walk, line->position, line->text, line->len));
    return 0;
}

/* ---- segments */

static bool was_noted(const struct walk *walk, uint64_t position)
{
    char name[ASIDE_NAME];

    aside_name(name, position);
    return faccessat(walk->audit->spool.log_dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Bytes behind the last newline, as many as belong to the segment. */
static int check_unfinished(struct walk *walk, int fd, uint64_t end)
{
    const size_t len = (size_t)(end - walk->behind);
    char *text = malloc(len);
    ssize_t got = text == NULL ? -1 : pread(fd, text, len, (off_t)(walk->behind - walk->start));

    if (got >= 0 && (size_t)got < len)
        errno = EIO;
    if (got < 0 || (size_t)got < len) {
        free(text);
        return fail(walk, "read", walk->file);
    }
    tell(walk, FLAW_UNFINISHED_LINE, walk->behind, len,
         move_aside(walk, walk->behind, text, len));
    free(text);
    return 0;
}

/* Bytes that are not there: an empty file beside the segment says that it is known. */
static void check_missing(struct walk *walk, uint64_t end, uint64_t next)
{
    struct audit *audit = walk->audit;
    bool noted = false;

    if (was_noted(walk, end)) {
        tell(walk, FLAW_LOST_BYTES, end, next - end, false);
        return;
    }
    if (audit->store != NULL) {
        noted = aside_keep(audit->spool.log_dir, audit->spool.log_path, end, NULL, 0) == 0;
        if (!noted)
            audit_failed(audit, errno);
    }
    tell(walk, FLAW_MISSING_BYTES, end, next - end, noted);
}

/* What stands behind the lines that were read, and what does not. */
static int check_end(struct walk *walk, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return fail(walk, "stat", walk->file);
    const uint64_t file_end = walk->start + (uint64_t)st.st_size;
    const bool active = walk->next == UINT64_MAX; /* ends for us where it is durable */
    const uint64_t end = file_end < walk->limit ? file_end : walk->limit;
    if (walk->behind < end && check_unfinished(walk, fd, end) < 0)
        return -1;
    if (file_end < walk->limit)
        check_missing(walk, file_end, walk->limit);
    if (file_end > walk->limit && !active)
        tell(walk, FLAW_GIVEN_UP, walk->limit, file_end - walk->limit, false);
    if (file_end > walk->limit && active && !walk->audit->live)
        tell(walk, FLAW_TAIL, walk->limit, file_end - walk->limit, false);
    return 0;
}

/* 1; 0: it was purged meanwhile, or is no file; -1. *fd is open only with 1. */
static int open_segment(struct walk *walk, int *fd)
{
    const char *name = walk->file + sizeof("log/") - 1;
    struct stat st;
    uint64_t begin;

    *fd = io_openat(walk->audit->spool.log_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (*fd >= 0 && fstat(*fd, &st) == 0 && S_ISREG(st.st_mode))
        return 1;
    const int error = errno;
    if (*fd >= 0 || error == ELOOP) {
        if (*fd >= 0)
            close(*fd);
        flaws_add(&walk->audit->flaws,
                  &(struct flaw){.kind = FLAW_NO_FILE, .file = walk->file});
        return 0;
    }
    if (error == ENOENT && spool_begin(&walk->audit->spool, &begin) == 0 && begin > walk->start)
        return 0;
    errno = error;
    return fail(walk, "open", walk->file);
}

static int check_segment(struct walk *walk)
{
    const struct spool *spool = &walk->audit->spool;
    int fd;

    snprintf(walk->file, sizeof(walk->file), "log/%020" PRIu64 ".ndjson", walk->start);
    walk->behind = walk->start;
    walk->settled_is_line |= walk->start == walk->audit->settled;
    const int opened = open_segment(walk, &fd);
    if (opened <= 0)
        return opened;
    walk->audit->segments++;
    int result = segment_scan(spool->log_dir, spool->log_path, walk->start, walk->limit,
                              visit_line, walk);
    if (result < 0)
        audit_failed(walk->audit, errno);
    if (result == 0)
        result = check_end(walk, fd);
    close(fd);
    return result == 0 ? 0 : -1;
}

void fscklog_run(struct audit *audit, segment_visit *visit, void *context)
{
    struct walk walk = {.audit = audit, .visit = visit, .context = context};
    struct segment_list list;

    audit->segments = audit->events = audit->bytes = 0;
    if (segment_list_read(&list, audit->spool.log_dir, audit->spool.log_path) < 0) {
        audit_failed(audit, errno);
        return;
    }
    int result = 0;
    for (size_t i = 0; i < list.count && result == 0; i++) {
        walk.start = list.starts[i];
        walk.next = i + 1 < list.count ? list.starts[i + 1] : UINT64_MAX;
        walk.limit = walk.next < audit->end ? walk.next : audit->end;
        if (walk.start <= audit->end)
            result = check_segment(&walk);
    }
    segment_list_release(&list);
    progress_wipe(&audit->progress);
    /* Before the log begins is as good a place, and so is its end. */
    if (result == 0 && audit->settled > audit->begin && audit->settled != audit->end
        && !walk.settled_is_line)
        audit->bad_settled = true;
}

/* ---- names */

static bool is_ours(const char *name)
{
    static const char *const kinds[] = {".ndjson", ".damaged", ".summary", ".summary.new"};
    static const char *const names[] = {".", "..", "lock", "state", "next", "damaged.new"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strspn(name, "0123456789") == 20 && strcmp(name + 20, kinds[i]) == 0)
            return true;
    }
    return false;
}

void fscklog_names(struct audit *audit)
{
    const int fd = io_openat(audit->spool.log_dir, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    char file[4 + NAME_MAX + 1];

    if (stream == NULL) {
        log_error("cannot read directory '%s': %s", audit->spool.log_path, strerror(errno));
        audit_failed(audit, errno);
        return;
    }
    while ((entry = readdir(stream)) != NULL) {
        snprintf(file, sizeof(file), "log/%s", entry->d_name);
        if (!is_ours(entry->d_name))
            flaws_add(&audit->flaws, &(struct flaw){.kind = FLAW_UNKNOWN_FILE, .file = file});
    }
    closedir(stream);
}

/* ---- the state */

bool fscklog_state(struct audit *audit)
{
    const struct spool *spool = &audit->spool;
    struct logstate_page page;
    uint64_t last;

    const int known = logstate_look(spool->log_dir, spool->log_path, &page);
    if (known <= 0) { /* after a boot it says nothing */
        if (known < 0 && errno != EWOULDBLOCK) /* else it is told when the end is looked for */
            audit_failed(audit, errno);
        return true;
    }
    if (page.active <= page.synced && page.synced <= page.written
        && segment_holding(spool->log_dir, spool->log_path, page.synced, &last) == 0
        && (last == page.active || page.closing != 0 || page.opened != page.cuts))
        return true;
    /* A segment may have been closed since: then the page says so, too. */
    struct logstate_page again;
    if (logstate_look(spool->log_dir, spool->log_path, &again) > 0 && again.active != page.active)
        return true;
    return false;
}
