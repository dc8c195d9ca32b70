/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The port to what the host itself uses its devices for (mounted file systems, swap, network addresses), and
 * to what is round a device on it.
 */

#include "base/strtab.h"
#include "core/forward.h"

/* Outcomes of in_use(). */
enum {
        _HOST_USE_NONE,
        HOST_USE_FOUND,
};

/* What the host uses a device for, in the words that Plan tells programs. */
typedef enum HostUse {
        HOST_USE_UNKNOWN,                    /* it can't be told whether it does */
        HOST_USE_DISK,                       /* file systems, swap, and what is made of disks */
        HOST_USE_NETWORK,
        HOST_USE_MEDIATED,                   /* it carries mediated devices */
        HOST_USE_DISPLAY,                    /* that the host was started with */
        HOST_USE_CONSOLE,
        HOST_USE_OPEN,                       /* a process has a node of it open */
        _HOST_USE_MAX,
        _HOST_USE_INVALID = -EINVAL,
} HostUse;

DECLARE_STRING_TABLE(host_use, HostUse);

/* Whether a device can forge interrupts: an MSI is a write to an address like any other. */
typedef enum Interrupts {
        INTERRUPTS_UNKNOWN,
        INTERRUPTS_ISOLATED,                 /* they are remapped, or their receiver checks the sender */
        INTERRUPTS_OPEN,
        INTERRUPTS_OPEN_ACCEPTED,            /* and the administrator has told the kernel not to mind */
} Interrupts;

/* A bridge between a device and the IOMMU, from the device up. */
typedef struct IsolationHop {
        char name[KERNEL_NAME_MAX];
        uint32_t group;                      /* UINT32_MAX: it is in none */
        bool acs_known;
        char acs_supported[40];              /* "SV TB RR CR UF EC DT", "none": what it can, what is on */
        char acs_enabled[40];
} IsolationHop;

#define ISOLATION_HOPS_MAX 8

typedef struct HostFacts {
        IsolationHop hops[ISOLATION_HOPS_MAX];
        unsigned n_hops;
        Interrupts interrupts;
        bool iommufd;                        /* this kernel has it */
        bool vfio_driver;                    /* the driver that was asked for is there */
} HostFacts;

typedef struct HostOps {
        /*
         * Whether the host needs the device. On HOST_USE_FOUND *ret_use is what for, and @ret_text, of @size
         * bytes, says it: "/ is on nvme0n1p1". -ENODEV when there is no such device; any other negative
         * errno means that it can't be told, -EAGAIN because it kept changing. Nothing is taken then.
         */
        int (*in_use)(void *userdata, const char *subsystem, const char *name, HostUse *ret_use,
                      char *ret_text, size_t size);

        /*
         * What is round the device, and whether there is a driver @driver on its bus. What can't be told is
         * left at its "unknown". -ENODEV when there is no such device.
         */
        int (*describe)(void *userdata, const char *subsystem, const char *name, const char *driver,
                        HostFacts *ret);
} HostOps;

struct Host {
        const HostOps *ops;
        void *userdata;
};
