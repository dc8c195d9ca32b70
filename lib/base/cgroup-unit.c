/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cgroup-unit.h"
#include "base/macro.h"

/* The name of a group, in its path; without an end of its own. */
typedef struct Part {
        const char *name;
        size_t length;                       /* 0: there is none */
} Part;

/* Takes the next one off the path. */
static Part next_part(const char **path) {
        Part part;

        part.name = *path + strspn(*path, "/");
        part.length = strcspn(part.name, "/");
        *path = part.name + part.length;

        /* an underscore in front keeps names apart from those of the kernel's own files */
        if (part.name[0] == '_') {
                part.name++;
                part.length--;
        }

        return part;
}

static bool part_ends_with(Part part, const char *suffix) {
        size_t n = strlen(suffix);

        return part.length > n && strncmp(part.name + part.length - n, suffix, n) == 0;
}

static void part_copy(Part part, char *ret, size_t size) {
        ret[0] = '\0';
        if (part.length < size)
                snprintf(ret, size, "%.*s", (int) part.length, part.name);
}

/* Those that have processes. */
static bool part_is_unit(Part part) {
        static const char *const suffixes[] = { ".service", ".scope", ".mount", ".swap", ".socket" };

        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++)
                if (part_ends_with(part, suffixes[i]))
                        return true;

        return false;
}

void cgroup_get_unit(const char *cgroup, char *ret, size_t size) {
        Part part;

        /* slices contain units; what is below a unit is the unit's own */
        do
                part = next_part(&cgroup);
        while (part_ends_with(part, ".slice"));

        ret[0] = '\0';
        if (part_is_unit(part))
                part_copy(part, ret, size);
}

void cgroup_get_slice(const char *cgroup, char *ret, size_t size) {
        static const char root[] = "-.slice";
        Part slice = { root, strlen(root) }, part;

        while (part = next_part(&cgroup), part_ends_with(part, ".slice"))
                slice = part;

        part_copy(slice, ret, size);
}
