/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which devices a group had when an administrator last approved of it, by claiming it, and which drivers
 * they were taken from. It lasts over reboots. The kernel's numbers of groups do not: a group is known by
 * the devices that it has in common with what was approved. A device is its name and its ids, so that
 * another card in the same slot is another device.
 */

#include "core/forward.h"

typedef struct ApprovedDevice {
        char name[KERNEL_NAME_MAX];
        uint16_t vendor, device;             /* 0 where the bus has none */
        bool has_driver;                     /* these two are known */
        char driver[KERNEL_NAME_MAX];        /* what the claim gives it back to; "": none */
        char driver_override[KERNEL_NAME_MAX];
} ApprovedDevice;

typedef struct ApprovedGroup {
        ApprovedDevice *devices;             /* owned */
        size_t n_devices;
        bool persistent;                     /* to be claimed when the host starts */
} ApprovedGroup;

struct Approved {
        ApprovedGroup *groups;               /* no device is in two of them; owned */
        size_t n_groups;
};

int approved_new(Approved **ret) _must_check_;
Approved *approved_free(Approved *approved);
DEFINE_CLEANUP_FUNC(Approved, approved_free);

/* What was approved of which @group has a device, by name; NULL: nothing. Borrowed until the next change. */
const ApprovedGroup *approved_find(const Approved *approved, const Group *group);

/* NULL: this device is not in it. Borrowed likewise. */
const ApprovedDevice *approved_group_find(const ApprovedGroup *approved, const Device *device);

/*
 * All of it as text and back. -EBADMSG, and nothing is changed, when @text is not such a text;
 * -EPROTONOSUPPORT when it is of a version that is not known.
 */
int approved_write(const Approved *approved, char **ret) _must_check_;
int approved_read(Approved *approved, const char *text) _must_check_;

/*
 * Approves of a group as it is now, in place of what was said of any of its devices before. It is on record
 * when this returns 0; a negative errno with *reterr: it could not be written, and nothing is changed.
 */
int manager_approve(
        Manager *manager, const Group *group, bool persistent, KernelFailure *reterr) _must_check_;

/* The same of whether it is to be claimed when the host starts. Nothing was approved: nothing is done. */
int manager_set_persistent(
        Manager *manager, const Group *group, bool persistent, KernelFailure *reterr) _must_check_;

/*
 * Whether the group has only devices that were approved, or nothing was said of it yet. Returns 0, or
 * OUTCOME_NOT_VIABLE with *reterr, which names those that are new.
 */
int manager_check_approved(const Manager *manager, const Group *group, Refusal *reterr) _must_check_;
