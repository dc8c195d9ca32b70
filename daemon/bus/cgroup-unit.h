/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/*
 * The unit of the system's service manager that the processes of a control group belong to:
 * "machine-qemu\x2d1.scope" of "/machine.slice/machine-qemu\x2d1.scope/libvirt/emulator". Of the path
 * alone and not of a process, which may have ended meanwhile. "" when it is in none. @ret is of @size
 * bytes.
 */
void cgroup_get_unit(const char *cgroup, char *ret, size_t size);
