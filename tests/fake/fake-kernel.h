/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A made host behind the port to the kernel. It does what the kernel would, with what tests want beside:
 * calls are counted over all verbs and any of them can be made to fail, what it opens are real descriptors,
 * and what changes the host is written down. It stops the test where the kernel would wait for ever: at an
 * unbind while somebody has the device open.
 */

#include "core/kernel.h"
#include "fake/fake-dma.h"

#define FAKE_DEVICES_MAX 40

struct FakeDevice {
        char name[KERNEL_NAME_MAX];
        char driver[KERNEL_NAME_MAX], override[KERNEL_NAME_MAX];
        PowerControl power;                  /* VFIO's driver sets it, as the real one does */
        uint32_t group;
        int node;                            /* what open_device() opens again */
        /* the context that it is bound to, as long as anybody has it open; 0: none */
        ino_t context;
        FakeAttached attached[FAKE_ATTACHED_MAX];
        HwInfo info;                         /* what its IOMMU says, and what is found by trying */
        bool cannot_nest;
        bool gone;                           /* it has been unplugged */
        unsigned n_held;                     /* another process has it open for so many more trials */
        Holders holders;                     /* and this is who */
        int reset;                           /* 0, PROVE_RESET_FAILED or PROVE_NO_RESET: how a trial ends */
        const char *refuses;                 /* the driver of this name fails to bind to it; NULL: none */
        /* what the kernel chooses for it; NULL: nothing */
        const char *native;
};

struct FakeKernel {
        FakeDevice devices[FAKE_DEVICES_MAX];
        unsigned n_devices;
        FakeContext contexts[16];
        uint32_t foreign, not_viable;        /* the group that is; GROUP_NONE: none */

        unsigned n_calls;                    /* of all verbs */
        unsigned fail_at;                    /* the number of the call that fails, from 1; 0: none */
        bool fail_on;                        /* all calls after that one fail as well */
        const char *fail_call;               /* calls whose line starts like this fail; NULL: none */
        int fail_error;                      /* negative errno that they fail with */
        char failed[160];                    /* the line of the call that failed last */

        /* One line for each call but read_driver(): "set_driver 0000:01:00.0 nvme -", where "-" is "" */
        char journal[8192];
};

FakeKernel *fake_kernel_new(void);
FakeKernel *fake_kernel_free(FakeKernel *kernel);
DEFINE_CLEANUP_FUNC(FakeKernel, fake_kernel_free);

/* The table of verbs over this host. */
Kernel fake_kernel_port(FakeKernel *kernel);

/* @driver may be "". The result stays valid as long as the kernel. */
FakeDevice *fake_kernel_add(FakeKernel *kernel, const char *name, uint32_t group, const char *driver);
FakeDevice *fake_kernel_find(FakeKernel *kernel, const char *name);

/*
 * Another process has the device open: it is found in the next @n_tries trials. @comm may be NULL: it can't
 * be seen.
 */
void fake_device_hold(FakeDevice *device, unsigned n_tries, pid_t pid, const char *comm);

/* Whether a descriptor of this process stands for the device, and how many do. */
bool fake_device_is_fd(const FakeDevice *device, int fd);
unsigned fake_device_n_open(const FakeDevice *device);

/* Whether it is bound to a context: the last who closes it ends that. */
bool fake_device_is_bound(const FakeDevice *device);

/* All drivers and overrides: "0000:01:00.0=nvme/- ". Static, overwritten by the next call. */
const char *fake_kernel_drivers(const FakeKernel *kernel);

/*
 * Counts a call, of which the rest is the line in the journal unless it is @quiet. Returns 0, or the error
 * that it is to fail with. For other ports that are to fail in turn with this one.
 */
int fake_kernel_call(FakeKernel *kernel, bool quiet, KernelFailure *reterr, const char *format, ...)
        _printf_(4, 5);

/*
 * How many descriptors this process has open; and from now on it can only open @n more, until unlimit_fds().
 */
unsigned count_fds(void);
void limit_fds(unsigned n);
void unlimit_fds(void);
