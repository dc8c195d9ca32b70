/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The port to the kernel: every ioctl and every write to sysfs that iommud does is behind one of these
 * verbs. They speak the core's words; no uapi type crosses. daemon/kernel fills the table for real, the
 * tests with a fake that counts calls and fails the n-th.
 *
 * A device is named by the subsystem (bus) and its name there: "pci", "0000:01:00.0".
 *
 * Verbs return 0, or a negative errno together with *reterr: what was called and what it answered. Where a
 * verb has outcomes that are no failure, they are positive and named beside it.
 */

#include "core/forward.h"

/* What failed: the call in words an administrator can search for, and the errno that it gave. */
struct KernelFailure {
        char call[160];
        int error;                           /* negative errno */
};

/* A process that has a device open. */
typedef struct Holder {
        pid_t pid;
        char comm[16];                       /* as /proc/PID/comm has it */
        char cgroup[224];                    /* its path; "" when it is not known, or too long */
} Holder;

#define HOLDERS_MAX 16

typedef struct Holders {
        Holder items[HOLDERS_MAX];
        unsigned n_items;                    /* of them; there may be more processes than items */
} Holders;

/*
 * What power/control of a device says: whether the kernel may suspend it while it is idle. vfio-pci sets it
 * to "auto" when it is bound and to "on" when it is unbound, whatever the host had chosen.
 */
typedef enum PowerControl {
        POWER_CONTROL_NONE,                  /* not known, or the device has none: it is left alone */
        POWER_CONTROL_ON,
        POWER_CONTROL_AUTO,
        _POWER_CONTROL_MAX,
        _POWER_CONTROL_INVALID = -EINVAL,
} PowerControl;

DECLARE_STRING_TABLE(power_control, PowerControl);

/* For set_driver(): whichever driver of the kernel's wants the device, if one does. None is called so. */
#define DRIVER_ANY "*"

/* Outcomes of probe_group(). */
enum {
        _GROUP_PROBE_FREE,
        GROUP_PROBE_NOT_VIABLE,              /* a driver of the kernel's owns DMA for it */
        GROUP_PROBE_FOREIGN,                 /* another userspace program has it open */
};

/* Outcomes of prove_free(). */
enum {
        _PROVE_FREE,
        /* somebody has the device open; *ret_holders says who, if it could be seen */
        PROVE_HELD,
        PROVE_GONE,                          /* there is no such device any more */
        /* nobody has it, but its reset failed or can't be trusted: *reterr says what was found */
        PROVE_RESET_FAILED,
        PROVE_NO_RESET,                      /* nobody has it, but there is no way to reset it */
};

/* Outcomes of kill_holder(). */
enum {
        _KILL_DONE,
        KILL_NOT_HOLDER,                     /* it has ended, or has the device no longer open */
};

typedef struct KernelOps {
        /*
         * Quick verbs: they may be called in the event loop.
         */

        /*
         * A fresh iommufd with its accounting mode set before anything else is in it. Caller owns *ret_fd.
         */
        int (*open_context)(void *userdata, Accounting accounting, int *ret_fd, KernelFailure *reterr);

        /*
         * In the next three, @syspath is where the device was when it was looked for last (DeviceFacts), or
         * NULL: to look for it costs as much as what is done there. It isn't looked for elsewhere when it is
         * not there any more.
         */

        /*
         * The VFIO character device of a device, never bound, proved to be that device's. Caller owns
         * *ret_fd.
         */
        int (*open_device)(void *userdata, const char *subsystem, const char *name, const char *syspath,
                           int *ret_fd, KernelFailure *reterr);

        /*
         * The driver that the device is bound to and its driver_override, as they are this moment; "" for
         * none. Both buffers hold KERNEL_NAME_MAX bytes. -ENODEV when there is no such device.
         */
        int (*read_driver)(void *userdata, const char *subsystem, const char *name, const char *syspath,
                           char *ret_driver, char *ret_override, KernelFailure *reterr);

        /* Its power/control as it is this moment. */
        int (*read_power)(void *userdata, const char *subsystem, const char *name, const char *syspath,
                          PowerControl *ret, KernelFailure *reterr);

        /*
         * Whether descriptors that were kept over a restart are the device's node, bound, and the context in
         * which it has this number. Returns 0 and what its IOMMU says, or a negative errno when that is not
         * so or can't be told.
         */
        int (*check_bound)(void *userdata, const char *subsystem, const char *name, int device, int iommufd,
                           uint32_t id, HwInfo *ret_info, KernelFailure *reterr);

        /* Asks the kernel whether a group could be owned by userspace now. See the outcomes above. */
        int (*probe_group)(void *userdata, uint32_t group, KernelFailure *reterr);

        /*
         * Whether a descriptor that was kept over a restart is the device's node, bound to the context
         * @iommufd and attached to nothing in it. Returns 0, or a negative errno when that is not so or
         * can't be told. It proves it by attaching the device to an address space that is empty, for a
         * moment: not for devices that are attached.
         */
        int (*check_parked)(void *userdata, const char *subsystem, const char *name, int device, int iommufd,
                            KernelFailure *reterr);

        /*
         * Slow verbs: an unbind, a bind and the last close of a device take a tenth of a second and more,
         * and can hang for ever. They are called in child processes only.
         */

        /*
         * Unbinds the device from whatever other driver it has, binds it to @driver ("" leaves it without
         * one), sets its driver_override to @override ("" clears it), and then its power/control to @power.
         * In between no other driver can take it. Verified afterwards: 0 means that the device has exactly
         * that driver and override. -ENODEV when there is no such device. Must not be called while anybody
         * may have the device open: the unbind would wait, unkillable.
         * DRIVER_ANY: the bus is asked, with that override, once the device has none. Whether a driver takes
         * it is between them: 0 either way.
         */
        int (*set_driver)(void *userdata, const char *subsystem, const char *name, const char *driver,
                          const char *override, PowerControl power, KernelFailure *reterr);

        /*
         * Finds out whether nobody has the device open any more: looks for its nodes in all processes, then
         * binds it to a throw-away iommufd, resets it, looks whether it is as after a reset, and closes
         * it again. See the outcomes above. Where it could be bound and *ret_info, which may be NULL, be
         * found out, that is what its IOMMU has; else it is left alone.
         */
        int (*prove_free)(void *userdata, const char *subsystem, const char *name, Holders *ret_holders,
                          HwInfo *ret_info, KernelFailure *reterr);

        /*
         * Kills the process @pid if it has the device open or mapped: proved of the very process that is
         * killed, not of one that had its number before. See the outcomes above.
         */
        int (*kill_holder)(void *userdata, const char *subsystem, const char *name, pid_t pid,
                           KernelFailure *reterr);

        /*
         * Binds the open file @device, a device's node that was never bound, to the context @iommufd, which
         * takes DMA ownership of its group and resets the device. It is bound for all who have that file,
         * until the last of them closes it. *ret_id is what the context calls the device. Nothing is
         * closed.
         */
        int (*bind_device)(void *userdata, const char *subsystem, const char *name, int device, int iommufd,
                           uint32_t *ret_id, KernelFailure *reterr);

        /*
         * Closes @device, for the last time: a device that was bound is reset by that. There is no failure
         * of this, but it may never return.
         */
        void (*close_device)(void *userdata, const char *subsystem, const char *name, int device);
} KernelOps;

struct Kernel {
        const KernelOps *ops;
        const DmaOps *dma;                   /* core/dma.h */
        void *userdata;                      /* of the table, borrowed */
};

/*
 * Fills *reterr and returns @error, so that a failing verb ends in "return kernel_failure(…)". @error is
 * negative.
 */
int kernel_failure(KernelFailure *reterr, int error, const char *format, ...) _printf_(3, 4);
