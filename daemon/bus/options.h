/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reads an a{sv} of options by a table. A key that is not in it is refused, and so is a value of another
 * type.
 */

#include <systemd/sd-bus.h>

#include "core/refusal.h"

typedef struct Option {
        const char *key;
        const char *type;                    /* D-Bus signature */
        /* of a basic type: where in the target the bool, uint32_t, uint64_t or const char * is */
        size_t offset;
        /* of any other, and of a basic one that needs more: reads the contents of the variant */
        int (*read)(sd_bus_message *message, void *target, Refusal *reterr);
} Option;

/*
 * Returns 0; a positive Outcome with *reterr; or a negative errno. Strings are the message's. The table ends
 * with a NULL key.
 */
int options_read(sd_bus_message *message, const Option *options, void *target, Refusal *reterr) _must_check_;

/* The contents of an option "data": 1 to @size bytes, into @buffer. */
int option_read_data(sd_bus_message *message, void *buffer, size_t size, uint32_t *ret_length,
                     Refusal *reterr) _must_check_;

/* The contents of an option "mode". */
int option_read_mode(sd_bus_message *message, Mode *ret, Refusal *reterr) _must_check_;
