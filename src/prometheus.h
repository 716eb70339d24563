/* SPDX-License-Identifier: ISC */
/*
 * prometheus: surveys (survey.h) in the text exposition format of Prometheus,
 * version 0.0.4: the samples of a metric together, below its HELP and TYPE.
 *
 * One thread. Failed writes: out_flush() tells.
 */
#ifndef HOOKSPOOL_PROMETHEUS_H
#define HOOKSPOOL_PROMETHEUS_H

#include <stddef.h>
#include <stdio.h>

#include "survey.h"

void prometheus_put(FILE *out, const struct survey *surveys, size_t count);

#endif
