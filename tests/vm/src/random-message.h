/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Arguments at random: of the right types with the wrong values, of nearly the right types, of any types.
 * The same seed makes the same messages.
 */

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-bus.h>

typedef struct Random {
        uint32_t state;                         /* not 0 */
        const char *const *words;               /* strings that may mean something; borrowed */
        unsigned n_words;
        int fd;                                 /* what is sent where a descriptor is; borrowed */
} Random;

uint32_t random_next(Random *random);
unsigned random_below(Random *random, unsigned n);

/* Room for the types of a message here. */
#define RANDOM_TYPES_MAX 64

/*
 * Appends arguments to a call of a method that takes @types. Returns 1 when what was appended has these
 * types, 0 when not, or a negative errno.
 */
int random_append_arguments(Random *random, sd_bus_message *m, const char *types);
