/* SPDX-License-Identifier: ISC */
/*
 * verdict: what came of a run: its events are acknowledged, or recorded as
 * failed, or offered again in two parts; or nothing is counted against them,
 * because the command could not be run, did not get them, or was ended as we
 * were: by an operator, or with the whole machine.
 *
 * Failures are durable in retry or dead before the cursor moves over their
 * events. One thread. Errors are logged and end the drain (struct offers).
 */
#ifndef HOOKSPOOL_VERDICT_H
#define HOOKSPOOL_VERDICT_H

#include "offer.h"
#include "runner.h"

/* Writes down what came of the part that was run, and runs the next one. */
void verdict_conclude(struct offers *offers, struct offer *offer, struct run_result *result);

#endif
