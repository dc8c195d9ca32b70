/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The verbs that work on descriptors of bound devices, on a made tree: its files pass for the nodes, and
 * ioctls answer as two contexts would, of which the device is bound to one.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "kernel/iommufd-backend.h"
#include "kernel/uapi.h"
#include "tree.h"

#define NAME "0000:00:04.0"
#define DEVICE "devices/pci0000:00/" NAME

static Tree *tree;
static char sysfs[80], dev[80], proc[80];
static IommufdBackend backend;
static Kernel kernel;
static int device, iommufd, other;           /* what is handed to the verbs */

static unsigned n_calls, fail_at;            /* the ioctls; the one that fails */
static int bound_to;                         /* the context that the device is bound to */
static uint32_t attached_to;                 /* the id there; 0: it is not attached */
static unsigned n_ioas;                      /* in both contexts */
static unsigned minor_number;                /* of the node that is open */

int __wrap_fstat64(int fd, struct stat *st);
int __real_fstat64(int fd, struct stat *st);
int __wrap_fstat64(int fd, struct stat *st) {
        if (__real_fstat64(fd, st) < 0)
                return -1;

        st->st_mode = S_IFCHR | 0600;
        st->st_rdev = makedev(241, minor_number);
        return 0;
}

int __wrap_ioctl(int fd, unsigned long request, void *argument);
int __wrap_ioctl(int fd, unsigned long request, void *argument) {
        errno = EIO;
        if (++n_calls == fail_at)
                return -1;

        if (request == VFIO_DEVICE_BIND_IOMMUFD) {
                struct vfio_device_bind_iommufd *bind = argument;

                assert(fd == device && bind->argsz == sizeof(*bind) && bind->flags == 0);
                bound_to = bind->iommufd;
                bind->out_devid = 5;
                return 0;
        }
        if (request == IOMMU_IOAS_ALLOC) {
                struct iommu_ioas_alloc *alloc = argument;

                assert(alloc->size == sizeof(*alloc) && alloc->flags == 0);
                alloc->out_ioas_id = 2;      /* the lowest that is free, in each */
                n_ioas++;
                return 0;
        }
        if (request == VFIO_DEVICE_ATTACH_IOMMUFD_PT) {
                const struct vfio_device_attach_iommufd_pt *attach = argument;

                assert(fd == device && attach->argsz == sizeof(*attach) && attach->flags == 0);
                errno = EINVAL;
                if (bound_to < 0)
                        return -1;
                attached_to = attach->pt_id;
                return 0;
        }
        if (request == VFIO_DEVICE_DETACH_IOMMUFD_PT) {
                const struct vfio_device_detach_iommufd_pt *detach = argument;

                assert(fd == device && detach->argsz == sizeof(*detach) && detach->flags == 0);
                attached_to = 0;
                return 0;
        }
        if (request == IOMMU_DESTROY) {
                const struct iommu_destroy *destroy = argument;

                assert(destroy->size == sizeof(*destroy));
                errno = EBUSY;
                if (fd == bound_to && destroy->id == attached_to)
                        return -1;
                errno = ENOENT;
                if (n_ioas == 0)
                        return -1;
                n_ioas--;
                return 0;
        }

        assert(!"no such ioctl");
}

static int open_tree(const char *path) {
        int fd;

        fd = openat(tree->fd, path, O_RDWR | O_CLOEXEC);
        assert(fd >= 0);
        return fd;
}

static void teardown(void) {
        device = close_fd(device);
        iommufd = close_fd(iommufd);
        other = close_fd(other);
        tree_free(tree);
}

static void setup(void) {
        tree = tree_new();
        tree_dir(tree, "sys/" DEVICE);
        tree_link(tree, "../../../devices/pci0000:00/" NAME, "sys/bus/pci/devices/" NAME);
        tree_file(tree, "241:3\n", "sys/" DEVICE "/vfio-dev/vfio3/dev");
        tree_link(tree, "../../" DEVICE "/vfio-dev/vfio3", "sys/dev/char/241:3");
        tree_file(tree, "", "dev/vfio3");
        tree_file(tree, "", "dev/iommu");
        tree_file(tree, "", "dev/other");
        device = open_tree("dev/vfio3");
        iommufd = open_tree("dev/iommu");
        other = open_tree("dev/other");

        snprintf(sysfs, sizeof(sysfs), "%s/sys", tree->path);
        snprintf(dev, sizeof(dev), "%s/dev", tree->path);
        snprintf(proc, sizeof(proc), "/proc");
        backend = (IommufdBackend) { .sysfs = sysfs, .dev = dev, .proc = proc };
        kernel = iommufd_backend_kernel(&backend);

        n_calls = fail_at = n_ioas = 0;
        bound_to = -EBADF;
        attached_to = 0;
        minor_number = 3;
}

static int bind_device(KernelFailure *reterr) {
        uint32_t id = 0;
        int r;

        r = kernel.ops->bind_device(kernel.userdata, "pci", NAME, device, iommufd, &id, reterr);
        assert(r < 0 || (id == 5 && bound_to == iommufd));
        return r;
}

static int check_parked(KernelFailure *reterr) {
        return kernel.ops->check_parked(kernel.userdata, "pci", NAME, device, iommufd, reterr);
}

static void test_bind(void) {
        KernelFailure failure;

        setup();
        assert(bind_device(&failure) == 0);
        teardown();

        setup();
        fail_at = 1;
        assert(bind_device(&failure) == -EIO);
        assert(strcmp(failure.call, "ioctl VFIO_DEVICE_BIND_IOMMUFD on vfio3") == 0);
        teardown();

        setup();
        tree_remove(tree, "sys/" DEVICE "/vfio-dev/vfio3/dev");
        tree_remove(tree, "sys/" DEVICE "/vfio-dev/vfio3");
        assert(bind_device(&failure) == -ENODEV);
        assert(n_calls == 0);
        teardown();
}

static void test_check(void) {
        KernelFailure failure;

        setup();
        bound_to = iommufd;
        assert(check_parked(&failure) == 0);
        assert(attached_to == 0 && n_ioas == 0);

        /* the ids of another context are the same */
        bound_to = other;
        assert(check_parked(&failure) == -EXDEV);
        assert(strcmp(failure.call, "vfio3 is bound to another iommufd") == 0);
        assert(attached_to == 0 && n_ioas == 0);

        bound_to = -EBADF;
        assert(check_parked(&failure) == -EINVAL);
        assert(strcmp(failure.call, "ioctl VFIO_DEVICE_ATTACH_IOMMUFD_PT on vfio3") == 0);
        assert(n_ioas == 0);

        /* the device's number is another's now: nothing is done to that */
        bound_to = iommufd;
        minor_number = 4;
        n_calls = 0;
        assert(check_parked(&failure) == -ENODEV);
        assert(n_calls == 0);
        teardown();
}

static void test_check_fails(void) {
        for (unsigned n = 1; n <= 6; n++) {
                KernelFailure failure = {};
                int r;

                setup();
                bound_to = iommufd;
                fail_at = n;
                r = check_parked(&failure);
                if (n == 6) {
                        assert(r == 0 && n_calls == 5);      /* there were no more */
                        teardown();
                        break;
                }

                assert(r == -EIO && failure.error == -EIO && failure.call[0]);
                /* it is detached, but where that was what failed */
                assert(attached_to == 0 || n == 4);
                teardown();
        }
}

static void test_close(void) {
        setup();
        kernel.ops->close_device(kernel.userdata, "pci", NAME, device);
        assert(fcntl(device, F_GETFD) < 0 && errno == EBADF);
        device = -EBADF;
        teardown();
}

int main(void) {
        test_bind();
        test_check();
        test_check_fails();
        test_close();
        return 0;
}
