/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/*
 * What the path of a control group says about the system's service manager. Of the path alone and not of a
 * process, which may have ended meanwhile. Only the slices from the root on, and the unit in them, are the
 * service manager's: below a unit whoever was delegated it makes groups with what names he likes.
 *
 * @ret is of @size bytes, and "" when there is none, or when it does not fit.
 */

/*
 * The unit that the processes of a control group belong to: "machine-qemu\x2d1.scope" of
 * "/machine.slice/machine-qemu\x2d1.scope/libvirt/emulator".
 */
void cgroup_get_unit(const char *cgroup, char *ret, size_t size);

/* The innermost slice: "machine.slice" of that; "-.slice", the root, where there is no other. */
void cgroup_get_slice(const char *cgroup, char *ret, size_t size);
