/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sys/host-block.h"
#include "sys/host-console.h"
#include "sys/host-describe.h"
#include "sys/host-device.h"
#include "sys/host-display.h"
#include "sys/host-mdev.h"
#include "sys/host-net.h"
#include "sys/host-node.h"
#include "sys/host.h"

/* Each is a HostOps.in_use() of one kind of use. The last ones take the most time. */
static const struct {
        int (*find)(const HostDevice *device, char *ret_text, size_t size);
        HostUse use;
} checks[] = {
        { host_block_in_use, HOST_USE_DISK },
        { host_net_in_use, HOST_USE_NETWORK },
        { host_mdev_in_use, HOST_USE_MEDIATED },
        { host_display_in_use, HOST_USE_DISPLAY },
        { host_console_in_use, HOST_USE_CONSOLE },
        { host_node_in_use, HOST_USE_OPEN },
};

/* Looks are cheap, and what a driver makes or udev renames is done with it soon. */
#define LOOKS_MAX 10

static int look(const HostDevice *device, HostUse *ret_use, char *ret_text, size_t size) {
        int r;

        for (size_t i = 0; i < ELEMENTSOF(checks); i++) {
                r = checks[i].find(device, ret_text, size);
                if (r == HOST_USE_FOUND)
                        *ret_use = checks[i].use;
                if (r != _HOST_USE_NONE)
                        return r;
        }

        return _HOST_USE_NONE;
}

/* Something was there in one moment and not in the next. */
static bool has_changed(int r) {
        return r == -ENODEV || r == -ENOENT || r == -EAGAIN;
}

/*
 * An interface that is given its name by udev, or a disk that goes, while it is looked at, says nothing
 * about the device: only a look during which nothing has changed does.
 */
static int local_host_in_use(void *userdata, const char *subsystem, const char *name, HostUse *ret_use,
                             char *ret_text, size_t size) {
        HostDevice device;
        int r;

        for (unsigned n = 1;; n++) {
                r = host_device_find(userdata, subsystem, name, &device);
                if (r < 0)
                        return r;

                r = look(&device, ret_use, ret_text, size);
                if (!has_changed(r) || n == LOOKS_MAX)
                        return r == -ENODEV ? -EAGAIN : r;
        }
}

static int local_host_describe(void *userdata, const char *subsystem, const char *name, const char *driver,
                               HostFacts *ret) {
        HostDevice device;
        int r;

        r = host_device_find(userdata, subsystem, name, &device);
        return r < 0 ? r : host_describe(&device, subsystem, driver, ret);
}

static const HostOps local_host_ops = { .in_use = local_host_in_use, .describe = local_host_describe };

Host local_host_port(const LocalHost *host) {
        return (Host) { .ops = &local_host_ops, .userdata = (void *) host };
}
