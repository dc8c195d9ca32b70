/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdbool.h>
#include <string.h>

#include "base/cgroup-unit.h"
#include "bus/unit-end.h"

static bool ends_with(const char *s, const char *suffix) {
        size_t length = strlen(s), n = strlen(suffix);

        return length > n && strcmp(s + length - n, suffix) == 0;
}

static bool starts_with(const char *s, const char *prefix) {
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

/*
 * What a descriptor can get into without anybody there having asked for it: the service manager keeps those
 * of its services, a bus those that are on their way, the host's own services what is sent to them.
 */
static bool unit_is_of_host(const char *unit) {
        return strcmp(unit, "init.scope") == 0 || strcmp(unit, "dbus.service") == 0 ||
               strcmp(unit, "dbus-broker.service") == 0 ||
               (starts_with(unit, "systemd-") && !starts_with(unit, "systemd-nspawn@"));
}

UnitEnd cgroup_get_end(const char *cgroup, const char *own) {
        char unit[256], ours[256];

        cgroup_get_unit(cgroup, unit, sizeof(unit));
        cgroup_get_unit(own, ours, sizeof(ours));

        if (unit_is_of_host(unit) || (unit[0] && strcmp(unit, ours) == 0))
                return UNIT_END_NOT;

        /* the manager of a user's units, too, keeps descriptors; the units that it has are a person's */
        if (starts_with(unit, "user@"))
                return ends_with(cgroup, "/init.scope") ? UNIT_END_NOT : UNIT_END_PROCESS;
        if (starts_with(unit, "session-"))
                return UNIT_END_PROCESS;

        return ends_with(unit, ".service") || ends_with(unit, ".scope") ? UNIT_END_UNIT
                                                                                        : UNIT_END_PROCESS;
}
