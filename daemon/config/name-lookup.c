/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>

#include "base/macro.h"
#include "config/name-lookup.h"

/* A group of so many members that its entry is larger than this is a broken directory */
#define ENTRY_MAX (16U * 1024 * 1024)

/* getpwnam(3) lists these as what systems say for "no such name", besides 0 */
static bool is_not_found(int error) {
        return error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

static int user_by_name(const char *name, uid_t *ret) {
        for (size_t size = 1024; size <= ENTRY_MAX; size *= 2) {
                _cleanup_free_ char *buffer = NULL;
                struct passwd entry, *found;
                int error;

                buffer = malloc(size);
                if (!buffer)
                        return -ENOMEM;

                error = getpwnam_r(name, &entry, buffer, size, &found);
                if (error == ERANGE)
                        continue;
                if (error != 0 && !is_not_found(error))
                        return -error;
                if (error != 0 || !found)
                        return -ESRCH;

                *ret = entry.pw_uid;
                return 0;
        }

        return -ERANGE;
}

static int group_by_name(const char *name, gid_t *ret) {
        for (size_t size = 1024; size <= ENTRY_MAX; size *= 2) {
                _cleanup_free_ char *buffer = NULL;
                struct group entry, *found;
                int error;

                buffer = malloc(size);
                if (!buffer)
                        return -ENOMEM;

                error = getgrnam_r(name, &entry, buffer, size, &found);
                if (error == ERANGE)
                        continue;
                if (error != 0 && !is_not_found(error))
                        return -error;
                if (error != 0 || !found)
                        return -ESRCH;

                *ret = entry.gr_gid;
                return 0;
        }

        return -ERANGE;
}

const NameLookup name_lookup_system = {
        .user = user_by_name,
        .group = group_by_name,
};
