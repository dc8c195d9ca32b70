/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "bus/cgroup-unit.h"

static bool ends_with(const char *s, size_t length, const char *suffix) {
        size_t n = strlen(suffix);

        return length > n && strncmp(s + length - n, suffix, n) == 0;
}

/* Those that have processes. */
static bool is_unit(const char *s, size_t length) {
        static const char *const suffixes[] = { ".service", ".scope", ".mount", ".swap", ".socket" };

        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++)
                if (ends_with(s, length, suffixes[i]))
                        return true;

        return false;
}

/* Slices contain units; what is below a unit is the unit's own. */
void cgroup_get_unit(const char *cgroup, char *ret, size_t size) {
        size_t length;

        ret[0] = '\0';
        for (const char *s = cgroup; *s; s += length) {
                s += strspn(s, "/");
                length = strcspn(s, "/");
                if (ends_with(s, length, ".slice"))
                        continue;

                /* an underscore in front keeps names apart from those of the kernel's own files */
                if (s[0] == '_') {
                        s++;
                        length--;
                }
                if (is_unit(s, length) && length < size)
                        snprintf(ret, size, "%.*s", (int) length, s);
                return;
        }
}
