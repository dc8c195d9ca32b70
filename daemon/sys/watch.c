/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <libudev.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/parse.h"
#include "core/device.h"
#include "sys/watch.h"

/* Room for what a host says when it makes a thousand virtual functions at once. */
#define RECEIVE_BUFFER_SIZE (16 * 1024 * 1024)

/* So many events are taken before others in the loop have their turn. */
#define EVENTS_MAX 256

typedef struct Changed {
        char subsystem[sizeof((DeviceFacts) {}.subsystem)];
        char name[KERNEL_NAME_MAX];
} Changed;

struct Watch {
        WatchFunc func;
        void *userdata;
        struct udev *udev;
        struct udev_monitor *monitor;
        sd_event_source *source;
        Changed changed[EVENTS_MAX];         /* collected from the events of one turn */
        unsigned n_changed;
        bool all_changed;
};

static void watch_add(Watch *watch, const char *subsystem, const char *name) {
        Changed *c = &watch->changed[watch->n_changed];

        for (unsigned i = 0; i < watch->n_changed; i++)
                if (strcmp(watch->changed[i].name, name) == 0 &&
                    strcmp(watch->changed[i].subsystem, subsystem) == 0)
                        return;

        assert(watch->n_changed < EVENTS_MAX);

        /* what fits no field is not known to anyone either */
        if (copy_string(c->subsystem, sizeof(c->subsystem), subsystem) >= 0 &&
            copy_string(c->name, sizeof(c->name), name) >= 0)
                watch->n_changed++;
}

/*
 * The device that a VFIO node is made for, two directories up. Its name is in the path; its subsystem can
 * only be had while it is there, and libudev would go on upwards to a bridge if it isn't.
 */
static struct udev_device *vfio_node_parent(struct udev_device *node) {
        const char *path = udev_device_get_devpath(node);
        struct udev_device *parent;
        size_t length;

        parent = udev_device_get_parent(node);
        if (!parent || !path)
                return NULL;

        length = strlen(udev_device_get_devpath(parent));
        if (strncmp(path, udev_device_get_devpath(parent), length) != 0 ||
            strncmp(path + length, "/vfio-dev/", strlen("/vfio-dev/")) != 0)
                return NULL;

        return parent;
}

/*
 * Devices of every bus can be in an IOMMU group: which are is in sysfs. A driver that comes may be the one
 * that a whole bus has waited for.
 */
static void watch_take_event(Watch *watch, struct udev_device *device) {
        const char *subsystem = udev_device_get_subsystem(device), *name;

        if (subsystem && strcmp(subsystem, "drivers") == 0) {
                name = udev_device_get_sysname(device);
                if (name && strncmp(name, "vfio", 4) == 0)
                        watch->all_changed = true;
                return;
        }

        if (subsystem && strcmp(subsystem, "vfio-dev") == 0) {
                device = vfio_node_parent(device);
                subsystem = device ? udev_device_get_subsystem(device) : NULL;
        }

        name = device ? udev_device_get_sysname(device) : NULL;
        if (subsystem && name)
                watch_add(watch, subsystem, name);
        else
                watch->all_changed = true;
}

static void watch_deliver(Watch *watch) {
        unsigned n = watch->n_changed;

        watch->n_changed = 0;
        if (watch->all_changed) {
                watch->all_changed = false;
                watch->func(/* subsystem= */ NULL, /* name= */ NULL, watch->userdata);
                return;
        }

        for (unsigned i = 0; i < n; i++)
                watch->func(watch->changed[i].subsystem, watch->changed[i].name, watch->userdata);
}

static int on_event(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Watch *watch = userdata;

        for (unsigned i = 0; i < EVENTS_MAX; i++) {
                struct udev_device *device;

                errno = 0;
                device = udev_monitor_receive_device(watch->monitor);
                if (!device) {
                        /* ENOBUFS: the socket was full and the kernel has thrown events away */
                        if (errno == ENOBUFS || (revents & EPOLLERR))
                                watch->all_changed = true;
                        break;
                }

                watch_take_event(watch, device);
                udev_device_unref(device);
        }

        watch_deliver(watch);
        return 0;
}

static int watch_open_monitor(Watch *watch) {
        watch->udev = udev_new();
        if (!watch->udev)
                return -ENOMEM;

        /*
         * From the kernel, not from udev: what we look at afterwards is in sysfs and there at that moment,
         * and no rule has a say in it. So it is known earlier, and known where udev doesn't run. The kernel
         * tells everybody everything: a filter would only throw away what has woken us already.
         */
        errno = 0;
        watch->monitor = udev_monitor_new_from_netlink(watch->udev, "kernel");
        if (!watch->monitor)
                return errno > 0 ? -errno : -ENOMEM;

        /* with less room events get lost sooner, but that's noticed and costs only a scan */
        (void) udev_monitor_set_receive_buffer_size(watch->monitor, RECEIVE_BUFFER_SIZE);

        return udev_monitor_enable_receiving(watch->monitor);
}

int watch_new(sd_event *event, WatchFunc func, void *userdata, Watch **ret) {
        _cleanup_(watch_freep) Watch *watch = NULL;
        int r;

        watch = calloc(1, sizeof(*watch));
        if (!watch)
                return -ENOMEM;

        watch->func = func;
        watch->userdata = userdata;

        r = watch_open_monitor(watch);
        if (r < 0)
                return r;

        r = sd_event_add_io(event, &watch->source, udev_monitor_get_fd(watch->monitor), EPOLLIN,
                            on_event, watch);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(watch);
        return 0;
}

Watch *watch_free(Watch *watch) {
        if (!watch)
                return NULL;

        sd_event_source_disable_unref(watch->source);
        udev_monitor_unref(watch->monitor);
        udev_unref(watch->udev);
        free(watch);
        return NULL;
}
