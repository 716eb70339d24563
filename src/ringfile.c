/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "ringfile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io.h"
#include "record.h"

static const char magic[8] = "hookinR1";

static_assert(sizeof(struct ringfile) == 32, "no padding, for all of it is hashed");
static_assert((RINGFILE_BYTES - RINGFILE_START) / RINGFILE_SLOTS / 4096 * 4096 >= 2 * KEPT_TEXT,
              "the smallest slot has room for all headers and a body");

struct ringfile ringfile_layout(unsigned slots)
{
    struct ringfile file = {.slots = slots, .next = 1};

    memcpy(file.magic, magic, sizeof(magic));
    file.slot_size = (uint32_t)(RINGFILE_BYTES - RINGFILE_START) / slots / 4096 * 4096;
    return file;
}

/* ---- the lock */

static int try_lock(int fd, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    int result;

    do
        result = fcntl(fd, F_OFD_SETLK, &lock);
    while (result < 0 && errno == EINTR);
    return result;
}

/* Polled, since the form of it that waits knows no deadline. */
int ringfile_lock(int fd, enum ringfile_locking how, int64_t patience)
{
    const int64_t deadline = io_now() + patience;
    struct timespec pause = {.tv_nsec = 20 * 1000};

    while (try_lock(fd, how == RINGFILE_ALONE ? F_WRLCK : F_RDLCK) < 0) {
        if ((errno != EAGAIN && errno != EACCES) || io_now() > deadline)
            return -1;
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < 2 * 1000 * 1000)
            pause.tv_nsec *= 2;
        errno = EAGAIN;
    }
    return 0;
}

void ringfile_unlock(int fd)
{
    (void)try_lock(fd, F_UNLCK);
}

/* ---- reading and writing at a place */

/* Up to len bytes: how many there were before the end of the file, or -1. */
static ssize_t read_at(int fd, void *bytes, size_t len, off_t offset)
{
    size_t got = 0;

    while (got < len) {
        const ssize_t n = pread(fd, (char *)bytes + got, len - got, offset + (off_t)got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

static off_t place(const struct ringfile *file, uint64_t number)
{
    return RINGFILE_START + (off_t)(number % file->slots) * file->slot_size;
}

static uint64_t hash_of(const struct ringfile *file)
{
    return record_hash(&file->slots, sizeof(*file) - offsetof(struct ringfile, slots));
}

int ringfile_read_header(int fd, struct ringfile *file)
{
    const ssize_t got = read_at(fd, file, sizeof(*file), 0);

    if (got < 0)
        return -1;
    return got == (ssize_t)sizeof(*file) && memcmp(file->magic, magic, sizeof(magic)) == 0
        && file->hash == hash_of(file) && file->slots > 0 && file->slots <= RINGFILE_SLOTS
        && file->slot_size >= 2 * KEPT_TEXT && file->slot_size <= RINGFILE_BYTES / file->slots;
}

int ringfile_write_header(int fd, struct ringfile *file)
{
    struct iovec part = {file, sizeof(*file)};

    file->hash = hash_of(file);
    return io_pwritev_all(fd, &part, 1, 0);
}

int ringfile_write(int fd, const struct ringfile *file, uint64_t number, struct kept_head *note,
                   size_t len, const void *body, size_t body_len)
{
    kept_seal(note, number, body, body_len, file->slot_size);
    struct iovec parts[] = {{note, len}, {(void *)body, note->body_len}};

    return io_pwritev_all(fd, parts, note->body_len > 0 ? 2 : 1, place(file, number));
}

uint64_t ringfile_number(int fd, const struct ringfile *file, uint64_t number)
{
    struct kept_head head;

    if (read_at(fd, &head, sizeof(head), place(file, number)) != (ssize_t)sizeof(head)
        || kept_rest(&head, file->slot_size) == 0
        || head.number % file->slots != number % file->slots)
        return 0;
    return head.number;
}

static enum ringfile_slot read_rest(int fd, const struct ringfile *file, unsigned slot,
                                    const struct kept_head *head, struct kept *kept)
{
    const size_t rest = kept_rest(head, file->slot_size);
    char *memory = rest == 0 ? NULL : malloc(sizeof(*head) + rest + 1);

    if (rest == 0)
        return RINGFILE_DAMAGED;
    if (memory == NULL)
        return RINGFILE_FAILED;
    memcpy(memory, head, sizeof(*head));
    const ssize_t got = read_at(fd, memory + sizeof(*head), rest,
                                place(file, slot) + (off_t)sizeof(*head));
    if (got != (ssize_t)rest) {
        free(memory);
        return got < 0 ? RINGFILE_FAILED : RINGFILE_DAMAGED;
    }
    if (kept_read(kept, memory) < 0)
        return errno == ENOMEM ? RINGFILE_FAILED : RINGFILE_DAMAGED;
    if (kept->head->number % file->slots == slot)
        return RINGFILE_KEPT;
    kept_release(kept); /* of another layout */
    return RINGFILE_DAMAGED;
}

enum ringfile_slot ringfile_read(int fd, const struct ringfile *file, unsigned slot,
                                 struct kept *kept)
{
    static const struct kept_head nothing;
    struct kept_head head;

    *kept = (struct kept){0};
    const ssize_t got = read_at(fd, &head, sizeof(head), place(file, slot));
    if (got < 0)
        return RINGFILE_FAILED;
    if (got == 0 || (got == (ssize_t)sizeof(head) && memcmp(&head, &nothing, sizeof(head)) == 0))
        return RINGFILE_EMPTY;
    return got < (ssize_t)sizeof(head) ? RINGFILE_DAMAGED
                                       : read_rest(fd, file, slot, &head, kept);
}

static int compare(const void *a, const void *b)
{
    const uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

    return first < second ? -1 : first > second;
}

uint64_t *ringfile_list(int fd, const struct ringfile *file, size_t *count)
{
    uint64_t *numbers = calloc(file->slots, sizeof(*numbers));

    *count = 0;
    for (unsigned slot = 0; numbers != NULL && slot < file->slots; slot++) {
        const uint64_t number = ringfile_number(fd, file, slot);
        if (number > 0)
            numbers[(*count)++] = number;
    }
    if (numbers != NULL)
        qsort(numbers, *count, sizeof(*numbers), compare);
    return numbers;
}
