/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <linux/pci_regs.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "kernel/ioctl.h"
#include "kernel/path.h"
#include "kernel/reset.h"
#include "kernel/uapi.h"

/* What is looked at of a PCI device's configuration space. */
typedef struct PciHeader {
        uint16_t vendor, device, command;
} PciHeader;

/*
 * As the device itself answers: it is sysfs that asks it. VFIO makes up the ids that it shows, and would
 * show them of a device that has fallen off the bus.
 */
static int read_header(const char *device, PciHeader *ret, KernelFailure *reterr) {
        _cleanup_close_ int fd = -EBADF;
        unsigned char bytes[PCI_COMMAND + 2];
        char path[KERNEL_PATH_MAX];
        ssize_t n;
        int r;

        r = kernel_path(path, reterr, "%s/config", device);
        if (r < 0)
                return r;

        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return kernel_failure(reterr, -errno, "open %s", path);

        do
                n = read(fd, bytes, sizeof(bytes));
        while (n < 0 && errno == EINTR);
        if (n != (ssize_t) sizeof(bytes))
                return kernel_failure(reterr, n < 0 ? -errno : -EIO, "read %s", path);

        /* little-endian, whatever we are */
        *ret = (PciHeader) {
                .vendor = (uint16_t) (bytes[PCI_VENDOR_ID] | bytes[PCI_VENDOR_ID + 1] << 8),
                .device = (uint16_t) (bytes[PCI_DEVICE_ID] | bytes[PCI_DEVICE_ID + 1] << 8),
                .command = (uint16_t) (bytes[PCI_COMMAND] | bytes[PCI_COMMAND + 1] << 8),
        };
        return 0;
}

/* What the kernel has found when the device came. */
static int read_id(const char *device, const char *attribute, uint32_t *ret, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX], text[16];
        ssize_t n;
        int r;

        r = kernel_path(path, reterr, "%s/%s", device, attribute);
        if (r < 0)
                return r;

        n = read_text_at(AT_FDCWD, path, text, sizeof(text));
        if (n < 0)
                return kernel_failure(reterr, (int) n, "read %s", path);

        r = parse_hex_u32(text, ret);
        return r < 0 ? kernel_failure(reterr, r, "read %s", path) : 0;
}

static bool is_virtual_function(const char *device) {
        char path[KERNEL_PATH_MAX];

        return kernel_path(path, /* reterr= */ NULL, "%s/physfn", device) >= 0 && access(path, F_OK) >= 0;
}

static int verify_pci(const char *device, KernelFailure *reterr) {
        uint32_t vendor, id;
        PciHeader header = {};
        int r;

        r = read_header(device, &header, reterr);
        if (r < 0)
                return r;
        r = read_id(device, "vendor", &vendor, reterr);
        if (r < 0)
                return r;
        r = read_id(device, "device", &id, reterr);
        if (r < 0)
                return r;

        /* virtual functions have no ids of their own: theirs are ffff at all times */
        if (is_virtual_function(device) ? header.command == UINT16_MAX
                                        : header.vendor != vendor || header.device != id) {
                (void) kernel_failure(reterr, -EIO, "it answers as %04x:%04x, and was %04x:%04x before",
                        header.vendor, header.device, vendor, id);
                return RESET_FAILED;
        }

        if (header.command & PCI_COMMAND_MASTER) {
                (void) kernel_failure(reterr, -EIO, "it may still do DMA (bus mastering is on)");
                return RESET_FAILED;
        }

        return _RESET_DONE;
}

/*
 * Has the kernel reset it without VFIO, which says no more than that it has no reset that works. The
 * kernel says ENOTTY where there is none, and else what went wrong. That it lists methods for a device
 * says less: a bus that can be reset for the first device on it can't be any more for two.
 */
static int reset_by_sysfs(const char *device, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX];
        int r;

        r = kernel_path(path, reterr, "%s/reset", device);
        if (r < 0)
                return r;

        r = write_text_at(AT_FDCWD, path, "1");
        if (r == -ENOTTY || r == -ENOENT)
                return RESET_IMPOSSIBLE;
        if (r < 0) {
                (void) kernel_failure(reterr, r, "write 1 to %s", path);
                return RESET_FAILED;
        }

        return _RESET_DONE;
}

static int try_reset(const char *device, int fd, const VfioNode *node, KernelFailure *reterr) {
        int r;

        r = vfio_node_reset(fd, node, reterr);
        if (r >= 0)
                return _RESET_DONE;
        if (r == -EINVAL || r == -ENOTTY)
                return reset_by_sysfs(device, reterr);

        return r == -EAGAIN ? r : RESET_FAILED;
}

/*
 * A reset leaves the configuration as it was: who has the device open has let it do DMA, and it may again.
 * So that is switched off first, where the device has that; it is looked at afterwards.
 */
static void stop_dma(int fd) {
        struct vfio_region_info region = { .argsz = sizeof(region), .index = VFIO_PCI_CONFIG_REGION_INDEX };
        uint8_t command[2];

        if (ioctl_retry(fd, VFIO_DEVICE_GET_REGION_INFO, &region) < 0 ||
            pread(fd, command, sizeof(command), (off_t) region.offset + PCI_COMMAND) != sizeof(command))
                return;

        command[0] &= (uint8_t) ~PCI_COMMAND_MASTER;
        (void) pwrite(fd, command, sizeof(command), (off_t) region.offset + PCI_COMMAND);
}

int reset_device(
        const char *subsystem, const char *device, int fd, const VfioNode *node, KernelFailure *reterr) {
        int r, q;

        if (strcmp(subsystem, "pci") == 0)
                stop_dma(fd);

        r = try_reset(device, fd, node, reterr);
        if (r < 0 || r == RESET_FAILED || strcmp(subsystem, "pci") != 0)
                return r;

        q = verify_pci(device, reterr);
        return q != _RESET_DONE ? q : r;
}
