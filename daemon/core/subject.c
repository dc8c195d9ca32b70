/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "core/subject.h"

bool subject_is_root(const Subject *subject) {
        return subject->uid == 0 && subject->own_userns;
}

bool subject_has_gid(const Subject *subject, gid_t gid) {
        for (unsigned i = 0; i < subject->n_gids; i++)
                if (subject->gids[i] == gid)
                        return true;

        return false;
}
