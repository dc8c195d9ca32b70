/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* "a b c"; "" for an empty list. */
char *join_strings(const char *const *strings, const char *separator);
char *join_numbers(const uint32_t *numbers, size_t n_numbers, const char *separator);
