/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "cli.h"
#include "text-list.h"

char *join_strings(const char *const *strings, const char *separator) {
        char *joined = need(strdup(""));

        for (size_t i = 0; strings[i]; i++) {
                _cleanup_free_ char *before = joined;

                joined = print_string("%s%s%s", before, i > 0 ? separator : "", strings[i]);
        }

        return joined;
}

char *join_numbers(const uint32_t *numbers, size_t n_numbers, const char *separator) {
        char *joined = need(strdup(""));

        for (size_t i = 0; i < n_numbers; i++) {
                _cleanup_free_ char *before = joined;

                joined = print_string("%s%s%u", before, i > 0 ? separator : "", numbers[i]);
        }

        return joined;
}
