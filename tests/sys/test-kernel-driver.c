/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * set_driver and read_driver on a made tree that answers writes as Linux' driver core does, and fails each
 * of them in turn.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "kernel/iommufd-backend.h"
#include "tree.h"

#define NAME "0000:00:04.0"
#define DEVICE "devices/pci0000:00/" NAME

static Tree *tree;
static IommufdBackend backend;
static Kernel kernel;

static char writes[1024];                    /* what was written, in words */
static unsigned n_calls, fail_at;            /* the calls that a test can fail; the one that it does */
static int fail_errno;
static unsigned n_busy;                      /* so many binds are put off */
static unsigned n_pauses;
static bool refuse;                          /* no driver wants the device */
static bool without_node;                    /* a VFIO driver comes without the device's node in /dev */
static const char *thief;                    /* a driver that takes the device as soon as it has none */

int __wrap_write_text_at(int dir, const char *path, const char *text);
int __wrap_nanosleep(const struct timespec *duration, struct timespec *left);
int __wrap_readlink_name_at(int dir, const char *path, char *buffer, size_t size);
int __real_readlink_name_at(int dir, const char *path, char *buffer, size_t size);
ssize_t __wrap_read_text_at(int dir, const char *path, char *buffer, size_t size);
ssize_t __real_read_text_at(int dir, const char *path, char *buffer, size_t size);

int __wrap_nanosleep(const struct timespec *duration, struct timespec *left) {
        n_pauses++;
        return 0;
}

static bool must_fail(void) {
        return ++n_calls == fail_at;
}

int __wrap_readlink_name_at(int dir, const char *path, char *buffer, size_t size) {
        return must_fail() ? -fail_errno : __real_readlink_name_at(dir, path, buffer, size);
}

ssize_t __wrap_read_text_at(int dir, const char *path, char *buffer, size_t size) {
        buffer[0] = '\0';
        return must_fail() ? -fail_errno : __real_read_text_at(dir, path, buffer, size);
}

static void set_link(const char *driver) {
        char target[128];

        if (strcmp(driver, "vfio-pci") == 0) {
                tree_file(tree, "241:3\n", DEVICE "/vfio-dev/vfio3/dev");
                if (!without_node)
                        tree_file(tree, "", "dev/vfio/devices/vfio3");
        }
        snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
        tree_link(tree, target, DEVICE "/driver");
}

static const char *get_driver(void) {
        static char driver[KERNEL_NAME_MAX];

        if (__real_readlink_name_at(tree->fd, DEVICE "/driver", driver, sizeof(driver)) < 0)
                return "";
        return driver;
}

static const char *get_override(void) {
        static char override[KERNEL_NAME_MAX];

        if (__real_read_text_at(tree->fd, DEVICE "/driver_override", override, sizeof(override)) < 0 ||
            strcmp(override, "(null)") == 0)
                return "";
        return override;
}

static int kernel_unbind(const char *driver) {
        if (strcmp(get_driver(), driver) != 0)
                return -ENODEV;
        tree_remove(tree, DEVICE "/driver");
        if (strcmp(driver, "vfio-pci") == 0) {
                tree_remove(tree, DEVICE "/vfio-dev/vfio3/dev");
                tree_remove(tree, DEVICE "/vfio-dev/vfio3");
                if (faccessat(tree->fd, "dev/vfio/devices/vfio3", F_OK, 0) >= 0)
                        tree_remove(tree, "dev/vfio/devices/vfio3");
                tree_file(tree, "on\n", DEVICE "/power/control");
        }
        if (thief)
                set_link(thief);
        return 0;
}

static int busy_error = -EAGAIN, probe_error;

static int kernel_bind(const char *driver) {
        const char *override = get_override();

        if (get_driver()[0])
                return -EBUSY;
        /* only an override makes vfio-pci match, and any driver but the one in it doesn't */
        if (refuse || (override[0] ? strcmp(override, driver) != 0 : strcmp(driver, "vfio-pci") == 0))
                return -ENODEV;
        if (n_busy > 0) {
                n_busy--;
                return busy_error;
        }
        set_link(driver);
        return 0;
}

static int kernel_probe(void) {
        const char *override = get_override();

        if (probe_error < 0)
                return probe_error;
        if (get_driver()[0] == '\0' && !refuse)
                set_link(override[0] ? override : "nvme");
        return 0;
}

int __wrap_write_text_at(int dir, const char *path, const char *text) {
        const char *file = strrchr(path, '/') + 1;
        char directory[256], driver[KERNEL_NAME_MAX];
        size_t length = strlen(writes);

        snprintf(directory, sizeof(directory), "%.*s", (int) (file - path - 1), path);
        snprintf(driver, sizeof(driver), "%.63s", strrchr(directory, '/') + 1);
        snprintf(writes + length, sizeof(writes) - length, "%s%s=%s", length ? " " : "", file,
                strcmp(text, "\n") == 0 ? "" : strcmp(text, NAME) == 0 ? driver : text);
        if (must_fail())
                return -fail_errno;

        if (strcmp(file, "unbind") == 0)
                return kernel_unbind(driver);
        if (strcmp(file, "drivers_probe") == 0)
                return kernel_probe();
        if (strcmp(file, "bind") == 0)
                return kernel_bind(driver);

        if (strcmp(path + strlen(path) - strlen("/power/control"), "/power/control") == 0) {
                tree_file(tree, strcmp(text, "on") == 0 ? "on\n" : "auto\n", DEVICE "/power/control");
                return 0;
        }

        assert(strcmp(file, "driver_override") == 0);
        if (faccessat(tree->fd, DEVICE "/driver_override", F_OK, 0) < 0)
                return -errno;
        tree_file(tree, strcmp(text, "\n") == 0 ? "(null)\n" : text, DEVICE "/driver_override");
        return 0;
}

static void setup(const char *driver, const char *override) {
        static const char *const drivers[] = { "vfio-pci", "nvme", "other" };
        static char dev[sizeof(tree->path) + 8];

        tree_free(tree);
        without_node = false;
        tree = tree_new();
        tree_pci_device(tree, NAME, 7, NULL);
        for (size_t i = 0; i < ELEMENTSOF(drivers); i++)
                tree_dir(tree, "bus/pci/drivers/%s", drivers[i]);
        if (driver[0])
                set_link(driver);
        tree_file(tree, override[0] ? override : "(null)\n", DEVICE "/driver_override");

        snprintf(dev, sizeof(dev), "%s/dev", tree->path);
        backend = (IommufdBackend) { .sysfs = tree->path, .dev = dev, .proc = "/proc" };
        kernel = iommufd_backend_kernel(&backend);
        writes[0] = '\0';
        n_calls = fail_at = n_busy = n_pauses = 0;
        refuse = false;
        thief = NULL;
        probe_error = 0;
}

static int set_driver(const char *driver, const char *override, KernelFailure *reterr) {
        return kernel.ops->set_driver(
                kernel.userdata, "pci", NAME, driver, override, POWER_CONTROL_NONE, reterr);
}

static int set_driver_of(const char *subsystem, const char *name, KernelFailure *reterr) {
        return kernel.ops->set_driver(
                kernel.userdata, subsystem, name, "nvme", "", POWER_CONTROL_NONE, reterr);
}

static void test_way(const char *from, const char *from_override, const char *to, const char *to_override,
                     const char *expected) {
        KernelFailure failure;

        setup(from, from_override);
        assert(set_driver(to, to_override, &failure) == 0);
        assert(strcmp(get_driver(), to) == 0);
        assert(strcmp(get_override(), to_override) == 0);
        assert(strcmp(writes, expected) == 0);
}

static void test_ways(void) {
        test_way("nvme", "", "vfio-pci", "vfio-pci", "driver_override=vfio-pci unbind=nvme bind=vfio-pci");
        test_way("vfio-pci", "vfio-pci", "nvme", "",
                "driver_override=nvme unbind=vfio-pci bind=nvme driver_override=");
        test_way("", "", "vfio-pci", "vfio-pci", "driver_override=vfio-pci bind=vfio-pci");
        test_way("vfio-pci", "vfio-pci", "", "", "driver_override= unbind=vfio-pci");

        /* nothing to do, or not much */
        test_way("nvme", "", "nvme", "", "");
        test_way("", "", "", "", "");
        test_way("vfio-pci", "", "vfio-pci", "vfio-pci", "driver_override=vfio-pci");

        /*
         * an override that would keep the driver away: a device can be found like this, so it's given back
         * like this
         */
        test_way("vfio-pci", "vfio-pci", "nvme", "other",
                "driver_override=nvme unbind=vfio-pci bind=nvme driver_override=other");
        test_way("nvme", "", "vfio-pci", "",
                "driver_override=vfio-pci unbind=nvme bind=vfio-pci driver_override=");
}

/* The kernel chooses: that it has nothing for the device, or what it has fails, is its answer. */
static void test_any(void) {
        KernelFailure failure;

        setup("vfio-pci", "vfio-pci");
        assert(set_driver(DRIVER_ANY, "", &failure) == 0);
        assert(strcmp(writes, "driver_override= unbind=vfio-pci drivers_probe=pci") == 0);
        assert(strcmp(get_driver(), "nvme") == 0);

        setup("", "vfio-pci");
        assert(set_driver(DRIVER_ANY, "other", &failure) == 0);
        assert(strcmp(writes, "driver_override=other drivers_probe=pci") == 0);
        assert(strcmp(get_driver(), "other") == 0);

        setup("vfio-pci", "vfio-pci");
        refuse = true;
        assert(set_driver(DRIVER_ANY, "", &failure) == 0);
        assert(strcmp(get_driver(), "") == 0);

        setup("vfio-pci", "vfio-pci");
        probe_error = -EINVAL;
        assert(set_driver(DRIVER_ANY, "", &failure) == 0);
        assert(strcmp(get_driver(), "") == 0 && strcmp(get_override(), "") == 0);

        setup("vfio-pci", "vfio-pci");
        probe_error = -EIO;
        assert(set_driver(DRIVER_ANY, "", &failure) == -EIO);
        assert(strstr(failure.call, "/bus/pci/drivers_probe"));
}

/* A driver sets it when it comes or goes; the last word is who asks'. */
static void test_power(void) {
        static const struct {
                const char *from, *before;
                PowerControl power;
                const char *writes, *after;
        } table[] = {
                { "vfio-pci", "auto\n", POWER_CONTROL_AUTO,
                  "driver_override=nvme unbind=vfio-pci bind=nvme driver_override= control=auto", "auto" },
                { "vfio-pci", "auto\n", POWER_CONTROL_ON,
                  "driver_override=nvme unbind=vfio-pci bind=nvme driver_override=", "on" },
                { "vfio-pci", "auto\n", POWER_CONTROL_NONE,
                  "driver_override=nvme unbind=vfio-pci bind=nvme driver_override=", "on" },
                /* the driver is back, and whoever brought it back has ended there */
                { "nvme", "on\n", POWER_CONTROL_AUTO, "control=auto", "auto" },
                { "nvme", "auto\n", POWER_CONTROL_AUTO, "", "auto" },
                { "nvme", "what\n", POWER_CONTROL_NONE, "", "what" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                KernelFailure failure;
                PowerControl power;
                char text[16];

                setup(table[i].from, strcmp(table[i].from, "nvme") == 0 ? "" : "vfio-pci");
                tree_file(tree, table[i].before, DEVICE "/power/control");
                assert(kernel.ops->set_driver(
                               kernel.userdata, "pci", NAME, "nvme", "", table[i].power, &failure) == 0);
                assert(strcmp(writes, table[i].writes) == 0);
                assert(__real_read_text_at(tree->fd, DEVICE "/power/control", text, sizeof(text)) > 0);
                assert(strcmp(text, table[i].after) == 0);
                assert(kernel.ops->read_power(kernel.userdata, "pci", NAME, NULL, &power, &failure) == 0);
                assert(power == (text[0] == 'o'   ? POWER_CONTROL_ON
                                 : text[0] == 'a' ? POWER_CONTROL_AUTO
                                                  : POWER_CONTROL_NONE));
        }
}

static void test_power_fails(void) {
        KernelFailure failure;
        PowerControl power;

        /* what has none is left alone */
        setup("nvme", "");
        assert(kernel.ops->read_power(kernel.userdata, "pci", NAME, NULL, &power, &failure) == 0);
        assert(power == POWER_CONTROL_NONE);
        assert(kernel.ops->read_power(kernel.userdata, "pci", "x", NULL, &power, &failure) == -ENODEV);

        tree_file(tree, "on\n", DEVICE "/power/control");
        for (fail_at = 1; fail_at <= 4; fail_at++) {
                n_calls = 0;
                fail_errno = EIO;
                assert(kernel.ops->set_driver(kernel.userdata, "pci", NAME, "nvme", "", POWER_CONTROL_AUTO,
                                              &failure) == -EIO);
        }
        assert(strstr(failure.call, NAME "/power/control"));
        fail_at = 1;
        n_calls = 0;
        assert(kernel.ops->read_power(kernel.userdata, "pci", NAME, NULL, &power, &failure) == -EIO);
}

static void test_refusals(void) {
        KernelFailure failure;

        setup("nvme", "");
        tree_remove(tree, "bus/pci/drivers/vfio-pci");
        assert(set_driver("vfio-pci", "vfio-pci", &failure) == -ENOENT);
        assert(strcmp(failure.call, "vfio-pci is not loaded: modprobe vfio-pci") == 0);
        assert(strcmp(writes, "") == 0);                     /* before anything was touched */

        assert(set_driver("../nvme", "", &failure) == -EINVAL);
        assert(set_driver_of("pci", "../x", &failure) == -EINVAL);
        assert(set_driver_of("..", NAME, &failure) == -EINVAL);
        assert(set_driver_of("pci", "x", &failure) == -ENODEV);
        assert(strcmp(writes, "") == 0);

        /* the driver doesn't want it; what the kernel said is what we say */
        setup("nvme", "");
        refuse = true;
        assert(set_driver("vfio-pci", "vfio-pci", &failure) == -ENODEV);
        assert(strncmp(failure.call, "write " NAME " to /tmp/", strlen("write " NAME " to /tmp/")) == 0);
        assert(strstr(failure.call, "/bus/pci/drivers/vfio-pci/bind"));
        assert(strcmp(get_driver(), "") == 0);
}

static void test_put_off(void) {
        KernelFailure failure;

        setup("nvme", "");
        n_busy = 3;
        assert(set_driver("vfio-pci", "vfio-pci", &failure) == 0);
        assert(n_pauses == 3);

        /* it was plugged in a moment ago: the bus lets no driver have it yet */
        busy_error = -ENODEV;
        setup("", "");
        n_busy = 3;
        assert(set_driver("vfio-pci", "vfio-pci", &failure) == 0);
        assert(n_pauses == 3);
        busy_error = -EAGAIN;

        setup("nvme", "");
        n_busy = 1000;
        assert(set_driver("vfio-pci", "vfio-pci", &failure) == -EAGAIN);
        assert(n_pauses > 0 && n_pauses < 100);
        assert(strstr(failure.call, "/drivers/vfio-pci/bind"));
}

static void test_thief(void) {
        KernelFailure failure;

        /* somebody binds it to another driver in between */
        setup("nvme", "");
        thief = "other";
        assert(set_driver("vfio-pci", "vfio-pci", &failure) == -EBUSY);
        assert(strstr(failure.call, "/drivers/vfio-pci/bind"));
        assert(failure.error == -EBUSY);

        setup("nvme", "");
        thief = "other";
        assert(set_driver("", "", &failure) == -EBUSY);
        assert(strcmp(failure.call, "bind " NAME " to \"\": another has bound it to \"other\"") == 0);

        /* or to the right one */
        setup("nvme", "");
        thief = "vfio-pci";
        assert(set_driver("vfio-pci", "vfio-pci", &failure) == 0);
}

/* A VFIO driver is there with its node, or not at all: then it comes with it the next time. */
static void test_no_node(void) {
        KernelFailure failure;

        setup("nvme", "");
        without_node = true;
        assert(set_driver("vfio-pci", "", &failure) == -ENOENT);
        assert(strstr(failure.call, "/dev/vfio/devices/vfio3, which the kernel should have made"));
        assert(strcmp(writes, "driver_override=vfio-pci unbind=nvme bind=vfio-pci unbind=vfio-pci") == 0);
        assert(strcmp(get_driver(), "") == 0);

        without_node = false;
        assert(set_driver("vfio-pci", "", &failure) == 0);
        assert(strcmp(get_driver(), "vfio-pci") == 0 && strcmp(get_override(), "") == 0);

        /* whether it is there can't be found out */
        setup("nvme", "");
        tree_file(tree, "", DEVICE "/vfio-dev");
        assert(set_driver("other", "", &failure) == -ENOTDIR);
        assert(strcmp(get_driver(), "") == 0);
}

/* Whatever fails, it says so, nothing leaks, and asking for the original brings it back. */
static void test_every_failure(const char *from, const char *from_override, const char *to,
                               const char *to_override) {
        for (unsigned n = 1;; n++) {
                KernelFailure failure = {};
                int before, after, r;

                setup(from, from_override);
                fail_at = n;
                fail_errno = EIO;

                before = fd_dup(0);
                close_fd(before);
                r = set_driver(to, to_override, &failure);
                after = fd_dup(0);
                close_fd(after);
                assert(before == after);
                if (n_calls < n) {
                        assert(r == 0);
                        assert(n > 5);
                        return;
                }

                assert(r == -EIO);
                assert(failure.error == -EIO);
                assert(failure.call[0]);

                fail_at = 0;
                assert(set_driver(from, from_override, &failure) == 0);
                assert(strcmp(get_driver(), from) == 0);
                assert(strcmp(get_override(), from_override) == 0);
        }
}

static void test_read(void) {
        char driver[KERNEL_NAME_MAX], override[KERNEL_NAME_MAX];
        KernelFailure failure;

        setup("nvme", "");
        assert(kernel.ops->read_driver(kernel.userdata, "pci", NAME, NULL, driver, override, &failure) == 0);
        assert(strcmp(driver, "nvme") == 0 && strcmp(override, "") == 0);

        setup("", "vfio-pci");
        assert(kernel.ops->read_driver(kernel.userdata, "pci", NAME, NULL, driver, override, &failure) == 0);
        assert(strcmp(driver, "") == 0 && strcmp(override, "vfio-pci") == 0);

        assert(kernel.ops->read_driver(kernel.userdata, "pci", "x", NULL, driver, override, &failure) ==
               -ENODEV);
        assert(failure.error == -ENODEV);

}

static void test_no_overrides(void) {
        char driver[KERNEL_NAME_MAX], override[KERNEL_NAME_MAX];
        KernelFailure failure;

        setup("nvme", "");
        tree_remove(tree, DEVICE "/driver_override");
        assert(kernel.ops->read_driver(kernel.userdata, "pci", NAME, NULL, driver, override, &failure) == 0);
        assert(strcmp(driver, "nvme") == 0 && strcmp(override, "") == 0);

        assert(set_driver("other", "", &failure) == 0);
        assert(strcmp(get_driver(), "other") == 0);
        assert(set_driver("vfio-pci", "vfio-pci", &failure) == -ENOENT);
        assert(strstr(failure.call, NAME "/driver_override"));
        assert(strcmp(get_driver(), "other") == 0);
}

int main(void) {
        test_ways();
        test_any();
        test_power();
        test_power_fails();
        test_refusals();
        test_put_off();
        test_thief();
        test_no_node();
        test_every_failure("nvme", "", "vfio-pci", "vfio-pci");
        test_every_failure("vfio-pci", "vfio-pci", "nvme", "other");
        test_every_failure("nvme", "", "", "");
        test_every_failure("vfio-pci", "vfio-pci", DRIVER_ANY, "");
        test_read();
        test_no_overrides();
        tree_free(tree);
        return 0;
}
