/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "core/device.h"
#include "fake/assert.h"
#include "fake/fake-kernel.h"

/* How many descriptors of this process @func says yes to. */
static unsigned count_fds_if(bool (*func)(int fd, const void *userdata), const void *userdata) {
        unsigned n = 0;
        DIR *dir;

        dir = opendir("/proc/self/fd");
        assert(dir);

        for (struct dirent *entry; (entry = readdir(dir));) {
                uint32_t fd;

                if (parse_u32(entry->d_name, &fd) >= 0 && (int) fd != dirfd(dir) && func((int) fd, userdata))
                        n++;
        }

        closedir(dir);
        return n;
}

static bool any_fd(int fd, const void *userdata) {
        return true;
}

unsigned count_fds(void) {
        return count_fds_if(any_fd, /* userdata= */ NULL);
}

void limit_fds(unsigned n) {
        struct rlimit limit;
        int next;

        /* what is open is not closed by it, what is free below the limit can be opened */
        next = assert_ok(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
        close_fd(next);
        assert_ok(getrlimit(RLIMIT_NOFILE, &limit));
        limit.rlim_cur = (rlim_t) next + n;
        assert_ok(setrlimit(RLIMIT_NOFILE, &limit));
}

void unlimit_fds(void) {
        struct rlimit limit;

        assert_ok(getrlimit(RLIMIT_NOFILE, &limit));
        limit.rlim_cur = limit.rlim_max;
        assert_ok(setrlimit(RLIMIT_NOFILE, &limit));
}

bool fake_device_is_fd(const FakeDevice *device, int fd) {
        struct stat node, st;

        assert_ok(fstat(device->node, &node));
        return fstat(fd, &st) >= 0 && st.st_dev == node.st_dev && st.st_ino == node.st_ino;
}

static bool is_fd(int fd, const void *userdata) {
        const FakeDevice *device = userdata;

        return fd != device->node && fake_device_is_fd(device, fd);
}

unsigned fake_device_n_open(const FakeDevice *device) {
        return count_fds_if(is_fd, device);
}

bool fake_device_is_bound(const FakeDevice *device) {
        return device->context && fake_device_n_open(device) > 0;
}

FakeKernel *fake_kernel_new(void) {
        FakeKernel *kernel;

        kernel = calloc(1, sizeof(*kernel));
        assert(kernel);

        kernel->foreign = kernel->not_viable = GROUP_NONE;
        kernel->fail_error = -EIO;
        return kernel;
}

FakeKernel *fake_kernel_free(FakeKernel *kernel) {
        for (unsigned i = 0; kernel && i < kernel->n_devices; i++)
                close_fd(kernel->devices[i].node);

        free(kernel);
        return NULL;
}

FakeDevice *fake_kernel_add(FakeKernel *kernel, const char *name, uint32_t group, const char *driver) {
        FakeDevice *device = &kernel->devices[kernel->n_devices++];

        assert(kernel->n_devices <= ELEMENTSOF(kernel->devices));

        *device = (FakeDevice){
                .group = group,
                .info = { .asked = true,
                        .driver = IOMMU_DRIVER_INTEL_VTD,
                        .type = 1,
                        .dirty_tracking = true,
                        .pasid_log2 = 4,
                        .has = 1U << IOMMU_FEATURE_DIRTY_TRACKING | 1U << IOMMU_FEATURE_NESTING |
                               1U << IOMMU_FEATURE_PAGE_FAULTS,
                        .lacks = 1U << IOMMU_FEATURE_VIOMMU,
                        .aperture = { 0, UINT64_C(0xffffffffffff) },
                        .page_size = 4096,
                        .page_sizes = 0x201000 },
        };
        strcpy(device->name, name);
        strcpy(device->driver, driver);
        device->power = POWER_CONTROL_AUTO;  /* which an unbind of VFIO's driver leaves at "on" */
        device->node = memfd_create(name, MFD_CLOEXEC);
        assert(device->node >= 0);
        return device;
}

FakeDevice *fake_kernel_find(FakeKernel *kernel, const char *name) {
        for (unsigned i = 0; i < kernel->n_devices; i++)
                if (strcmp(kernel->devices[i].name, name) == 0)
                        return &kernel->devices[i];

        return NULL;
}

void fake_device_hold(FakeDevice *device, unsigned n_tries, pid_t pid, const char *comm) {
        device->n_held = n_tries;
        device->holders = (Holders) {};
        if (!comm)
                return;

        device->holders.items[0].pid = pid;
        memcpy(device->holders.items[0].comm, comm,
               strnlen(comm, sizeof(device->holders.items[0].comm) - 1));
        device->holders.n_items = 1;
}

const char *fake_kernel_drivers(const FakeKernel *kernel) {
        static char text[FAKE_DEVICES_MAX * (3 * KERNEL_NAME_MAX + 4)];
        char *end = text;

        *end = '\0';
        for (unsigned i = 0; i < kernel->n_devices; i++) {
                const FakeDevice *device = &kernel->devices[i];

                end += sprintf(end, "%s=%s/%s ", device->name, device->driver[0] ? device->driver : "-",
                               device->override[0] ? device->override : "-");
        }

        return text;
}

int fake_kernel_call(FakeKernel *kernel, bool quiet, KernelFailure *reterr, const char *format, ...) {
        size_t n = strlen(kernel->journal);
        char line[160];
        va_list ap;

        va_start(ap, format);
        vsnprintf(line, sizeof(line), format, ap);
        va_end(ap);

        kernel->n_calls++;
        if (!quiet) {
                assert(n + strlen(line) + 2 <= sizeof(kernel->journal));
                sprintf(kernel->journal + n, "%s\n", line);
        }

        if ((kernel->fail_at > 0 && (kernel->n_calls == kernel->fail_at ||
                                     (kernel->fail_on && kernel->n_calls > kernel->fail_at))) ||
            (kernel->fail_call && strncmp(line, kernel->fail_call, strlen(kernel->fail_call)) == 0)) {
                strcpy(kernel->failed, line);
                return kernel_failure(reterr, kernel->fail_error, "%s", line);
        }

        return 0;
}

static int fake_open_context(void *userdata, Accounting accounting, int *ret_fd, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "open_context %s",
                             accounting_to_string(accounting));
        if (r < 0)
                return r;

        *ret_fd = memfd_create("iommufd", MFD_CLOEXEC);
        return *ret_fd < 0 ? kernel_failure(reterr, -errno, "memfd_create") : 0;
}

static int fake_open_device(void *userdata, const char *subsystem, const char *name, const char *syspath,
                            int *ret_fd, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        FakeDevice *device;
        char path[64];
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "open_device %s", name);
        if (r < 0)
                return r;

        device = fake_kernel_find(kernel, name);
        if (!device || device->gone || strncmp(device->driver, "vfio", 4) != 0)
                return kernel_failure(reterr, -ENODEV, "open_device %s", name);

        if (fake_device_n_open(device) == 0)
                device->context = 0;         /* it was closed with whoever had it */

        snprintf(path, sizeof(path), "/proc/self/fd/%d", device->node);
        *ret_fd = open(path, O_RDWR | O_CLOEXEC);
        return *ret_fd < 0 ? kernel_failure(reterr, -errno, "open %s", path) : 0;
}

static int fake_read_driver(void *userdata, const char *subsystem, const char *name, const char *syspath,
                            char *ret_driver, char *ret_override, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        FakeDevice *device;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ true, reterr, "read_driver %s", name);
        if (r < 0)
                return r;

        device = fake_kernel_find(kernel, name);
        if (!device || device->gone)
                return kernel_failure(reterr, -ENODEV, "read_driver %s", name);

        strcpy(ret_driver, device->driver);
        strcpy(ret_override, device->override);
        return 0;
}

static int fake_read_power(void *userdata, const char *subsystem, const char *name, const char *syspath,
                           PowerControl *ret, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        FakeDevice *device;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ true, reterr, "read_power %s", name);
        if (r < 0)
                return r;

        device = fake_kernel_find(kernel, name);
        if (!device || device->gone)
                return kernel_failure(reterr, -ENODEV, "read_power %s", name);

        *ret = device->power;
        return 0;
}

static int fake_probe_group(void *userdata, uint32_t group, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "probe_group %u", group);
        if (r < 0)
                return r;

        if (kernel->foreign == group)
                return GROUP_PROBE_FOREIGN;

        return kernel->not_viable == group ? GROUP_PROBE_NOT_VIABLE : 0;
}

static int fake_set_driver(void *userdata, const char *subsystem, const char *name, const char *driver,
                           const char *override, PowerControl power, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        FakeDevice *device;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "set_driver %s %s %s", name,
                             driver[0] ? driver : "-", override[0] ? override : "-");

        device = fake_kernel_find(kernel, name);
        if (!device || device->gone)
                return kernel_failure(reterr, -ENODEV, "set_driver %s", name);

        if (fake_device_n_open(device) > 0 || device->n_held > 0)
                assert_failed(__FILE__, __LINE__, name, "an unbind while it is open would never return");

        /* Where it fails it does so half-way: the device is without a driver then. */
        if (strcmp(device->driver, "vfio-pci") == 0)
                device->power = POWER_CONTROL_ON;
        strcpy(device->driver, "");
        strcpy(device->override, override);
        if (r < 0)
                return r;

        if (strcmp(driver, DRIVER_ANY) == 0)
                driver = device->native ?: "";
        if (device->refuses && strcmp(device->refuses, driver) == 0)
                return kernel_failure(reterr, -EINVAL, "write %s/bind", driver);

        strcpy(device->driver, driver);
        if (strcmp(driver, "vfio-pci") == 0)
                device->power = POWER_CONTROL_AUTO;
        if (power != POWER_CONTROL_NONE)
                device->power = power;
        return 0;
}

static int fake_prove_free(void *userdata, const char *subsystem, const char *name, Holders *ret_holders,
                           HwInfo *ret_info, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        FakeDevice *device;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "prove_free %s", name);
        if (r < 0)
                return r;

        device = fake_kernel_find(kernel, name);
        if (!device || device->gone)
                return PROVE_GONE;

        if (device->n_held > 0) {
                device->n_held--;
                *ret_holders = device->holders;
                return PROVE_HELD;
        }

        /* this test may be who has it open */
        if (fake_device_n_open(device) > 0) {
                *ret_holders = (Holders) { .items = { { getpid(), "test" } }, .n_items = 1 };
                return PROVE_HELD;
        }

        if (ret_info)
                *ret_info = device->info;
        if (device->reset == PROVE_RESET_FAILED)
                kernel_failure(reterr, -EIO, "reset %s", name);
        return device->reset;
}

static ino_t fd_inode(int fd) {
        struct stat st;

        assert_ok(fstat(fd, &st));
        return st.st_ino;
}

static int fake_check_parked(void *userdata, const char *subsystem, const char *name, int fd, int iommufd,
                             KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        FakeDevice *device;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "check_parked %s", name);
        if (r < 0)
                return r;

        device = fake_kernel_find(kernel, name);
        if (!device || device->gone || !fake_device_is_fd(device, fd))
                return kernel_failure(reterr, -ENODEV, "check_parked %s", name);
        if (!fake_device_is_bound(device) || device->context != fd_inode(iommufd))
                return kernel_failure(reterr, -EXDEV, "check_parked %s", name);

        return 0;
}

static int fake_check_bound(void *userdata, const char *subsystem, const char *name, int fd, int iommufd,
                            uint32_t id, HwInfo *ret_info, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        FakeDevice *device;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "check_bound %s", name);
        if (r < 0)
                return r;

        device = fake_kernel_find(kernel, name);
        if (!device || device->gone || !fake_device_is_fd(device, fd) || !fake_device_is_bound(device) ||
            device->context != fd_inode(iommufd) || id != (uint32_t) (device - kernel->devices) + 1)
                return kernel_failure(reterr, -ENODEV, "check_bound %s", name);

        *ret_info = device->info;
        return 0;
}

static int fake_bind_device(void *userdata, const char *subsystem, const char *name, int fd, int iommufd,
                            uint32_t *ret_id, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        FakeDevice *device;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "bind_device %s", name);
        if (r < 0)
                return r;

        device = fake_kernel_find(kernel, name);
        if (!device || device->gone)
                return kernel_failure(reterr, -ENODEV, "bind_device %s", name);

        assert(fake_device_is_fd(device, fd));
        if (device->n_held > 0 || fake_device_is_bound(device))
                return kernel_failure(reterr, -EINVAL, "bind_device %s", name);

        for (unsigned i = 0; i < kernel->n_devices; i++) {
                const FakeDevice *other = &kernel->devices[i];

                if (other->group != device->group || other == device || other->gone)
                        continue;
                if ((fake_device_is_bound(other) && other->context != fd_inode(iommufd)) ||
                    (other->driver[0] && strncmp(other->driver, "vfio", 4) != 0 &&
                     strcmp(other->driver, "pcieport") != 0 && strcmp(other->driver, "pci-stub") != 0))
                        return kernel_failure(reterr, -EPERM, "bind_device %s", name);
        }

        if (device->context != 0)
                fake_device_unbind(kernel, device);          /* of who has closed it in the meantime */
        device->context = fd_inode(iommufd);
        *ret_id = (uint32_t) (device - kernel->devices) + 1;
        return 0;
}

static void fake_close_device(void *userdata, const char *subsystem, const char *name, int fd) {
        FakeKernel *kernel = userdata;
        FakeDevice *device;

        (void) fake_kernel_call(kernel, /* quiet= */ false, /* reterr= */ NULL, "close_device %s", name);

        device = fake_kernel_find(kernel, name);
        if (!subsystem[0]) {
                close_fd(fd);                /* nobody knows what it is */
                return;
        }

        assert(device && fake_device_is_fd(device, fd));
        close_fd(fd);
        if (fake_device_n_open(device) == 0 && device->context != 0)
                fake_device_unbind(kernel, device);
}

static int fake_kill_holder(void *userdata, const char *subsystem, const char *name, pid_t pid,
                            KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        FakeDevice *device;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "kill_holder %s %d", name, (int) pid);
        if (r < 0)
                return r;

        device = fake_kernel_find(kernel, name);
        if (!device || device->n_held == 0 || device->holders.items[0].pid != pid)
                return KILL_NOT_HOLDER;

        device->n_held = 0;
        return 0;
}

Kernel fake_kernel_port(FakeKernel *kernel) {
        static const KernelOps ops = {
                .open_context = fake_open_context,
                .open_device = fake_open_device,
                .read_driver = fake_read_driver,
                .read_power = fake_read_power,
                .probe_group = fake_probe_group,
                .check_parked = fake_check_parked,
                .check_bound = fake_check_bound,
                .set_driver = fake_set_driver,
                .prove_free = fake_prove_free,
                .kill_holder = fake_kill_holder,
                .bind_device = fake_bind_device,
                .close_device = fake_close_device,
        };

        return (Kernel) { .ops = &ops, .dma = &fake_dma_ops, .userdata = kernel };
}
