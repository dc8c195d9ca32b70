/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The verbs that open VFIO's and iommufd's nodes, on a made tree: its files pass for the nodes, and ioctls
 * answer what a test wants. Every call that can fail is failed in turn.
 */

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "kernel/iommufd-backend.h"
#include "kernel/uapi.h"
#include "tree.h"

#define NAME "0000:00:04.0"
#define DEVICE "devices/pci0000:00/" NAME
#define NODE_MAJOR 241
#define CONFIG_OFFSET 8                         /* of configuration space in the node */
#define GROUP_MAJOR 240

static Tree *tree;
static char sysfs[80], dev[80], proc[80];
static IommufdBackend backend;
static Kernel kernel;

static unsigned n_calls, fail_at;            /* the calls that a test can fail; the one that it does */
static int bind_errno[40];                   /* the answers to binds, one after the other */
static int reset_errno, group_errno;
static int sysfs_reset;                      /* the answer to a reset through sysfs */
static unsigned n_binds, n_resets, n_pauses;
static uint64_t accounting;
static uint32_t group_flags;
static const char *syspath;                  /* where the device is said to be; NULL: it is not said */
static const char *hidden;                   /* what we may not look into */
static bool gone_at_reset;                   /* the device is unplugged when it is reset */

static bool must_fail(void) {
        if (++n_calls != fail_at)
                return false;
        errno = EIO;
        return true;
}

int __wrap_nanosleep(const struct timespec *duration, struct timespec *left);
int __wrap_nanosleep(const struct timespec *duration, struct timespec *left) {
        n_pauses++;
        return 0;
}

int __wrap_open64(const char *path, int flags, ...);
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...) {
        assert(flags & O_CLOEXEC);
        assert(!(flags & O_CREAT));
        if (must_fail())
                return -1;
        if (group_errno && strstr(path, "/vfio/7")) {
                errno = group_errno;
                return -1;
        }
        return __real_open64(path, flags);
}

int __wrap_openat64(int dir, const char *path, int flags, ...);
int __real_openat64(int dir, const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...) {
        if (flags & O_CREAT)                 /* the tree's */
                return __real_openat64(dir, path, flags, 0644);

        assert(flags & O_CLOEXEC);
        if (must_fail())
                return -1;
        if (hidden && strcmp(path, hidden) == 0) {
                errno = EACCES;
                return -1;
        }
        return __real_openat64(dir, path, flags);
}

int __wrap_readlink_syspath_at(int dir, const char *path, char *buffer, size_t size);
int __real_readlink_syspath_at(int dir, const char *path, char *buffer, size_t size);
int __wrap_readlink_syspath_at(int dir, const char *path, char *buffer, size_t size) {
        return must_fail() ? -EIO : __real_readlink_syspath_at(dir, path, buffer, size);
}

ssize_t __wrap_read_text_at(int dir, const char *path, char *buffer, size_t size);
ssize_t __real_read_text_at(int dir, const char *path, char *buffer, size_t size);
ssize_t __wrap_read_text_at(int dir, const char *path, char *buffer, size_t size) {
        buffer[0] = '\0';
        if (must_fail())
                return -EIO;
        return __real_read_text_at(dir, path, buffer, size);
}

int __wrap_write_text_at(int dir, const char *path, const char *text);
int __wrap_write_text_at(int dir, const char *path, const char *text) {
        assert(strstr(path, "/" NAME "/reset") && strcmp(text, "1") == 0);
        return must_fail() ? -EIO : sysfs_reset;
}

/* A file of the tree as the node that it passes for: "vfio3" and "7". */
static bool pass_for_node(const char *path, dev_t *ret) {
        const char *name = strrchr(path, '/') + 1;
        uint32_t number;

        if (strncmp(name, "vfio", 4) == 0 && parse_u32(name + 4, &number) >= 0)
                *ret = makedev(NODE_MAJOR, number);
        else if (parse_u32(name, &number) >= 0)
                *ret = makedev(GROUP_MAJOR, number);
        else
                return false;
        return true;
}

int __wrap_fstat64(int fd, struct stat *st);
int __real_fstat64(int fd, struct stat *st);
int __wrap_fstat64(int fd, struct stat *st) {
        char link[64], path[256];
        ssize_t n;

        if (must_fail() || __real_fstat64(fd, st) < 0)
                return -1;

        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, path, sizeof(path) - 1);
        assert(n > 0);
        path[n] = '\0';
        if (pass_for_node(path, &st->st_rdev))
                st->st_mode = S_IFCHR | 0600;
        return 0;
}

int __wrap_statx(int dir, const char *path, int flags, unsigned mask, struct statx *st);
int __wrap_statx(int dir, const char *path, int flags, unsigned mask, struct statx *st) {
        char target[256];
        dev_t number;
        ssize_t n;

        n = readlinkat(dir, path, target, sizeof(target) - 1);
        if (n < 0)
                return -1;
        target[n] = '\0';

        *st = (struct statx) { .stx_mode = S_IFREG };
        if (pass_for_node(target, &number)) {
                st->stx_mode = S_IFCHR;
                st->stx_rdev_major = major(number);
                st->stx_rdev_minor = minor(number);
        }
        return 0;
}

int __wrap_ioctl(int fd, unsigned long request, void *argument);
int __wrap_ioctl(int fd, unsigned long request, void *argument) {
        if (request == VFIO_DEVICE_GET_REGION_INFO) {
                struct vfio_region_info *region = argument;

                /* nothing depends on it: what was not switched off is found afterwards */
                assert(region->argsz == sizeof(*region) && region->index == VFIO_PCI_CONFIG_REGION_INDEX);
                region->offset = CONFIG_OFFSET;
                return 0;
        }

        if (must_fail())
                return -1;

        errno = 0;
        if (request == IOMMU_OPTION) {
                const struct iommu_option *option = argument;

                assert(option->size == sizeof(*option));
                assert(option->option_id == IOMMU_OPTION_RLIMIT_MODE && option->op == IOMMU_OPTION_OP_SET);
                accounting = option->val64;
        } else if (request == VFIO_DEVICE_BIND_IOMMUFD) {
                const struct vfio_device_bind_iommufd *bind = argument;

                assert(bind->argsz == sizeof(*bind) && bind->flags == 0 && bind->iommufd >= 0);
                assert(n_binds < ELEMENTSOF(bind_errno));
                errno = bind_errno[n_binds++];
        } else if (request == VFIO_DEVICE_RESET) {
                n_resets++;
                if (gone_at_reset)
                        tree_remove(tree, "sys/bus/pci/devices/" NAME);
                errno = reset_errno;
        } else if (request == VFIO_GROUP_GET_STATUS) {
                struct vfio_group_status *status = argument;

                assert(status->argsz == sizeof(*status));
                status->flags = group_flags;
        } else
                assert(!"no such ioctl");

        return errno > 0 ? -1 : 0;
}

static void set_node(bool there) {
        if (!there) {
                tree_remove(tree, "sys/" DEVICE "/vfio-dev/vfio3/dev");
                tree_remove(tree, "sys/" DEVICE "/vfio-dev/vfio3");
                tree_remove(tree, "sys/" DEVICE "/vfio-dev");
                tree_remove(tree, "sys/dev/char/241:3");
                return;
        }
        tree_file(tree, "241:3\n", "sys/" DEVICE "/vfio-dev/vfio3/dev");
        tree_link(tree, "../../" DEVICE "/vfio-dev/vfio3", "sys/dev/char/241:3");
}

/* The first bytes of its configuration space; 64 of them is what sysfs shows without privileges. */
static void set_config(const char *bytes, size_t size) {
        char config[64] = "";
        int fd;

        memcpy(config, bytes, size);
        tree_file(tree, "", "sys/" DEVICE "/config");
        fd = __real_openat64(tree->fd, "sys/" DEVICE "/config", O_WRONLY | O_CLOEXEC);
        assert(fd >= 0 && write(fd, config, sizeof(config)) == sizeof(config));
        close_fd(fd);
}

static void setup(void) {
        fail_at = 0;
        tree_free(tree);
        tree = tree_new();

        tree_dir(tree, "sys/" DEVICE);
        tree_link(tree, "../../../devices/pci0000:00/" NAME, "sys/bus/pci/devices/" NAME);
        tree_link(tree, "../../../kernel/iommu_groups/7", "sys/" DEVICE "/iommu_group");
        tree_file(tree, "240:7\n", "sys/class/vfio/7/dev");
        tree_link(tree, "../../devices/virtual/vfio/7", "sys/dev/char/240:7");
        tree_file(tree, "0x8086\n", "sys/" DEVICE "/vendor");
        tree_file(tree, "0x10d3\n", "sys/" DEVICE "/device");
        set_config("\x86\x80\xd3\x10\x03", 5);
        set_node(true);
        tree_file(tree, "", "dev/iommu");
        tree_file(tree, "", "dev/vfio/7");
        tree_file(tree, "", "dev/vfio/devices/vfio3");
        tree_file(tree, "Character devices:\n  1 mem\n240 vfio\n241 vfio-dev\n\nBlock devices:\n  7 loop\n",
                "proc/devices");
        tree_dir(tree, "proc/1/fd");
        tree_file(tree, "systemd\n", "proc/1/comm");
        tree_link(tree, "/dev/null", "proc/1/fd/0");
        tree_file(tree, "", "proc/1/maps");

        snprintf(sysfs, sizeof(sysfs), "%s/sys", tree->path);
        snprintf(dev, sizeof(dev), "%s/dev", tree->path);
        snprintf(proc, sizeof(proc), "%s/proc", tree->path);
        backend = (IommufdBackend) { .sysfs = sysfs, .dev = dev, .proc = proc };
        kernel = iommufd_backend_kernel(&backend);

        n_calls = n_binds = n_resets = n_pauses = 0;
        memset(bind_errno, 0, sizeof(bind_errno));
        reset_errno = group_errno = sysfs_reset = 0;
        group_flags = VFIO_GROUP_FLAGS_VIABLE;
        gone_at_reset = false;
        hidden = syspath = NULL;
}

static unsigned count_fds(void) {
        DIR *dir = opendir("/proc/self/fd");
        unsigned n = 0;

        assert(dir);
        while (readdir(dir))
                n++;
        closedir(dir);
        return n;
}

static int open_context(KernelFailure *reterr) {
        _cleanup_close_ int fd = -EBADF;

        return kernel.ops->open_context(kernel.userdata, ACCOUNTING_PROCESS, &fd, reterr);
}

static int open_device(KernelFailure *reterr) {
        _cleanup_close_ int fd = -EBADF;

        return kernel.ops->open_device(kernel.userdata, "pci", NAME, syspath, &fd, reterr);
}

static int probe_group(KernelFailure *reterr) {
        return kernel.ops->probe_group(kernel.userdata, 7, reterr);
}

static Holders holders;

static int prove_free(KernelFailure *reterr) {
        memset(&holders, 0, sizeof(holders));
        return kernel.ops->prove_free(kernel.userdata, "pci", NAME, &holders, /* ret_info= */ NULL, reterr);
}

static void test_context(void) {
        KernelFailure failure;
        int fd;

        setup();
        accounting = 99;
        assert(kernel.ops->open_context(kernel.userdata, ACCOUNTING_USER, &fd, &failure) == 0);
        assert(accounting == 0);
        close_fd(fd);
        assert(open_context(&failure) == 0);
        assert(accounting == 1);

        tree_remove(tree, "dev/iommu");
        assert(open_context(&failure) == -ENOENT);
        assert(strstr(failure.call, "/dev/iommu"));
}

static void test_open(void) {
        KernelFailure failure;

        setup();
        assert(open_device(&failure) == 0);

        /* where it was said to be, and where it is not any more */
        syspath = DEVICE;
        assert(open_device(&failure) == 0);
        syspath = "devices/pci0000:00/0000:00:05.0";
        assert(open_device(&failure) == -ENODEV);
        assert(strstr(failure.call, syspath));
        syspath = "";
        assert(open_device(&failure) == 0);

        /* the number of the node is another device's, or nobody's, when it is open */
        tree_link(tree, "../../devices/pci0000:00/0000:00:05.0/vfio-dev/vfio3", "sys/dev/char/241:3");
        assert(open_device(&failure) == -ENODEV);
        assert(strstr(failure.call, "it is not that of "));
        assert(strstr(failure.call, "but of devices/pci0000:00/0000:00:05.0/vfio-dev/vfio3"));
        tree_remove(tree, "sys/dev/char/241:3");
        assert(open_device(&failure) == -ENODEV);
        assert(strstr(failure.call, "find character device 241:3"));

        /* what is no device at all is not believed to be one */
        setup();
        tree_link(tree, "../../class/mem/vfio3", "sys/dev/char/241:3");
        assert(open_device(&failure) == -EXDEV);

        /* no VFIO driver; a kernel that makes no nodes; a link instead of a node; no device */
        setup();
        set_node(false);
        assert(open_device(&failure) == -ENODEV);
        setup();
        tree_remove(tree, "dev/vfio/devices/vfio3");
        assert(open_device(&failure) == -ENOENT);
        setup();
        tree_link(tree, "../7", "dev/vfio/devices/vfio3");
        assert(open_device(&failure) == -ELOOP);
        setup();
        tree_remove(tree, "sys/bus/pci/devices/" NAME);
        assert(open_device(&failure) == -ENODEV);
}

static void test_probe(void) {
        KernelFailure failure;

        setup();
        assert(probe_group(&failure) == _GROUP_PROBE_FREE);
        group_flags = 0;
        assert(probe_group(&failure) == GROUP_PROBE_NOT_VIABLE);
        group_errno = EBUSY;
        assert(probe_group(&failure) == GROUP_PROBE_FOREIGN);
        group_errno = ENODEV;
        assert(probe_group(&failure) == _GROUP_PROBE_FREE);
        group_errno = EPERM;
        assert(probe_group(&failure) == -EPERM);
        assert(strstr(failure.call, "/dev/vfio/7"));

        /* the number of another group, of something else, of nothing; a kernel that makes no nodes */
        setup();
        tree_link(tree, "../../devices/virtual/vfio/17", "sys/dev/char/240:7");
        assert(probe_group(&failure) == -ENODEV);
        assert(strstr(failure.call, "but that of devices/virtual/vfio/17"));
        tree_link(tree, "../../devices/virtual/mem/7", "sys/dev/char/240:7");
        assert(probe_group(&failure) == -ENODEV);
        tree_remove(tree, "sys/dev/char/240:7");
        assert(probe_group(&failure) == -ENOENT);

        setup();
        tree_remove(tree, "dev/vfio/7");
        assert(probe_group(&failure) == _GROUP_PROBE_FREE);
}

static void test_prove(void) {
        KernelFailure failure;

        setup();
        assert(prove_free(&failure) == _PROVE_FREE);
        assert(n_binds == 1 && n_resets == 1);

        setup();
        bind_errno[0] = ENXIO;
        assert(prove_free(&failure) == -ENXIO);
        assert(strcmp(failure.call, "ioctl VFIO_DEVICE_BIND_IOMMUFD on vfio3") == 0);

        /* not on VFIO any more; gone altogether */
        setup();
        set_node(false);
        assert(prove_free(&failure) == _PROVE_FREE);
        assert(n_binds == 0);
        setup();
        tree_remove(tree, "sys/bus/pci/devices/" NAME);
        assert(prove_free(&failure) == PROVE_GONE);
}

static void test_prove_reset(void) {
        KernelFailure failure;

        setup();
        reset_errno = ETIMEDOUT;
        assert(prove_free(&failure) == PROVE_RESET_FAILED);
        assert(failure.error == -ETIMEDOUT);
        assert(strcmp(failure.call, "ioctl VFIO_DEVICE_RESET on vfio3") == 0);

        /* EINVAL says that none of VFIO's worked: the kernel says why */
        reset_errno = EINVAL;
        sysfs_reset = -EIO;
        assert(prove_free(&failure) == PROVE_RESET_FAILED);
        assert(failure.error == -EIO);
        assert(strstr(failure.call, "write 1 to ") && strstr(failure.call, NAME "/reset"));
        sysfs_reset = 0;
        assert(prove_free(&failure) == _PROVE_FREE);

        /* there is no way, or none that works where the device is */
        sysfs_reset = -ENOENT;
        assert(prove_free(&failure) == PROVE_NO_RESET);
        sysfs_reset = -ENOTTY;
        assert(prove_free(&failure) == PROVE_NO_RESET);
        reset_errno = ENOTTY;
        assert(prove_free(&failure) == PROVE_NO_RESET);

        /* somebody has its lock all the time: nothing is known yet */
        reset_errno = EAGAIN;
        assert(prove_free(&failure) == -EAGAIN);
        assert(failure.error == -EAGAIN);

        /* it went with the reset */
        setup();
        reset_errno = ENODEV;
        gone_at_reset = true;
        assert(prove_free(&failure) == PROVE_GONE);
}

/* Whoever has it open has let it do DMA: that is over before the reset. The file is configuration space. */
static void test_prove_stops_dma(void) {
        KernelFailure failure;

        setup();
        tree_file(tree, "........\x86\x80\xd3\x10\x07\x04", "dev/vfio/devices/vfio3");
        assert(prove_free(&failure) == _PROVE_FREE);
        assert(strcmp(tree_read(tree, "dev/vfio/devices/vfio3"), "........\x86\x80\xd3\x10\x03\x04") == 0);
}

/* The kernel says that it was reset. */
static void test_prove_verified(void) {
        KernelFailure failure;

        setup();
        set_config("\xff\xff\xff\xff\xff\xff", 6);
        assert(prove_free(&failure) == PROVE_RESET_FAILED);
        assert(strcmp(failure.call, "it answers as ffff:ffff, and was 8086:10d3 before") == 0);

        setup();
        set_config("\x86\x80\xd3\x10\x07", 5);
        assert(prove_free(&failure) == PROVE_RESET_FAILED);
        assert(strstr(failure.call, "bus mastering is on"));

        /* one that can't be reset must be quiet too */
        reset_errno = ENOTTY;
        sysfs_reset = -ENOTTY;
        assert(prove_free(&failure) == PROVE_RESET_FAILED);

        /* virtual functions have no ids */
        setup();
        tree_dir(tree, "sys/devices/pci0000:00/0000:00:03.0");
        tree_link(tree, "../0000:00:03.0", "sys/" DEVICE "/physfn");
        set_config("\xff\xff\xff\xff\x00", 5);
        assert(prove_free(&failure) == _PROVE_FREE);
        set_config("\xff\xff\xff\xff\x04", 5);
        assert(prove_free(&failure) == PROVE_RESET_FAILED);
        set_config("\xff\xff\xff\xff\xff\xff", 6);
        assert(prove_free(&failure) == PROVE_RESET_FAILED);
        assert(strstr(failure.call, "ffff:ffff"));

        /* what can't be looked at isn't known */
        setup();
        tree_file(tree, "\x86", "sys/" DEVICE "/config");
        assert(prove_free(&failure) == -EIO);
        setup();
        tree_file(tree, "none\n", "sys/" DEVICE "/vendor");
        assert(prove_free(&failure) == -EINVAL);
}

static void test_prove_waits(void) {
        KernelFailure failure;

        /* somebody has the device's lock; another of our processes has a sibling */
        setup();
        bind_errno[0] = EAGAIN;
        bind_errno[1] = EPERM;
        bind_errno[2] = EBUSY;
        assert(prove_free(&failure) == _PROVE_FREE);
        assert(n_binds == 4 && n_pauses == 3);

        /* but not for ever */
        setup();
        for (size_t i = 0; i < ELEMENTSOF(bind_errno); i++)
                bind_errno[i] = EPERM;
        assert(prove_free(&failure) == PROVE_HELD);
        assert(holders.n_items == 0);

        /* nor has anybody the group when a driver of the host's does: that one is named */
        tree_link(tree, "../../../../bus/pci/drivers/vfio-pci",
                  "sys/kernel/iommu_groups/7/devices/0000:00:05.0/driver");
        n_binds = 0;
        assert(prove_free(&failure) == PROVE_HELD);
        tree_link(tree, "../../../../bus/pci/drivers/e1000",
                  "sys/kernel/iommu_groups/7/devices/0000:00:05.1/driver");
        n_binds = 0;
        assert(prove_free(&failure) == -EPERM);
        assert(strcmp(failure.call,
                      "0000:00:05.1, of the same group, has the driver e1000: unbind it") == 0);

        setup();
        for (size_t i = 0; i < ELEMENTSOF(bind_errno); i++)
                bind_errno[i] = EAGAIN;
        assert(prove_free(&failure) == -EAGAIN);
        assert(failure.error == -EAGAIN);
}

static void make_process(unsigned pid, const char *comm, const char *fd, const char *target) {
        tree_file(tree, comm, "proc/%u/comm", pid);
        tree_link(tree, target, "proc/%u/fd/%s", pid, fd);
        tree_file(tree, "", "proc/%u/maps", pid);
}

static void test_holders(void) {
        KernelFailure failure;

        /* by its number, whatever the name */
        setup();
        make_process(100, "qemu-system-x86\n", "17", "/dev/renamed/vfio3");
        make_process(101, "other\n", "3", "/dev/vfio/devices/vfio4");
        assert(prove_free(&failure) == PROVE_HELD);
        assert(n_binds == 0);
        assert(holders.n_items == 1);
        assert(holders.items[0].pid == 100);
        assert(strcmp(holders.items[0].comm, "qemu-system-x86") == 0);

        /* in the old way, through its group */
        setup();
        make_process(100, "\033[31m\xff\n", "17", "/dev/vfio/7");
        assert(prove_free(&failure) == PROVE_HELD);
        assert(strcmp(holders.items[0].comm, "?[31m?") == 0);

        /* the node has been taken away already: an unbind waits for this process */
        setup();
        set_node(false);
        make_process(100, "qemu\n", "17", "/dev/vfio/devices/vfio3");
        assert(prove_free(&failure) == _PROVE_FREE);
        tree_file(tree, "vfio-device-syspath: /sys/" DEVICE "\n", "proc/100/fdinfo/17");
        assert(prove_free(&failure) == PROVE_HELD);
        assert(holders.items[0].pid == 100);

        /* more of them than there is room for */
        setup();
        for (unsigned i = 0; i < 2 * HOLDERS_MAX; i++)
                make_process(100 + i, "qemu\n", "3", "/dev/vfio/devices/vfio3");
        assert(prove_free(&failure) == PROVE_HELD);
        assert(holders.n_items == HOLDERS_MAX);

        /* ourselves */
        setup();
        make_process((unsigned) getpid(), "test\n", "3", "/dev/vfio/devices/vfio3");
        assert(prove_free(&failure) == _PROVE_FREE);
}

/* Services are in the hierarchy that has a name, where there is one. */
static void test_holder_cgroup(void) {
        static const struct {
                const char *text, *cgroup;
        } cases[] = {
                { "0::/system.slice/x.service\n", "/system.slice/x.service" },
                { "5:cpu:/a\n1:name=systemd:/system.slice/x.service\n0::/\n", "/system.slice/x.service" },
                { "0::/a\033b\n", "/a?b" },
                /* whoever may make groups below his own gives them names like these */
                { "0::/user.slice/a:name=systemd:/system.slice/x.service\n",
                  "/user.slice/a:name=systemd:/system.slice/x.service" },
                { "1:name=systemd:/a::/b\n0::/\n", "/a::/b" },
                { "0:/system.slice/x.service\n", "" },
                { "5:cpu:/other\n", "" },
                { "", "" },
        };
        KernelFailure failure;
        char longest[300];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                setup();
                make_process(100, "qemu\n", "17", "/dev/vfio/devices/vfio3");
                tree_file(tree, cases[i].text, "proc/100/cgroup");
                assert(prove_free(&failure) == PROVE_HELD);
                assert(strcmp(holders.items[0].cgroup, cases[i].cgroup) == 0);
        }

        /* a part of it is no path */
        setup();
        make_process(100, "qemu\n", "17", "/dev/vfio/devices/vfio3");
        snprintf(longest, sizeof(longest), "0::/%0*u\n", (int) sizeof(holders.items[0].cgroup) - 1, 0);
        tree_file(tree, longest, "proc/100/cgroup");
        assert(prove_free(&failure) == PROVE_HELD);
        assert(strcmp(holders.items[0].cgroup, "") == 0);
}

static void test_holder_mapped(void) {
        KernelFailure failure;
        char line[128];
        struct stat st;

        setup();
        assert(fstatat(tree->fd, "dev/vfio/devices/vfio3", &st, 0) == 0);
        snprintf(line, sizeof(line),
                "55d0a000-55d0b000 r-xp 00000000 fe:00 11  /bin/qemu\n"
                "7f12a000-7f12b000 rw-s 00000000 %02x:%02x %lu  /dev/vfio/devices/vfio3\n",
                major(st.st_dev), minor(st.st_dev), st.st_ino);
        make_process(100, "qemu\n", "0", "/dev/null");
        tree_file(tree, line, "proc/100/maps");

        bind_errno[0] = EINVAL;
        assert(prove_free(&failure) == PROVE_HELD);
        assert(n_binds == 1);
        assert(holders.n_items == 1 && holders.items[0].pid == 100);

        /* one has it open, another one mapped, and a third one both */
        make_process(99, "qemu\n", "17", "/dev/vfio/devices/vfio3");
        make_process(101, "qemu\n", "17", "/dev/vfio/devices/vfio3");
        tree_file(tree, line, "proc/101/maps");
        assert(prove_free(&failure) == PROVE_HELD);
        assert(holders.n_items == 3);
}

/* A process that we may not look into: nobody knows, and that is said. */
static void test_holders_hidden(void) {
        KernelFailure failure;

        setup();
        make_process(100, "secret\n", "3", "/dev/null");
        hidden = "100/fd";
        assert(prove_free(&failure) == -EACCES);
        assert(strcmp(failure.call, "look into process 100") == 0);
        assert(n_binds == 0);
}

static int kill_holder(pid_t pid) {
        KernelFailure failure = {};
        int r;

        r = kernel.ops->kill_holder(kernel.userdata, "pci", NAME, pid, &failure);
        assert(r >= 0 || (failure.error == r && failure.call[0]));
        return r;
}

static pid_t start_victim(void) {
        pid_t pid;

        pid = fork();
        assert(pid >= 0);
        if (pid == 0)
                for (;;)
                        (void) pause();

        return pid;
}

/* Whether it was killed; it is gone afterwards. */
static bool end_victim(pid_t pid) {
        int status;

        /* to a process that is a zombie already it does nothing */
        assert(kill(pid, SIGTERM) >= 0);
        assert(waitpid(pid, &status, 0) == pid);
        assert(WIFSIGNALED(status));
        return WTERMSIG(status) == SIGKILL;
}

/* Only who has the device is killed, by descriptor or by mapping. */
static void test_kill(void) {
        char line[128];
        struct stat st;
        pid_t victim;

        setup();
        victim = start_victim();
        make_process((unsigned) victim, "vmm\n", "3", "/dev/vfio/devices/vfio4");
        make_process(100, "other\n", "3", "/dev/vfio/devices/vfio3");
        assert(kill_holder(victim) == KILL_NOT_HOLDER);
        assert(!end_victim(victim));
        assert(kill_holder(victim) == KILL_NOT_HOLDER);        /* it has ended */

        setup();
        victim = start_victim();
        make_process((unsigned) victim, "vmm\n", "3", "/dev/vfio/devices/vfio3");
        assert(kill_holder(victim) == _KILL_DONE);
        assert(end_victim(victim));

        setup();
        victim = start_victim();
        assert(fstatat(tree->fd, "dev/vfio/devices/vfio3", &st, 0) == 0);
        snprintf(line, sizeof(line), "7f12a000-7f12b000 rw-s 00000000 %02x:%02x %lu  /dev/vfio3\n",
                 major(st.st_dev), minor(st.st_dev), st.st_ino);
        make_process((unsigned) victim, "vmm\n", "0", "/dev/null");
        tree_file(tree, line, "proc/%u/maps", (unsigned) victim);
        assert(kill_holder(victim) == _KILL_DONE);
        assert(end_victim(victim));

        /* the first process is nobody whom we end, nor are all of them, or a group */
        assert(kill_holder(1) == -EPERM);
        assert(kill_holder(0) == -EPERM);
        assert(kill_holder(-1) == -EPERM);

        /* where it can't be seen who has it, nobody is killed */
        setup();
        victim = start_victim();
        make_process((unsigned) victim, "secret\n", "3", "/dev/vfio/devices/vfio3");
        snprintf(line, sizeof(line), "%u/fd", (unsigned) victim);
        hidden = line;
        assert(kill_holder(victim) == -EACCES);
        assert(!end_victim(victim));
        hidden = NULL;
}

/* @n_min: how many calls there are at least to fail; @n_ignored: of so many the failure does no harm. */
static void test_every_failure(int (*verb)(KernelFailure *), unsigned n_min, unsigned n_ignored) {
        unsigned before, ignored = 0;

        for (unsigned n = 1;; n++) {
                KernelFailure failure = {};
                int r;

                setup();
                fail_at = n;
                before = count_fds();
                r = verb(&failure);
                assert(count_fds() == before);
                if (n_calls < n) {
                        assert(r == 0);
                        assert(n > n_min);
                        break;
                }
                if (r >= 0) {
                        ignored++;
                        continue;
                }
                assert(r == -EIO);
                assert(failure.error == -EIO);
                assert(failure.call[0]);
        }

        assert(ignored == n_ignored);
}

int main(void) {
        test_context();
        test_open();
        test_probe();
        test_prove();
        test_prove_reset();
        test_prove_stops_dma();
        test_prove_verified();
        test_prove_waits();
        test_holders();
        test_holder_cgroup();
        test_holder_mapped();
        test_holders_hidden();
        test_kill();
        test_every_failure(open_context, 2, 0);
        test_every_failure(open_device, 4, 0);
        test_every_failure(probe_group, 4, 0);
        /* without the number of the group's node; and a reset that fails is an outcome */
        test_every_failure(prove_free, 18, 3);
        tree_free(tree);
        return 0;
}
