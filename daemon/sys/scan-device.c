/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/dir.h"
#include "base/parse.h"
#include "sys/attribute.h"
#include "sys/scan-device.h"
#include "sys/serial.h"

/* Base class and subclass of the bridges whose other side is a bus that has devices of its own. */
#define PCI_CLASS_BRIDGE_PCI 0x0604
#define PCI_CLASS_BRIDGE_CARDBUS 0x0607
#define PCI_CLASS_BRIDGE_PCI_SEMI 0x0609

static int parse_uevent_line(const char *key, const char *value, DeviceFacts *facts) {
        if (strcmp(key, "DRIVER") == 0)
                return copy_string(facts->driver, sizeof(facts->driver), value);
        if (strcmp(key, "PCI_CLASS") == 0)
                return parse_hex_u32(value, &facts->class);
        if (strcmp(key, "PCI_ID") == 0)
                return parse_pci_ids(value, &facts->vendor, &facts->device);
        if (strcmp(key, "PCI_SUBSYS_ID") == 0)
                return parse_pci_ids(value, &facts->subsystem_vendor, &facts->subsystem_device);
        return 0;
}

/* The driver and the ids, in one read. */
static int read_uevent(int device, DeviceFacts *facts) {
        char text[4096 + 1], *next = text;
        ssize_t n;
        int r;

        n = read_text_at(device, "uevent", text, sizeof(text));
        if (n < 0)
                return (int) n;

        while (next && *next) {
                char *line = next, *value;

                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';

                value = strchr(line, '=');
                if (!value)
                        continue;
                *value++ = '\0';

                r = parse_uevent_line(line, value, facts);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int read_override(int device, DeviceFacts *facts) {
        char text[KERNEL_NAME_MAX + 1];
        ssize_t n;

        n = read_text_at(device, "driver_override", text, sizeof(text));
        if (n < 0)
                return n == -ENOENT ? 0 : (int) n;              /* not every bus has it */

        /* how the kernel prints a string that isn't set */
        if (strcmp(text, "(null)") == 0)
                return 0;

        return copy_string(facts->driver_override, sizeof(facts->driver_override), text);
}

static bool is_vfio_name(const char *name) {
        uint32_t number;

        return strncmp(name, "vfio", 4) == 0 && parse_u32(name + 4, &number) >= 0;
}

/* The directory is there on every VFIO driver, the node only where the kernel makes character devices. */
static void read_cdev(int device, DeviceFacts *facts) {
        _cleanup_dir_ Dir *nodes = NULL;
        const char *name;

        if (dir_open_at(device, "vfio-dev", &nodes) < 0)
                return;

        while (dir_next(nodes, &name) == DIR_ENTRY) {
                char path[64];

                if (!is_vfio_name(name))
                        continue;
                if ((size_t) snprintf(path, sizeof(path), "%s/dev", name) >= sizeof(path))
                        continue;
                if (faccessat(dir_fd(nodes), path, F_OK, 0) < 0)
                        continue;
                if (copy_string(facts->cdev, sizeof(facts->cdev), name) >= 0)
                        return;
        }
}

/*
 * The driver of a bus that the core knows none for, by its name. The only one of such a name: which of two
 * is meant only an administrator can know.
 */
static void read_vfio_driver(int sysfs, DeviceFacts *facts) {
        _cleanup_dir_ Dir *drivers = NULL;
        char path[sizeof(facts->subsystem) + 16];
        const char *name;

        snprintf(path, sizeof(path), "bus/%s/drivers", facts->subsystem);
        if (dir_open_at(sysfs, path, &drivers) < 0)
                return;

        while (dir_next(drivers, &name) == DIR_ENTRY) {
                if (strncmp(name, "vfio", 4) != 0 || (name[4] != '-' && name[4] != '_'))
                        continue;
                if (facts->vfio_driver[0] != '\0' ||
                    copy_string(facts->vfio_driver, sizeof(facts->vfio_driver), name) < 0) {
                        memset(facts->vfio_driver, 0, sizeof(facts->vfio_driver));
                        return;
                }
        }
}

static int read_number(int dir, const char *path, uint32_t *ret) {
        char text[16];
        ssize_t n;

        n = read_text_at(dir, path, text, sizeof(text));
        return n < 0 ? (int) n : parse_u32(text, ret);
}

/* The routing id of a PCI address: bus, device and function in 16 bits. */
static int parse_routing_id(const char *address, uint32_t *ret) {
        uint32_t bus, device, function;
        size_t length = strlen(address);

        if (length < 7)
                return -EINVAL;

        address += length - 7;               /* "BB:DD.F" */
        if (parse_hex_digits(address, 2, &bus) < 0 || parse_hex_digits(address + 3, 2, &device) < 0 ||
            parse_hex_digits(address + 6, 1, &function) < 0)
                return -EINVAL;

        *ret = bus << 8 | device << 3 | function;
        return 0;
}

static int read_spacing(int device, const char *physfn, VfSpacing *ret) {
        VfSpacing spacing;
        int r;

        r = read_number(device, "physfn/sriov_offset", &spacing.offset);
        if (r < 0)
                return r;
        r = read_number(device, "physfn/sriov_stride", &spacing.stride);
        if (r < 0)
                return r;

        strcpy(spacing.physfn, physfn);
        *ret = spacing;
        return 0;
}

/*
 * Which virtual function of its PF this is. Only the PF has the list, of up to 64K links; but the addresses
 * are evenly spaced, so that one can tell where to look and then only has to see that it's there.
 */
static bool find_vf_index(int device, const VfSpacing *spacing, DeviceFacts *facts) {
        uint32_t vf, pf, distance, index;
        char link[32], target[KERNEL_NAME_MAX];

        if (parse_routing_id(facts->name, &vf) < 0 || parse_routing_id(facts->physfn, &pf) < 0 ||
            vf < pf + spacing->offset)
                return false;

        distance = vf - pf - spacing->offset;
        index = spacing->stride > 0 ? distance / spacing->stride : 0;
        if (index > INT16_MAX)
                return false;

        snprintf(link, sizeof(link), "physfn/virtfn%u", index);
        if (readlink_name_at(device, link, target, sizeof(target)) < 0 || strcmp(target, facts->name) != 0)
                return false;

        facts->vf_index = (int16_t) index;
        return true;
}

static void read_vf_index(int device, VfSpacing *spacing, DeviceFacts *facts) {
        /* its functions may have been switched off and on since */
        if (strcmp(spacing->physfn, facts->physfn) == 0 && find_vf_index(device, spacing, facts))
                return;

        if (read_spacing(device, facts->physfn, spacing) >= 0)
                (void) find_vf_index(device, spacing, facts);          /* not there any more */
}

/*
 * How many virtual functions it has. Not by sriov_numvfs: whoever reads that waits for somebody who is
 * switching them off, and he waits for the last user of one.
 */
static uint16_t count_vfs(int device) {
        _cleanup_dir_ Dir *dir = NULL;
        const char *name;
        uint16_t n = 0;

        if (dir_open_at(device, ".", &dir) < 0)
                return 0;

        while (n < UINT16_MAX && dir_next(dir, &name) == DIR_ENTRY)
                if (strncmp(name, "virtfn", strlen("virtfn")) == 0)
                        n++;

        return n;
}

/* A virtual function has none itself. */
static void read_vfs(int device, DeviceFacts *facts) {
        uint32_t max_vfs;

        if (read_number(device, "sriov_totalvfs", &max_vfs) < 0)
                return;

        facts->n_vfs = count_vfs(device);
        if (max_vfs <= UINT16_MAX)
                facts->max_vfs = (uint16_t) max_vfs;
}

static void read_pci(int device, VfSpacing *spacing, DeviceFacts *facts) {
        uint32_t class = facts->class >> 8;

        facts->bridge = class == PCI_CLASS_BRIDGE_PCI || class == PCI_CLASS_BRIDGE_CARDBUS ||
                        class == PCI_CLASS_BRIDGE_PCI_SEMI;

        attribute_read(device, "reset_method", facts->reset_methods, sizeof(facts->reset_methods));

        if (readlink_name_at(device, "physfn", facts->physfn, sizeof(facts->physfn)) >= 0)
                read_vf_index(device, spacing, facts);
        else
                read_vfs(device, facts);

        serial_read(device, facts->driver, facts->serial, sizeof(facts->serial));
}

int device_facts_begin(int dir, const char *link, DeviceFacts *ret) {
        char syspath[PATH_MAX];
        int r;

        r = readlink_syspath_at(dir, link, syspath, sizeof(syspath));
        if (r < 0)
                return r;

        memset(ret, 0, sizeof(*ret));
        /* what is longer has to be looked up each time */
        if (copy_string(ret->syspath, sizeof(ret->syspath), syspath) < 0)
                ret->syspath[0] = '\0';

        return copy_string(ret->name, sizeof(ret->name), strrchr(syspath, '/') + 1);
}

int device_facts_read(int sysfs, int device, uint32_t group, VfSpacing *spacing, DeviceFacts *facts) {
        uint32_t number;
        int r;

        facts->group = group;
        facts->numa_node = -1;
        facts->vf_index = -1;

        r = readlink_name_at(device, "subsystem", facts->subsystem, sizeof(facts->subsystem));
        if (r < 0)
                return r;

        r = read_uevent(device, facts);
        if (r < 0)
                return r;

        r = read_override(device, facts);
        if (r < 0)
                return r;

        if (readlink_name_at(device, "iommu", facts->iommu, sizeof(facts->iommu)) < 0)
                facts->iommu[0] = '\0';
        if (read_number(device, "numa_node", &number) >= 0 && number <= INT16_MAX)
                facts->numa_node = (int16_t) number;
        if (!vfio_driver_of_bus(facts->subsystem))
                read_vfio_driver(sysfs, facts);
        if (facts->driver[0] != '\0')
                read_cdev(device, facts);
        if (strcmp(facts->subsystem, "pci") == 0)
                read_pci(device, spacing, facts);

        return 0;
}
