/* SPDX-License-Identifier: ISC */
/*
 * shape: the six headers of a delivery as they came, and in words what is
 * wrong with them: missing, empty, repeated, mixed, malformed, and where.
 * What is accepted is delivery.h's; this says why it was not.
 *
 * Pure; any thread. Values are borrowed from the CGI environment. Texts are
 * printable ASCII whatever a stranger wrote, and hold no signature.
 */
#ifndef HOOKSPOOL_SHAPE_H
#define HOOKSPOOL_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHAPE_ID, SHAPE_TIME, SHAPE_SIGNATURE, SHAPE_FIELDS };
enum { SHAPE_FAMILIES = 2, SHAPE_TEXT = 256 };

/* A header's value without the blanks around it; text is NULL when the header is absent. */
struct shape_value {
    const char *text;
    size_t len;
    unsigned times; /* it stands there */
    bool differs;   /* and not always with this value */
};

struct shape {
    struct shape_value values[SHAPE_FAMILIES][SHAPE_FIELDS]; /* of svix-*, then webhook-* */
    unsigned family; /* the first complete one, else the one that has more */
    bool complete;
    bool mixed;      /* neither is, but each header is there in one of them */
};

void shape_read(struct shape *shape, char *const *envp);

/* A header of the family; where families are mixed, the other's. */
const struct shape_value *shape_value(const struct shape *shape, int field);

/* "svix-id" */
const char *shape_name(unsigned family, int field);

/* What is wrong with which headers are there; false: nothing. */
bool shape_headers_fault(const struct shape *shape, char *const *envp, char text[SHAPE_TEXT]);

/* What is wrong with an id that is there. */
bool shape_id_fault(const struct shape_value *id, char text[SHAPE_TEXT]);

/* What is wrong with a timestamp that is there. `came` tells milliseconds from nonsense. */
bool shape_time_fault(const struct shape_value *time, int64_t came, char text[SHAPE_TEXT]);

#endif
