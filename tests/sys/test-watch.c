/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The watch on a made libudev: a queue of events, and a pipe with a byte for each. */

#include <libudev.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/watch.h"

#define EVENTS_MAX 1024

struct udev_device {
        const char *subsystem, *name, *path;
        struct udev_device *parent;
        int error;                           /* no device but this errno */
};

static struct udev_device queue[EVENTS_MAX];
static unsigned n_queued, n_taken, n_held;
static int ends[2];

#define WRAP(type, name, ...)                                                                            \
        type __wrap_##name(__VA_ARGS__);                                                                 \
        type __wrap_##name(__VA_ARGS__)

static struct udev_monitor *const monitor = (struct udev_monitor *) &queue;

WRAP(struct udev_monitor *, udev_monitor_new_from_netlink, struct udev *udev, const char *name) {
        assert(strcmp(name, "kernel") == 0);
        return monitor;
}

WRAP(struct udev_monitor *, udev_monitor_unref, struct udev_monitor *m) {
        return NULL;
}

WRAP(int, udev_monitor_set_receive_buffer_size, struct udev_monitor *m, int size) {
        return -EPERM;                       /* no harm */
}

WRAP(int, udev_monitor_enable_receiving, struct udev_monitor *m) {
        return 0;
}

WRAP(int, udev_monitor_get_fd, struct udev_monitor *m) {
        return ends[0];
}

WRAP(struct udev_device *, udev_monitor_receive_device, struct udev_monitor *m) {
        struct udev_device *device = &queue[n_taken];
        char byte;

        if (n_taken == n_queued) {
                errno = EAGAIN;
                return NULL;
        }

        assert(read(ends[0], &byte, 1) == 1);
        n_taken++;
        if (device->error) {
                errno = device->error;
                return NULL;
        }
        n_held++;
        return device;
}

WRAP(struct udev_device *, udev_device_unref, struct udev_device *device) {
        n_held--;
        return NULL;
}

WRAP(const char *, udev_device_get_subsystem, struct udev_device *device) {
        return device->subsystem;
}

WRAP(const char *, udev_device_get_sysname, struct udev_device *device) {
        return device->name;
}

WRAP(const char *, udev_device_get_devpath, struct udev_device *device) {
        return device->path;
}

WRAP(struct udev_device *, udev_device_get_parent, struct udev_device *device) {
        return device->parent;
}

static void post(struct udev_device event) {
        assert(n_queued < EVENTS_MAX);
        queue[n_queued++] = event;
        assert(write(ends[1], "", 1) == 1);
}

static char seen[512];                       /* the calls, in words */
static unsigned n_seen;

static void on_changed(const char *subsystem, const char *name, void *userdata) {
        size_t length = strlen(seen);

        assert(userdata == &n_seen);
        assert(!subsystem == !name);
        n_seen++;
        snprintf(seen + length, sizeof(seen) - length, "%s:%s ", subsystem ?: "all", name ?: "");
}

/* All that is pending, and what was called for it. */
static const char *run(sd_event *event) {
        seen[0] = '\0';
        n_seen = 0;
        while (sd_event_run(event, 0) > 0)
                ;
        assert(n_taken == n_queued);
        assert(n_held == 0);
        n_taken = n_queued = 0;
        return seen;
}

static void test_events(sd_event *event) {
        struct udev_device nic = {
                .subsystem = "pci", .name = "0000:00:04.0", .path = "/devices/pci0000:00/0000:00:04.0",
        };
        struct udev_device disk = {
                .subsystem = "pci", .name = "0000:00:05.0", .path = "/devices/pci0000:00/0000:00:05.0",
        };
        struct udev_device node = {
                .subsystem = "vfio-dev", .name = "vfio0",
                .path = "/devices/pci0000:00/0000:00:04.0/vfio-dev/vfio0", .parent = &nic,
        };
        struct udev_device orphan = node;

        /* once each, in the order in which they came; a node is its device's */
        post(nic);
        post(disk);
        post(node);
        post(nic);
        assert(strcmp(run(event), "pci:0000:00:04.0 pci:0000:00:05.0 ") == 0);

        /* the next time they are news again */
        post(nic);
        assert(strcmp(run(event), "pci:0000:00:04.0 ") == 0);

        /* its device has gone: the next one above is not it */
        orphan.path = "/devices/pci0000:00/0000:00:04.0/0000:01:00.0/vfio-dev/vfio0";
        post(orphan);
        assert(strcmp(run(event), "all: ") == 0);
        orphan.parent = NULL;
        post(orphan);
        assert(strcmp(run(event), "all: ") == 0);

        /* lost: what else there is doesn't matter then */
        post(nic);
        post((struct udev_device) { .error = ENOBUFS });
        assert(strcmp(run(event), "all: ") == 0);
        post((struct udev_device) { .error = EINTR });
        assert(strcmp(run(event), "") == 0);

        /* a bus that nobody has heard of; a driver that makes devices of one available; another driver */
        post((struct udev_device) { .subsystem = "new-bus", .name = "new0", .path = "/devices/new0" });
        assert(strcmp(run(event), "new-bus:new0 ") == 0);
        post((struct udev_device) { .subsystem = "drivers", .name = "vfio-new" });
        assert(strcmp(run(event), "all: ") == 0);
        post((struct udev_device) { .subsystem = "drivers", .name = "new" });
        assert(strcmp(run(event), "") == 0);

        /* a name that nothing else here can have */
        disk.name = "a-name-that-is-longer-than-the-kernel-would-ever-give-to-a-device-on-any-bus";
        post(disk);
        assert(strcmp(run(event), "") == 0);
}

/* More than are taken in one turn of the loop. */
static void test_storm(sd_event *event) {
        static char names[EVENTS_MAX][16];

        for (unsigned i = 0; i < EVENTS_MAX; i++) {
                snprintf(names[i], sizeof(names[i]), "0000:00:%04x", i);
                post((struct udev_device) { .subsystem = "pci", .name = names[i] });
        }
        run(event);
        assert(n_seen == EVENTS_MAX);
}

int main(void) {
        sd_event *event = NULL;
        Watch *watch = NULL;

        assert(pipe(ends) == 0);
        assert(sd_event_new(&event) >= 0);
        assert(watch_new(event, on_changed, &n_seen, &watch) == 0);

        test_events(event);
        test_storm(event);

        watch_free(watch);
        sd_event_unref(event);
        close_fd(ends[0]);
        close_fd(ends[1]);
        return 0;
}
