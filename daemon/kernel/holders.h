/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who has a device open: a search through all processes but our own.
 */

#include "kernel/iommufd-backend.h"

/*
 * What is looked for. A node is known by its number, whatever its name is where the process lives. One that
 * has been taken away, which happens while an unbind waits for those who have it open, is known by what the
 * kernel says of it.
 */
typedef struct HeldDevice {
        const char *syspath;                 /* "/sys/devices/…", see kernel/fdinfo.h; borrowed */
        dev_t node;                          /* the device's own; 0 for none */
        dev_t group;                         /* its group's; 0 for none */
} HeldDevice;

/*
 * The processes that have a descriptor of it. Those that end meanwhile are left out. Returns 0, or a
 * negative errno: -EACCES when there is a process that we may not look into, because then nobody knows. (For
 * those of other users this takes CAP_SYS_PTRACE.) @pid: only this process is looked into; 0: all.
 */
int holders_find(const IommufdBackend *backend, const HeldDevice *device, pid_t pid, Holders *ret,
                 KernelFailure *reterr) _must_check_;

/*
 * The processes that have memory of the device mapped, through the node that is named @node; they need no
 * descriptor for that. Slow: it reads the maps of everybody.
 */
int holders_find_mapped(const IommufdBackend *backend, const char *node, pid_t pid, Holders *ret,
                        KernelFailure *reterr) _must_check_;
