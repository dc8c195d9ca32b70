/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "kernel/driver.h"
#include "kernel/path.h"
#include "kernel/power.h"
#include "kernel/retry.h"
#include "kernel/vfio-node.h"

/* A device and what binds it. */
typedef struct Binding {
        const IommufdBackend *backend;
        const char *subsystem;
        const char *name;
        char device[KERNEL_PATH_MAX];        /* its directory */
} Binding;

static int binding_init(Binding *binding, const IommufdBackend *backend, const char *subsystem,
                        const char *name, KernelFailure *reterr) {
        *binding = (Binding) { .backend = backend, .subsystem = subsystem, .name = name };
        return kernel_device_find(backend, subsystem, name, binding->device, reterr);
}

/* "" for none. While an unbind is under way there is none already. */
static int read_driver(const char *device, char *ret, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX];
        int r;

        r = kernel_path(path, reterr, "%s/driver", device);
        if (r < 0)
                return r;

        r = readlink_name_at(AT_FDCWD, path, ret, KERNEL_NAME_MAX);
        if (r == -ENOENT) {
                if (access(device, F_OK) >= 0) {
                        ret[0] = '\0';
                        return 0;
                }
                r = errno == ENOENT ? -ENODEV : -errno;
        }
        if (r < 0)
                return kernel_failure(reterr, r, "read the link %s", path);
        return 0;
}

static int read_override(const char *device, char *ret, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX], text[KERNEL_NAME_MAX + 1];
        ssize_t n;
        int r;

        r = kernel_path(path, reterr, "%s/driver_override", device);
        if (r < 0)
                return r;

        n = read_text_at(AT_FDCWD, path, text, sizeof(text));
        if (n == -ENOENT || strcmp(text, "(null)") == 0)
                text[0] = '\0';              /* a bus without overrides; one that isn't set */
        else if (n < 0)
                return kernel_failure(reterr, (int) n, "read %s", path);

        r = copy_string(ret, KERNEL_NAME_MAX, text);
        if (r < 0)
                return kernel_failure(reterr, r, "read %s", path);
        return 0;
}

static int binding_write_override(const Binding *binding, const char *override, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX], current[KERNEL_NAME_MAX];
        int r;

        r = read_override(binding->device, current, reterr);
        if (r < 0)
                return r;
        if (strcmp(current, override) == 0)
                return 0;

        r = kernel_path(path, reterr, "%s/driver_override", binding->device);
        if (r < 0)
                return r;

        /* an empty write would not get there at all; an empty line clears it */
        r = write_text_at(AT_FDCWD, path, override[0] != '\0' ? override : "\n");
        if (r < 0)
                return kernel_failure(reterr, r, "write \"%s\" to %s", override, path);
        return 0;
}

/* Writes the device's name to a file of a driver of its bus: "bind" or "unbind". */
static int binding_write(const Binding *binding, const char *driver, const char *file,
                         KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX];
        int r;

        r = kernel_path(path, reterr, "%s/bus/%s/drivers/%s/%s",
                        binding->backend->sysfs, binding->subsystem, driver, file);
        if (r < 0)
                return r;

        r = write_text_at(AT_FDCWD, path, binding->name);
        if (r < 0)
                return kernel_failure(reterr, r, "write %s to %s", binding->name, path);
        return 0;
}

/* Before anything is touched: is there such a driver? */
static int binding_check_driver(const Binding *binding, const char *driver, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX];
        int r;

        if (!kernel_name_is_valid(driver))
                return kernel_failure(reterr, -EINVAL, "find the driver %s", driver);

        r = kernel_path(path, reterr, "%s/bus/%s/drivers/%s",
                        binding->backend->sysfs, binding->subsystem, driver);
        if (r < 0)
                return r;
        if (access(path, F_OK) >= 0)
                return 0;

        r = -errno;
        if (r == -ENOENT && strncmp(driver, "vfio", 4) == 0)
                return kernel_failure(reterr, r, "%s is not loaded: modprobe %s", driver, driver);
        return kernel_failure(reterr, r, "find the driver %s", path);
}

static int binding_unbind(const Binding *binding, KernelFailure *reterr) {
        char current[KERNEL_NAME_MAX];
        int r;

        r = read_driver(binding->device, current, reterr);
        if (r < 0 || current[0] == '\0')
                return r;

        r = binding_write(binding, current, "unbind", reterr);
        /* it has lost that driver meanwhile; what it has now is looked at when we are done */
        return r == -ENODEV ? 0 : r;
}

/*
 * Has the bus look for a driver. That it finds none, or one that then fails, is what would have become of
 * the device without us too: the kernel's log says why.
 */
static int binding_probe(const Binding *binding, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX];
        int r;

        r = kernel_path(
                path, reterr, "%s/bus/%s/drivers_probe", binding->backend->sysfs, binding->subsystem);
        if (r < 0)
                return r;

        r = write_text_at(AT_FDCWD, path, binding->name);
        if (r < 0 && r != -EINVAL)
                return kernel_failure(reterr, r, "write %s to %s", binding->name, path);
        return 0;
}

static int binding_bind(const Binding *binding, const char *driver, KernelFailure *reterr) {
        Retry retry = RETRY_INIT;
        int r;

        /*
         * EAGAIN: the driver waits for another one to come up. ENODEV: the driver does not want the device,
         * or the bus has just found that and lets no driver have it before it has found all.
         */
        do
                r = binding_write(binding, driver, "bind", reterr);
        while ((r == -EAGAIN || (r == -ENODEV && access(binding->device, F_OK) >= 0)) &&
               retry_again(&retry));

        return r;
}

/* @bound is what binding said; *reterr has it in words if it is negative. */
static int binding_verify(const Binding *binding, const char *driver, int bound, KernelFailure *reterr) {
        char current[KERNEL_NAME_MAX];
        KernelFailure failure;
        int r;

        r = read_driver(binding->device, current, &failure);
        if (r < 0) {
                if (reterr)
                        *reterr = failure;
                return r;
        }

        if (strcmp(current, driver) == 0)
                return 0;
        if (bound < 0)
                return bound;
        return kernel_failure(reterr, -EBUSY, "bind %s to \"%s\": another has bound it to \"%s\"",
                              binding->name, driver, current);
}

/*
 * A VFIO driver that has come without the device's node is of no use to anybody, and comes with it only when
 * it is bound again: the device is better without a driver, where everybody can see that something is wrong.
 */
static int binding_check_node(const Binding *binding, KernelFailure *reterr) {
        int r;

        r = vfio_node_check_made(binding->backend, binding->device, reterr);
        if (r < 0)
                /* what keeps it bound is no news to who is told that there is no node */
                (void) binding_unbind(binding, /* reterr= */ NULL);
        return r;
}

/*
 * The override that holds while the device is rebound: no driver but the wanted one can take it, and that
 * one can even if the device was given to it by other means before.
 */
static const char *transit_override(const char *driver, const char *override) {
        return driver[0] != '\0' ? driver : override;
}

static int binding_run(const Binding *binding, const char *driver, const char *override,
                       KernelFailure *reterr) {
        bool any = strcmp(driver, DRIVER_ANY) == 0;
        int r;

        /* first of all: no driver that isn't meant can take the device in the moment when it has none */
        r = binding_write_override(binding, any ? override : transit_override(driver, override), reterr);
        if (r < 0 && (r != -ENOENT || override[0] != '\0'))     /* not every bus has overrides */
                return r;

        r = binding_unbind(binding, reterr);
        if (r < 0)
                return r;

        if (any)
                return binding_probe(binding, reterr);

        if (driver[0] != '\0') {
                r = binding_bind(binding, driver, reterr);
                if (r < 0 && r != -EBUSY)
                        return r;
        }

        /* EBUSY: somebody was faster, and it may be the same driver */
        r = binding_verify(binding, driver, r, reterr);
        if (r < 0)
                return r;

        r = binding_check_node(binding, reterr);
        if (r < 0)
                return r;

        return binding_write_override(binding, override, reterr);
}

static int binding_set(const Binding *binding, const char *driver, const char *override,
                       KernelFailure *reterr) {
        char current[KERNEL_NAME_MAX];
        int r;

        r = read_driver(binding->device, current, reterr);
        if (r < 0)
                return r;
        if (strcmp(current, driver) == 0)
                return binding_write_override(binding, override, reterr);

        if (driver[0] != '\0' && strcmp(driver, DRIVER_ANY) != 0) {
                r = binding_check_driver(binding, driver, reterr);
                if (r < 0)
                        return r;
        }

        return binding_run(binding, driver, override, reterr);
}

int driver_set(const IommufdBackend *backend, const char *subsystem, const char *name, const char *driver,
               const char *override, PowerControl power, KernelFailure *reterr) {
        Binding binding;
        int r;

        r = binding_init(&binding, backend, subsystem, name, reterr);
        if (r < 0)
                return r;

        r = binding_set(&binding, driver, override, reterr);
        if (r < 0)
                return r;

        /* last: the one driver has set it when it went, the other when it came */
        return power_write(binding.device, power, reterr);
}

int driver_read(const char *device, char *ret_driver, char *ret_override, KernelFailure *reterr) {
        char driver[KERNEL_NAME_MAX], override[KERNEL_NAME_MAX];
        int r;

        r = read_driver(device, driver, reterr);
        if (r < 0)
                return r;

        r = read_override(device, override, reterr);
        if (r < 0)
                return r;

        strcpy(ret_driver, driver);
        strcpy(ret_override, override);
        return 0;
}
