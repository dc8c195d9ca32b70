/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reads from sysfs what is known of devices and IOMMU groups. @sysfs is a directory: /sys, or a made tree in
 * tests.
 *
 * Facts come fully zeroed, padding too: two of them are the same when memcmp() says so. What cannot be read,
 * because this bus has no such attribute or the device is on its way out, is left at its "unknown"; only a
 * device or group that isn't there at all is an error. Names that don't fit their field make the device
 * unusable and count as not there.
 */

#include "core/device.h"
#include "core/group.h"

/*
 * What scan_all() calls. The facts are borrowed for the call; a negative return value ends the scan and is
 * its result.
 */
typedef struct ScanFuncs {
        int (*on_group)(const GroupFacts *facts, void *userdata);    /* comes before its devices */
        int (*on_device)(const DeviceFacts *facts, void *userdata);
} ScanFuncs;

/*
 * All IOMMU groups and the devices in them, in no particular order. What vanishes meanwhile is left out:
 * uevents say so. A host without IOMMU has no group: that is no error. Returns 0 or a negative errno.
 */
int scan_all(int sysfs, const ScanFuncs *funcs, void *userdata) _must_check_;

/*
 * One device, now. -ENODEV when there is none of that name on that bus, or when it is in no IOMMU group (any
 * more).
 */
int scan_device(int sysfs, const char *subsystem, const char *name, DeviceFacts *ret) _must_check_;

/* One group, now. -ENODEV when there is none of that number. */
int scan_group(int sysfs, uint32_t id, GroupFacts *ret) _must_check_;

/*
 * The reserved regions of a group. Returns 0 and an array (caller frees *ret; NULL when there is none) or a
 * negative errno: -ENODEV when there is no such group.
 */
int scan_reserved_regions(int sysfs, uint32_t id, ReservedRegion **ret, size_t *ret_n) _must_check_;
