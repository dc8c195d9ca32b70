/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One string table per enum: x_to_string() and x_from_string() from one array, which must name every value.
 * x_to_string() of a value that is none asserts; x_from_string() of a string that is none returns -EINVAL.
 */

#include <string.h>

#include "base/macro.h"

#define DECLARE_STRING_TABLE(name, type)                                                                    \
        const char *name##_to_string(type value);                                                           \
        type name##_from_string(const char *s)

#define DEFINE_STRING_TABLE(name, type, max)                                                                \
        static_assert(ELEMENTSOF(name##_table) == (max), #name "_table does not name every value");         \
        const char *name##_to_string(type value) {                                                          \
                assert((int) value >= 0 && (size_t) value < ELEMENTSOF(name##_table));                      \
                assert(name##_table[value]);                                                                \
                return name##_table[value];                                                                 \
        }                                                                                                   \
        type name##_from_string(const char *s) {                                                            \
                for (size_t i = 0; s && i < ELEMENTSOF(name##_table); i++)                                  \
                        if (strcmp(name##_table[i], s) == 0)                                                \
                                return (type) i;                                                            \
                return (type) -EINVAL;                                                                      \
        }                                                                                                   \
        struct _string_table_needs_a_semicolon_
