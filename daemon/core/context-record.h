/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The part of a lease's record that is about its context: one line for each thing in it, each made of words
 * KEY=VALUE like all others of the record. They come after the lines of the devices.
 */

#include <stdio.h>

#include "core/lease.h"

void context_record_write(const Lease *lease, FILE *f);

/* Whether a line is one of these; reads one, which is taken apart. Returns 0, -EBADMSG or -ENOMEM. */
bool context_record_has(const char *line);
int context_record_read(Lease *lease, char *line) _must_check_;
