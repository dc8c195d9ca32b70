/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "expand.h"
#include "names.h"

/* What names of devices, and thereby roles, are written with */
#define ROLE_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:._-+@,#()"

#define DEVICE_WORD "device"

/* The length of the role in "{role}" at @s, or 0 when there is no such thing */
static size_t role_length(const char *s) {
        size_t n;

        if (*s != '{')
                return 0;

        n = strspn(s + 1, ROLE_CHARACTERS);
        return s[1 + n] == '}' ? n : 0;
}

/* Whether somebody who wrote {role} meant us, even if there is no such role */
static bool role_is_ours(const char *role) {
        static const char *const words[] = { IOMMUD_FD_LIFELINE, IOMMUD_FD_IOMMUFD, DEVICE_WORD };
        size_t n = strcspn(role, ":");

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strlen(words[i]) == n && strncmp(role, words[i], n) == 0)
                        return true;

        return false;
}

static int find_role(const char *const *roles, const char *role) {
        for (int i = 0; roles[i]; i++)
                if (strcmp(roles[i], role) == 0)
                        return i;

        return -ENOENT;
}

static bool role_is_device(const char *role) {
        return strncmp(role, IOMMUD_FD_DEVICE_PREFIX, strlen(IOMMUD_FD_DEVICE_PREFIX)) == 0;
}

/* The @n-th of the roles that are devices */
static int find_nth_device(const char *const *roles, uint32_t n) {
        for (int i = 0; roles[i]; i++)
                if (role_is_device(roles[i]) && n-- == 0)
                        return i;

        return -ENOENT;
}

/* The index in @roles that {@role} stands for */
static int resolve(const char *const *roles, const char *role) {
        char address[PCI_ADDRESS_MAX], canonical[sizeof(IOMMUD_FD_DEVICE_PREFIX) + PCI_ADDRESS_MAX];
        const char *device;
        uint32_t n;
        int r;

        r = find_role(roles, role);
        if (r >= 0)
                return r;

        if (!role_is_device(role))
                return -ENOENT;

        device = role + strlen(IOMMUD_FD_DEVICE_PREFIX);
        if (parse_u32(device, &n) == 0)
                return find_nth_device(roles, n);
        if (parse_pci_address(device, address) < 0)
                return -ENOENT;

        (void) snprintf(canonical, sizeof(canonical), IOMMUD_FD_DEVICE_PREFIX "%s", address);
        return find_role(roles, canonical);
}

/* Writes what "{role}" of @length at @s stands for; itself, if it is not ours */
static int expand_one(
                FILE *to,
                const char *s,
                size_t length,
                const char *const *roles,
                char **reterr_unknown) {

        _cleanup_free_ char *role = NULL;
        int i;

        role = strndup(s + 1, length);
        if (!role)
                return -ENOMEM;

        i = resolve(roles, role);
        if (i >= 0)
                fprintf(to, "%d", EXPAND_FIRST_FD + i);
        else if (role_is_ours(role)) {
                *reterr_unknown = strndup(s, length + 2);
                return *reterr_unknown ? -ENOENT : -ENOMEM;
        } else
                fprintf(to, "{%s}", role);

        return 0;
}

int expand(const char *argument, const char *const *roles, char **ret, char **reterr_unknown) {
        _cleanup_free_ char *expanded = NULL;
        size_t size;
        FILE *to;
        int r = 0;

        to = open_memstream(&expanded, &size);
        if (!to)
                return -ENOMEM;

        for (const char *s = argument; *s && r == 0;) {
                size_t length = role_length(s);

                if (length > 0) {
                        r = expand_one(to, s, length, roles, reterr_unknown);
                        s += length + 2;
                } else
                        fputc(*s++, to);
        }

        if (fclose(to) != 0 && r == 0)
                r = -ENOMEM;
        if (r < 0)
                return r;

        *ret = TAKE_PTR(expanded);
        return 0;
}
