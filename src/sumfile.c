/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "sumfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "durable.h"
#include "io.h"

static const char magic[8] = "hooksum1";

/*
 * The file: the head and the types; the pieces and the rows; the ids. Each of
 * the three parts ends in its XXH3-64.
 */
struct head {
    char magic[8];
    uint64_t from, to, events, bytes;
    int64_t first, last;
    uint64_t damaged;
    uint32_t type_count, piece_count, row_count, id_blocks;
};

enum { HASH = sizeof(uint64_t), FIRST_READ = 4096 };

void sumfile_name(char name[SUMFILE_NAME_SIZE], uint64_t start)
{
    snprintf(name, SUMFILE_NAME_SIZE, "%020" PRIu64 ".summary", start);
}

static size_t types_bytes(const struct head *head)
{
    return head->type_count * sizeof(struct summary_type);
}

static size_t pieces_bytes(const struct head *head)
{
    return head->piece_count * sizeof(struct summary_piece)
         + head->row_count * sizeof(struct summary_row);
}

static size_t ids_bytes(const struct head *head)
{
    return (size_t)head->id_blocks * IDSET_BLOCK;
}

static size_t all_bytes(const struct head *head)
{
    return sizeof(*head) + types_bytes(head) + pieces_bytes(head) + ids_bytes(head) + 3 * HASH;
}

/* ---- reading */

static bool read_all(int fd, void *out, size_t len, uint64_t at)
{
    size_t done = 0;

    while (done < len) {
        const ssize_t got = pread(fd, (char *)out + done, len - done, (off_t)(at + done));
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

/* Do these bytes end in their own hash? */
static bool proven(const char *bytes, size_t len)
{
    uint64_t hash;

    memcpy(&hash, bytes + len - HASH, HASH);
    return record_hash(bytes, len - HASH) == hash;
}

/* The next part of the file, len bytes and their hash; NULL: it does not prove itself. */
static char *read_part(const struct sumfile *file, size_t len, uint64_t at)
{
    char *bytes = malloc(len + HASH);

    if (bytes != NULL && read_all(file->fd, bytes, len + HASH, at) && proven(bytes, len + HASH))
        return bytes;
    free(bytes);
    return NULL;
}

/* Numbers that no summary of this extent has would ask for any amount of memory. */
static bool is_sane(const struct head *head, uint64_t from, uint64_t to, uint64_t size)
{
    return memcmp(head->magic, magic, sizeof(magic)) == 0 && head->from == from && head->to == to
        && head->type_count <= SUMMARY_TYPES + 1 && head->piece_count <= size
        && head->row_count <= size && head->id_blocks <= size && head->id_blocks > 0
        && (head->id_blocks & (head->id_blocks - 1)) == 0 && all_bytes(head) == size;
}

static bool is_not_older(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec >= b->tv_nsec);
}

/* Is the file of the segment as it is now? Its size, or 0. */
static uint64_t fitting_size(const struct sumfile *file, int dir, uint64_t from)
{
    char name[SEGMENT_NAME_SIZE];
    struct stat segment, summary;

    segment_name(name, from);
    if (fstat(file->fd, &summary) < 0 || !S_ISREG(summary.st_mode)
        || fstatat(dir, name, &segment, AT_SYMLINK_NOFOLLOW) < 0
        || !is_not_older(&summary.st_mtim, &segment.st_mtim))
        return 0;
    return (uint64_t)summary.st_size;
}

static bool take_head(struct sumfile *file, const char *bytes)
{
    struct summary *summary = &file->summary;
    struct head head;

    memcpy(&head, bytes, sizeof(head));
    *summary = (struct summary){
        .from = head.from, .to = head.to, .events = head.events, .bytes = head.bytes,
        .first = head.first, .last = head.last, .damaged = head.damaged,
        .type_count = head.type_count, .piece_count = head.piece_count,
        .row_count = head.row_count, .ids = {.blocks = head.id_blocks}};
    summary->types = malloc(types_bytes(&head) + 1);
    if (summary->types == NULL)
        return false;
    memcpy(summary->types, bytes + sizeof(head), types_bytes(&head));
    for (uint32_t i = 0; i < head.type_count; i++)
        summary->types[i].name[EVENT_TYPE_MAX] = '\0';
    file->at = sizeof(head) + types_bytes(&head) + HASH;
    return true;
}

static bool read_head(struct sumfile *file, uint64_t from, uint64_t to, uint64_t size)
{
    union {
        char bytes[FIRST_READ];
        struct head head;
    } first; /* in one read, as a rule */
    const size_t at_once = size < sizeof(first) ? (size_t)size : sizeof(first);

    if (size < sizeof(first.head) || !read_all(file->fd, first.bytes, at_once, 0)
        || !is_sane(&first.head, from, to, size))
        return false;
    const size_t len = sizeof(first.head) + types_bytes(&first.head);
    if (len + HASH <= at_once)
        return proven(first.bytes, len + HASH) && take_head(file, first.bytes);
    char *bytes = read_part(file, len, 0);
    const bool taken = bytes != NULL && take_head(file, bytes);
    free(bytes);
    return taken;
}

int sumfile_open(struct sumfile *file, int dir, uint64_t from, uint64_t to)
{
    char name[SUMFILE_NAME_SIZE];

    *file = SUMFILE_NONE;
    sumfile_name(name, from);
    file->fd = io_openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (file->fd < 0)
        return 0;
    const uint64_t size = fitting_size(file, dir, from);
    if (size > 0 && read_head(file, from, to, size))
        return 1;
    sumfile_close(file);
    return 0;
}

void sumfile_close(struct sumfile *file)
{
    if (file->fd >= 0)
        close(file->fd);
    summary_release(&file->summary);
    *file = SUMFILE_NONE;
}

static struct head head_of(const struct summary *summary)
{
    struct head head = {
        .from = summary->from, .to = summary->to, .events = summary->events,
        .bytes = summary->bytes, .first = summary->first, .last = summary->last,
        .damaged = summary->damaged, .type_count = summary->type_count,
        .piece_count = summary->piece_count, .row_count = summary->row_count,
        .id_blocks = (uint32_t)summary->ids.blocks};

    memcpy(head.magic, magic, sizeof(magic));
    return head;
}

/* Nothing in the pieces points out of the tables. */
static bool is_whole(const struct summary *summary)
{
    for (uint32_t i = 0; i < summary->piece_count; i++) {
        const struct summary_piece *piece = &summary->pieces[i];
        if (piece->row > summary->row_count || piece->rows > summary->row_count - piece->row)
            return false;
    }
    for (uint32_t i = 0; i < summary->row_count; i++) {
        if (summary->rows[i].type >= summary->type_count)
            return false;
    }
    return true;
}

int sumfile_pieces(struct sumfile *file)
{
    struct summary *summary = &file->summary;
    const struct head head = head_of(summary);
    const size_t len = head.piece_count * sizeof(*summary->pieces);

    if (summary->pieces != NULL)
        return 1;
    char *bytes = read_part(file, pieces_bytes(&head), file->at);
    if (bytes == NULL)
        return 0;
    summary->pieces = malloc(len + 1);
    summary->rows = malloc(pieces_bytes(&head) - len + 1);
    bool taken = summary->pieces != NULL && summary->rows != NULL;
    if (taken) {
        memcpy(summary->pieces, bytes, len);
        memcpy(summary->rows, bytes + len, pieces_bytes(&head) - len);
        taken = is_whole(summary);
    }
    if (!taken) {
        free(summary->pieces);
        free(summary->rows);
        summary->pieces = NULL;
        summary->rows = NULL;
    }
    free(bytes);
    return taken;
}

int sumfile_ids(struct sumfile *file)
{
    struct summary *summary = &file->summary;
    const struct head head = head_of(summary);

    if (summary->ids.words == NULL)
        summary->ids.words = (uint64_t *)(void *)read_part(
            file, ids_bytes(&head), file->at + pieces_bytes(&head) + HASH);
    return summary->ids.words != NULL;
}

/* ---- writing */

/*
 * Two who write the same one at once write the same bytes to the same places,
 * for they are a function of the segment.
 */
static void write_file(int dir, const char *name, void *bytes, size_t len, uint64_t start)
{
    char temporary[SUMFILE_NAME_SIZE + 8], segment[SEGMENT_NAME_SIZE];
    struct iovec part = {.iov_base = bytes, .iov_len = len};

    snprintf(temporary, sizeof(temporary), "%s.new", name);
    const int fd = io_openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return;
    const bool written = durable_give_away(dir, fd) == 0 && io_pwritev_all(fd, &part, 1, 0) == 0
                      && io_renameat(dir, temporary, name) == 0;
    close(fd);
    if (!written)
        (void)io_unlinkat(dir, temporary);
    segment_name(segment, start);
    if (written && faccessat(dir, segment, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
        (void)io_unlinkat(dir, name); /* it was purged meanwhile */
}

static char *put(char *at, const void *bytes, size_t len)
{
    return len > 0 ? (char *)memcpy(at, bytes, len) + len : at;
}

/* Ends a part. */
static char *put_hash(char *at, const char *begin)
{
    const uint64_t hash = record_hash(begin, (size_t)(at - begin));

    return put(at, &hash, HASH);
}

void sumfile_write(const struct summary *summary, int dir)
{
    const struct head head = head_of(summary);
    char name[SUMFILE_NAME_SIZE];

    char *bytes = malloc(all_bytes(&head));
    if (bytes == NULL)
        return;
    char *types = put(bytes, &head, sizeof(head));
    char *pieces = put_hash(put(types, summary->types, types_bytes(&head)), bytes);
    char *rows = put(pieces, summary->pieces, head.piece_count * sizeof(*summary->pieces));
    char *end = put(rows, summary->rows, head.row_count * sizeof(*summary->rows));
    char *ids = put_hash(end, pieces);
    (void)put_hash(put(ids, summary->ids.words, ids_bytes(&head)), ids);
    sumfile_name(name, summary->from);
    write_file(dir, name, bytes, all_bytes(&head), summary->from);
    free(bytes);
}
