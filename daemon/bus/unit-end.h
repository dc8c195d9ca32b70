/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a process that has a device open is ended. */
typedef enum UnitEnd {
        UNIT_END_NOT,                        /* not at all: the host would suffer, or we are it */
        UNIT_END_PROCESS,                    /* it alone: its unit is a person's, or there is none */
        UNIT_END_UNIT,                       /* with its whole unit */
} UnitEnd;

/* For a process in the control group @cgroup; @own is ours. */
UnitEnd cgroup_get_end(const char *cgroup, const char *own);
