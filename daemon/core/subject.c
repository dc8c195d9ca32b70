/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "core/subject.h"

bool subject_is_root(const Subject *subject) {
        return subject->uid == 0 && subject->own_userns;
}

const char *subject_root_doubt(const Subject *subject) {
        if (subject->uid != 0 || subject->own_userns)
                return "";

        return ": this uid 0 was not proved to be this host's root. Root in a container is not; and the bus "
               "must hand out process descriptors (dbus 1.15.8, dbus-broker 34, Linux 6.5)";
}

bool subject_has_gid(const Subject *subject, gid_t gid) {
        for (unsigned i = 0; i < subject->n_gids; i++)
                if (subject->gids[i] == gid)
                        return true;

        return false;
}
