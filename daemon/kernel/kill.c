/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <signal.h>
#include <sys/pidfd.h>

#include "base/fd.h"
#include "kernel/device-holders.h"
#include "kernel/kill.h"
#include "kernel/path.h"

static int find_holder(const IommufdBackend *backend, const char *device, pid_t pid, bool *ret,
                       KernelFailure *reterr) {
        Holders holders = {};
        VfioNode node = {};
        int r;

        r = vfio_node_find(device, &node, reterr);
        if (r < 0 && r != -ENODEV)
                return r;

        r = device_holders_find(backend, device, &node, pid, &holders, reterr);
        if (r < 0)
                return r;

        if (holders.n_items == 0 && node.number != 0)
                device_holders_add_mapped(backend, &node, pid, &holders);

        *ret = holders.n_items > 0;
        return 0;
}

/*
 * The descriptor first, then the proof. If the process that it stands for ends in between, and its number
 * is another's who is looked into, nothing is left that the signal could reach.
 */
int kill_holder(const IommufdBackend *backend, const char *subsystem, const char *name, pid_t pid,
                KernelFailure *reterr) {
        _cleanup_close_ int pidfd = -EBADF;
        char device[KERNEL_PATH_MAX];
        bool holds = false;
        int r;

        if (pid <= 1)
                return kernel_failure(reterr, -EPERM, "pidfd_open of process %d", (int) pid);

        r = kernel_device_find(backend, subsystem, name, device, reterr);
        if (r < 0)
                return r;

        pidfd = pidfd_open(pid, 0);
        if (pidfd < 0 && errno == ESRCH)
                return KILL_NOT_HOLDER;
        if (pidfd < 0)
                return kernel_failure(reterr, -errno, "pidfd_open of process %d", (int) pid);

        r = find_holder(backend, device, pid, &holds, reterr);
        if (r < 0)
                return r;
        if (!holds)
                return KILL_NOT_HOLDER;

        if (pidfd_send_signal(pidfd, SIGKILL, /* info= */ NULL, /* flags= */ 0) >= 0)
                return _KILL_DONE;

        return errno == ESRCH ? KILL_NOT_HOLDER
                              : kernel_failure(reterr, -errno, "pidfd_send_signal to process %d", (int) pid);
}
