/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A device that is in an IOMMU group: what is known of it, and which group and lease it is part of. Facts
 * come from outside (sysfs, udev) as one value, so that "has it changed" is one comparison.
 */

#include "core/forward.h"

#define GROUP_NONE UINT32_MAX

struct DeviceFacts {
        char subsystem[16];                  /* "pci", "platform", "mdev", … */
        char name[KERNEL_NAME_MAX];          /* the PCI address; as the kernel calls it on other buses */
        char driver[KERNEL_NAME_MAX];        /* "": none is bound */
        char driver_override[KERNEL_NAME_MAX];
        /* of a bus that the core knows no driver for: the one that sysfs has; "" for none */
        char vfio_driver[KERNEL_NAME_MAX];
        char cdev[16];                       /* "vfio3": the node below /dev/vfio/devices; "": it has none */
        char iommu[32];                      /* the IOMMU instance: "dmar0" */
        char syspath[192];                   /* "devices/…", in sysfs; "": longer than that */
        char physfn[KERNEL_NAME_MAX];            /* of a virtual function: the address of its PF */
        /* space separated, in order of preference; "": it can't be reset */
        char reset_methods[64];
        char serial[64];                     /* as udev's database has it */
        uint32_t group;                      /* GROUP_NONE: it is in none */
        uint32_t class;                      /* PCI class code, 24 bits */
        uint16_t vendor, device, subsystem_vendor, subsystem_device;
        int16_t numa_node;                   /* -1: unknown */
        int16_t vf_index;                    /* of a virtual function, from 0; -1: it is none */
        /* how many virtual functions are enabled on this physical function */
        uint16_t n_vfs;
        uint16_t max_vfs;                    /* how many it can have; 0: it is no physical function */
        bool bridge;                         /* a PCI bridge: never handed out, never rebound */
};

struct Device {
        DeviceFacts facts;
        /* never used again: what comes back under the same name is another device */
        uint64_t id;
        /* what its IOMMU has; NULL: the kernel was not asked yet; owned */
        HwInfo *info;
        /* the group owns the device; never NULL while it is in a Manager */
        Group *group;
        Device *next;                        /* in the group, ordered by name */
};

/*
 * A device of @group, linked into it. Facts are copied. Returns -EEXIST when the manager knows a device of
 * that name, else 0 or -ENOMEM. The manager that the group belongs to owns *ret.
 */
int device_new(Group *group, const DeviceFacts *facts, Device **ret) _must_check_;

/*
 * Unlinks the device from its group and its manager and frees it. The lease keeps what it must know of it by
 * name.
 */
Device *device_free(Device *device);
DEFINE_CLEANUP_FUNC(Device, device_free);

/* The driver that the device will be given back to by who has it now; "": nobody has, or it had none. */
const char *device_original_driver(const Device *device);

/*
 * Remembers what the kernel has said of the device's IOMMU. What it did not say is not remembered: @info
 * counts if it was @asked.
 */
void device_set_info(Device *device, const HwInfo *info, ChangeSet *changes);

/* Whether there is nothing more to be found out of it. */
bool device_info_is_complete(const Device *device);

/*
 * Asks the kernel, of a device that is bound as @id in @context; and tries out what it does not tell if
 * nobody has done so. The result is remembered. Returns 0, or a negative errno with *reterr.
 */
int device_read_info(Device *device, int context, uint32_t id, HwInfo *ret, KernelFailure *reterr,
                     ChangeSet *changes) _must_check_;

/*
 * Reads its driver and driver_override of this moment: what udev has told may be older. Returns 0, or an
 * Outcome with *reterr: OUTCOME_NO_SUCH_DEVICE when its removal is on its way to the monitor.
 */
int device_refresh(Device *device, Refusal *reterr, ChangeSet *changes) _must_check_;

/* News of its driver and driver_override. Says so in @changes when they are news, for the group too. */
void device_set_driver(Device *device, const char *driver, const char *override, ChangeSet *changes);

/*
 * The facts as they are without a lease: with the driver that the device goes back to. The device's own, or
 * in @buffer.
 */
const DeviceFacts *device_host_facts(const Device *device, DeviceFacts *buffer);

/* All zero but the fields whose "unknown" is not: start from this value. */
#define DEVICE_FACTS_INIT { .group = GROUP_NONE, .numa_node = -1, .vf_index = -1 }

/*
 * Whether the driver of these facts does DMA through the kernel's API, so that the group belongs to the
 * kernel. Drivers that don't set driver_managed_dma in the kernel: vfio-pci and its variants (known by the
 * node that they make), pci-stub, pcieport. No driver at all does no DMA.
 */
bool device_facts_own_dma(const DeviceFacts *facts);

/*
 * Whether the device is on a VFIO driver now: it has a VFIO character device or the plain vfio driver of its
 * bus.
 */
bool device_facts_on_vfio(const DeviceFacts *facts);

/*
 * The driver that makes devices of this bus available to userspace: "vfio-pci"; NULL when there is none.
 * Those that Linux has are known whether they are loaded or not; of other buses what was found there.
 */
const char *device_facts_vfio_driver(const DeviceFacts *facts);

/*
 * Whether the driver of a device on this bus can be unbound, and bound again. A mediated device has one
 * driver from its birth, and would have none ever after.
 */
bool subsystem_rebinds(const char *subsystem);

/* What device_facts_vfio_driver() knows by itself: "pci" has "vfio-pci". NULL: nothing. */
const char *vfio_driver_of_bus(const char *subsystem);
