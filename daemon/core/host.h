/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The port to what the host itself uses its devices for (mounted file systems, swap, network addresses), and
 * to what is round a device on it.
 */

#include "core/forward.h"

/* Outcomes of in_use(). */
enum {
        _HOST_USE_NONE,
        HOST_USE_FOUND,
};

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
         * Whether the host needs the device. On HOST_USE_FOUND @ret_use, of @size bytes, says for what: "/
         * is on nvme0n1p1". -ENODEV when there is no such device; any other negative errno means that
         * it can't be told, -EAGAIN because it kept changing. Nothing is taken then.
         */
        int (*in_use)(void *userdata, const char *subsystem, const char *name, char *ret_use, size_t size);

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
