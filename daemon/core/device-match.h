/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which devices are meant: by a rule of the policy, or by a name that the administrator gave. Every key that
 * is set must hold.
 */

#include "core/forward.h"
#include "core/match.h"

/* The longest name or tag that an administrator can give, with its terminator. */
#define STABLE_NAME_MAX 64

typedef enum DeviceKey {
        DEVICE_KEY_ADDRESS,
        DEVICE_KEY_VENDOR,
        DEVICE_KEY_DEVICE,
        DEVICE_KEY_SUBSYSTEM_VENDOR,
        DEVICE_KEY_SUBSYSTEM_DEVICE,
        DEVICE_KEY_CLASS,
        DEVICE_KEY_DRIVER,
        DEVICE_KEY_SERIAL,
        DEVICE_KEY_NUMA_NODE,
        DEVICE_KEY_IOMMU_GROUP,
        DEVICE_KEY_FUNCTION,
        DEVICE_KEY_PF,
        DEVICE_KEY_VF,
        DEVICE_KEY_NAME,
        DEVICE_KEY_TAG,
        _DEVICE_KEY_MAX,
        _DEVICE_KEY_INVALID = -EINVAL,
} DeviceKey;

/* The names of the keys in the files. */
DECLARE_STRING_TABLE(device_key, DeviceKey);

typedef enum DeviceFunction {
        DEVICE_FUNCTION_PF,                  /* that can have virtual functions */
        DEVICE_FUNCTION_VF,
        _DEVICE_FUNCTION_MAX,
        _DEVICE_FUNCTION_INVALID = -EINVAL,
} DeviceFunction;

DECLARE_STRING_TABLE(device_function, DeviceFunction);

struct DeviceMatch {
        bool any;                            /* every device; else no key at all means none */
        unsigned keys;                       /* 1 << DeviceKey of those that are compared */
        char address[KERNEL_NAME_MAX];       /* the kernel's name */
        char driver[KERNEL_NAME_MAX];        /* of the host; not what a lease gives it */
        char serial[64];
        char pf[KERNEL_NAME_MAX];
        char name[STABLE_NAME_MAX];
        char tag[STABLE_NAME_MAX];
        uint16_t vendor, device, subsystem_vendor, subsystem_device;
        uint32_t class, class_mask;          /* 24 bits, right-aligned: class 0x010802, mask 0xffff00 */
        uint32_t group, vf, numa_node;
        DeviceFunction function;
};

/*
 * Whether @device is meant. Names and tags are those of @catalog, which may be NULL. MATCH_UNKNOWN: it would
 * take a serial number that only the device's own driver can read.
 */
Match device_match(const DeviceMatch *match, const DeviceFacts *device, const Catalog *catalog);

/*
 * Whether it can mean one device at most, whatever is plugged in. A name is as good as what it stands for.
 */
bool device_match_is_single(const DeviceMatch *match, const Catalog *catalog);
