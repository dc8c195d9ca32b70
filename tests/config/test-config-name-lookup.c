/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/macro.h"
#include "config/name-lookup.h"

int main(void) {
        uid_t uid = 4711;
        gid_t gid = 4711;

        /* No host is without these two */
        assert(name_lookup_system.user("root", &uid) == 0 && uid == 0);
        assert(name_lookup_system.group("root", &gid) == 0 && gid == 0);

        uid = 4711;
        gid = 4711;
        assert(name_lookup_system.user("no-such-user-of-iommud", &uid) == -ESRCH && uid == 4711);
        assert(name_lookup_system.group("no-such-group-of-iommud", &gid) == -ESRCH && gid == 4711);
        assert(name_lookup_system.user("", &uid) == -ESRCH);
        assert(name_lookup_system.group("", &gid) == -ESRCH);
        return 0;
}
