/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What an Acquire over the system bus costs, beside a bare program that does the same opens and ioctls
 * itself, and beside a call to the same daemon that does nothing.
 *
 *     bench-acquire ADDRESS [ROUNDS]
 *
 * ADDRESS is a PCI device that is on vfio-pci already. Prints medians in microseconds, of calls made in
 * turns, so that what else the machine does falls on all three alike.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "base/fd.h"
#include "base/parse.h"
#include "kernel/uapi.h"
#include "names.h"

#define ROUNDS_MAX 1000

typedef struct Samples {
        uint64_t usec[ROUNDS_MAX];
        size_t n;
} Samples;

static uint64_t now_nsec(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

static void sample(Samples *samples, uint64_t since_nsec) {
        samples->usec[samples->n++] = (now_nsec() - since_nsec) / 1000;
}

static int compare_usec(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

        return x < y ? -1 : x > y;
}

static uint64_t median(Samples *samples) {
        qsort(samples->usec, samples->n, sizeof(samples->usec[0]), compare_usec);
        return samples->usec[samples->n / 2];
}

/* The nodes of the device: its group's and its own. */
static int find_nodes(const char *address, char *ret_group, char *ret_cdev, size_t size) {
        char path[128], name[16];
        uint32_t i;

        snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", address);
        if (readlink_name_at(AT_FDCWD, path, name, sizeof(name)) < 0)
                return -ENODEV;
        snprintf(ret_group, size, "/dev/vfio/%s", name);

        for (i = 0; i < 256; i++) {
                snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev/vfio%u", address, i);
                if (access(path, F_OK) >= 0) {
                        snprintf(ret_cdev, size, "/dev/vfio/devices/vfio%u", i);
                        return 0;
                }
        }

        return -ENODEV;
}

/* What iommud does to the kernel for an Acquire of a device on vfio-pci. */
static int bare_acquire(const char *group_path, const char *cdev_path) {
        struct iommu_option option = {
                .size = sizeof(option),
                .option_id = IOMMU_OPTION_RLIMIT_MODE,
                .op = IOMMU_OPTION_OP_SET,
                .val64 = 1,
        };
        struct vfio_group_status status = { .argsz = sizeof(status) };
        _cleanup_close_ int group = -EBADF, iommufd = -EBADF, cdev = -EBADF;

        group = open(group_path, O_RDWR | O_CLOEXEC);
        if (group < 0 || ioctl(group, VFIO_GROUP_GET_STATUS, &status) < 0)
                return -errno;
        group = close_fd(group);

        iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
        if (iommufd < 0 || ioctl(iommufd, IOMMU_OPTION, &option) < 0)
                return -errno;

        cdev = open(cdev_path, O_RDWR | O_CLOEXEC);
        return cdev < 0 ? -errno : 0;
}

static int noop(sd_bus *bus) {
        return sd_bus_call_method(
                bus, IOMMUD_BUS_NAME, IOMMUD_PATH, "org.freedesktop.DBus.Peer", "Ping", NULL, NULL, NULL);
}

static int acquire(sd_bus *bus, const char *address, sd_bus_message **ret_reply) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_call_method(bus, IOMMUD_BUS_NAME, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "Acquire",
                &error, ret_reply, "asa{sv}", 1, address, 0);
        if (r < 0)
                fprintf(stderr, "Acquire: %s: %s\n", error.name ?: "?",
                        error.message ?: strerrordesc_np(-r));

        return r;
}

static int on_removed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        bool *gone = userdata;

        *gone = true;
        return 0;
}

/*
 * The lease ends with its descriptors, which live in the reply; the device is free again when its object has
 * gone.
 */
static int wait_gone(sd_bus *bus, const bool *gone) {
        int r = 0;

        while (!*gone && r >= 0) {
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
        }

        return r;
}

/*
 * Giving a device back makes events, and udev and the daemon work on them for a while: that belongs
 * to no Acquire.
 */
static int settle(sd_bus *bus) {
        if (system("udevadm settle") != 0)
                return -EIO;

        return noop(bus);
}

static int run(sd_bus *bus, const char *address, unsigned rounds) {
        Samples noops = {}, bares = {}, acquires = {}, cycles = {};
        char group[64], cdev[64];
        uint64_t t, m_noop, m_bare, m_acquire;
        bool gone = false;
        int r;

        r = find_nodes(address, group, cdev, sizeof(group));
        if (r < 0) {
                fprintf(stderr, "%s is not on vfio-pci, or has no IOMMU group.\n", address);
                return r;
        }

        r = sd_bus_match_signal(bus, NULL, IOMMUD_BUS_NAME, IOMMUD_PATH,
                "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", on_removed, &gone);
        if (r < 0)
                return r;

        for (unsigned i = 0; i < rounds; i++) {
                sd_bus_message *reply = NULL;
                uint64_t begin;

                r = settle(bus);
                if (r < 0)
                        return r;

                t = now_nsec();
                r = noop(bus);
                if (r < 0)
                        return r;
                sample(&noops, t);

                /* the node has another number each time that the device was given back */
                r = find_nodes(address, group, cdev, sizeof(group));
                if (r < 0)
                        return r;
                t = now_nsec();
                r = bare_acquire(group, cdev);
                if (r < 0)
                        return r;
                sample(&bares, t);

                gone = false;
                begin = now_nsec();
                r = acquire(bus, address, &reply);
                if (r < 0)
                        return r;
                sample(&acquires, begin);

                sd_bus_message_unref(reply);
                r = wait_gone(bus, &gone);
                if (r < 0)
                        return r;
                sample(&cycles, begin);
        }

        m_noop = median(&noops);
        m_bare = median(&bares);
        m_acquire = median(&acquires);
        printf("no-op call           %8" PRIu64 " us\n", m_noop);
        printf("bare open and ioctl  %8" PRIu64 " us\n", m_bare);
        printf("Acquire              %8" PRIu64 " us   = bare + %.2f no-op calls\n", m_acquire,
               ((double) m_acquire - (double) m_bare) / (double) m_noop);
        printf("Acquire to free again%8" PRIu64 " us   (proved free, reset, driver bound again)\n",
                median(&cycles));
        return 0;
}

int main(int argc, char *argv[]) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        uint32_t rounds = 100;
        int r;

        if (argc < 2) {
                fprintf(stderr, "Usage: bench-acquire ADDRESS [ROUNDS]\n");
                return 2;
        }

        if (argc > 2 && (parse_u32(argv[2], &rounds) < 0 || rounds == 0 || rounds > ROUNDS_MAX)) {
                fprintf(stderr, "ROUNDS must be from 1 to %u.\n", ROUNDS_MAX);
                return 2;
        }

        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = run(bus, argv[1], rounds);
        if (r < 0)
                fprintf(stderr, "bench-acquire: %s\n", strerrordesc_np(-r));

        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
