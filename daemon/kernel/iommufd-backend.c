/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/fault.h"
#include "base/fd.h"
#include "core/dma.h"
#include "kernel/attach.h"
#include "kernel/domain.h"
#include "kernel/driver.h"
#include "kernel/hw-info.h"
#include "kernel/ioas.h"
#include "kernel/iommufd.h"
#include "kernel/kill.h"
#include "kernel/parked.h"
#include "kernel/path.h"
#include "kernel/power.h"
#include "kernel/prove.h"
#include "kernel/reset.h"
#include "kernel/vfio-group.h"
#include "kernel/vfio-node.h"
#include "kernel/viommu.h"

static int backend_open_context(void *userdata, Accounting accounting, int *ret_fd, KernelFailure *reterr) {
        FAULT_SPAN;
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = iommufd_open(userdata, &fd, reterr);
        if (r < 0)
                return r;

        r = iommufd_set_accounting(fd, accounting, reterr);
        if (r < 0)
                return r;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int backend_open_device(void *userdata, const char *subsystem, const char *name, const char *syspath,
                               int *ret_fd, KernelFailure *reterr) {
        FAULT_SPAN;
        char device[KERNEL_PATH_MAX];
        VfioNode node;
        int r;

        r = kernel_device_locate(userdata, subsystem, name, syspath, device, reterr);
        if (r < 0)
                return r;

        return vfio_node_open(userdata, device, &node, ret_fd, reterr);
}

static int backend_read_driver(void *userdata, const char *subsystem, const char *name, const char *syspath,
                               char *ret_driver, char *ret_override, KernelFailure *reterr) {
        FAULT_SPAN;
        char device[KERNEL_PATH_MAX];
        int r;

        r = kernel_device_locate(userdata, subsystem, name, syspath, device, reterr);
        if (r < 0)
                return r;

        return driver_read(device, ret_driver, ret_override, reterr);
}

static int backend_read_power(void *userdata, const char *subsystem, const char *name, const char *syspath,
                              PowerControl *ret, KernelFailure *reterr) {
        FAULT_SPAN;
        char device[KERNEL_PATH_MAX];
        int r;

        r = kernel_device_locate(userdata, subsystem, name, syspath, device, reterr);
        if (r < 0)
                return r;

        return power_read(device, ret, reterr);
}

static int backend_probe_group(void *userdata, uint32_t group, KernelFailure *reterr) {
        FAULT_SPAN;

        return vfio_group_probe(userdata, group, reterr);
}

static int backend_set_driver(void *userdata, const char *subsystem, const char *name, const char *driver,
                              const char *override, PowerControl power, KernelFailure *reterr) {
        FAULT_SPAN;

        return driver_set(userdata, subsystem, name, driver, override, power, reterr);
}

static int backend_prove_free(void *userdata, const char *subsystem, const char *name, Holders *ret_holders,
                              HwInfo *ret_info, KernelFailure *reterr) {
        return prove_free(userdata, subsystem, name, ret_holders, ret_info, reterr);
}

static int backend_check_parked(void *userdata, const char *subsystem, const char *name, int device,
                                int iommufd, KernelFailure *reterr) {
        return parked_check(userdata, subsystem, name, device, iommufd, reterr);
}

static int backend_check_bound(void *userdata, const char *subsystem, const char *name, int device,
                               int iommufd, uint32_t id, HwInfo *ret_info, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX];
        VfioNode node;
        int r;

        r = kernel_device_find(userdata, subsystem, name, path, reterr);
        if (r < 0)
                return r;

        /* of a device that is leaving, the node goes first, and the kernel waits for who has it open */
        r = vfio_node_find(path, &node, reterr);
        if (r == -ENODEV)
                r = vfio_node_prove_leaving(userdata, device, path, &node, reterr);
        else if (r >= 0)
                r = vfio_node_prove(userdata, device, path, &node, reterr);
        if (r < 0)
                return r;

        r = vfio_node_check_bound(device, &node, reterr);
        if (r < 0)
                return r;

        return hw_info_read(iommufd, id, ret_info, reterr);
}

static int backend_bind_device(void *userdata, const char *subsystem, const char *name, int device,
                               int iommufd, uint32_t *ret_id, KernelFailure *reterr) {
        FAULT_SPAN;
        char path[KERNEL_PATH_MAX];
        VfioNode node;
        int r;

        r = kernel_device_find(userdata, subsystem, name, path, reterr);
        if (r < 0)
                return r;

        r = vfio_node_find(path, &node, reterr);
        if (r < 0)
                return r;

        return vfio_node_bind(device, &node, iommufd, ret_id, reterr);
}

static void backend_close_device(void *userdata, const char *subsystem, const char *name, int device) {
        (void) fault_point();                /* a test can only kill */
        (void) close_fd(device);
}

static int backend_kill_holder(void *userdata, const char *subsystem, const char *name, pid_t pid,
                               KernelFailure *reterr) {
        return kill_holder(userdata, subsystem, name, pid, reterr);
}

static const KernelOps backend_ops = {
        .open_context = backend_open_context,
        .open_device = backend_open_device,
        .read_driver = backend_read_driver,
        .read_power = backend_read_power,
        .probe_group = backend_probe_group,
        .check_parked = backend_check_parked,
        .check_bound = backend_check_bound,
        .set_driver = backend_set_driver,
        .prove_free = backend_prove_free,
        .kill_holder = backend_kill_holder,
        .bind_device = backend_bind_device,
        .close_device = backend_close_device,
};

/* What is in a context, and on which device, the descriptors say: these need nothing of the backend. */

static int backend_read_hw_info(
        void *userdata, int context, uint32_t device, HwInfo *ret, KernelFailure *reterr) {
        FAULT_SPAN;

        return hw_info_read(context, device, ret, reterr);
}

static void backend_probe(void *userdata, int context, uint32_t device, HwInfo *info) {
        hw_info_probe(context, device, /* device= */ -EBADF, info);
}

static int backend_alloc_ioas(
        void *userdata, int context, const IoasOptions *options, uint32_t *ret, KernelFailure *reterr) {
        FAULT_SPAN;

        return ioas_alloc(context, options, ret, reterr);
}

static int backend_read_iova_ranges(
        void *userdata, int context, uint32_t ioas, IovaRanges *ret, KernelFailure *reterr) {
        FAULT_SPAN;

        return ioas_read_ranges(context, ioas, ret, reterr);
}

static int backend_map_file(void *userdata, int context, uint32_t ioas, const FileMapping *mapping,
                            uint64_t *ret_iova, KernelFailure *reterr) {
        FAULT_SPAN;

        return ioas_map_file(context, ioas, mapping, ret_iova, reterr);
}

static int backend_unmap(
        void *userdata, int context, uint32_t ioas, uint64_t iova, uint64_t length, KernelFailure *reterr) {
        FAULT_SPAN;

        return ioas_unmap(context, ioas, iova, length, reterr);
}

static int backend_alloc_domain(
        void *userdata, int context, const DomainSpec *spec, uint32_t *ret, KernelFailure *reterr) {
        FAULT_SPAN;

        return domain_alloc(context, spec, ret, reterr);
}

static int backend_set_dirty_tracking(
        void *userdata, int context, uint32_t domain, bool on, KernelFailure *reterr) {
        FAULT_SPAN;

        return domain_set_dirty_tracking(context, domain, on, reterr);
}

static int backend_read_dirty(void *userdata, int context, uint32_t domain, const DirtyRange *range,
                              uint64_t *bitmap, KernelFailure *reterr) {
        FAULT_SPAN;

        return domain_read_dirty(context, domain, range, bitmap, reterr);
}

static int backend_alloc_fault_queue(
        void *userdata, int context, uint32_t *ret, int *ret_fd, KernelFailure *reterr) {
        FAULT_SPAN;

        return fault_queue_alloc(context, ret, ret_fd, reterr);
}

static int backend_alloc_viommu(void *userdata, int context, const VirtualSpec *spec, uint32_t *ret,
                                void *data, KernelFailure *reterr) {
        return viommu_alloc(context, spec, ret, data, reterr);
}

static int backend_alloc_vdevice(
        void *userdata, int context, const VirtualSpec *spec, uint32_t *ret, KernelFailure *reterr) {
        return vdevice_alloc(context, spec, ret, reterr);
}

static int backend_alloc_veventq(void *userdata, int context, const VirtualSpec *spec, uint32_t *ret,
                                 int *ret_fd, KernelFailure *reterr) {
        return veventq_alloc(context, spec, ret, ret_fd, reterr);
}

static int backend_destroy(void *userdata, int context, uint32_t id, KernelFailure *reterr) {
        FAULT_SPAN;

        return context_destroy(context, id, reterr);
}

static int backend_attach(
        void *userdata, int device, uint32_t pasid, uint32_t target, KernelFailure *reterr) {
        FAULT_SPAN;

        return device_attach(device, pasid, target, reterr);
}

static int backend_detach(void *userdata, int device, uint32_t pasid, KernelFailure *reterr) {
        FAULT_SPAN;

        return device_detach(device, pasid, reterr);
}

static int backend_reset(
        void *userdata, const char *subsystem, const char *name, int device, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX];
        VfioNode node;
        int r;

        r = kernel_device_find(userdata, subsystem, name, path, reterr);
        if (r < 0)
                return r;

        r = vfio_node_find(path, &node, reterr);
        if (r < 0)
                return r;

        r = reset_device(subsystem, path, device, &node, reterr);
        return r == RESET_FAILED ? PROVE_RESET_FAILED : r == RESET_IMPOSSIBLE ? PROVE_NO_RESET : r;
}

static const DmaOps backend_dma_ops = {
        .read_hw_info = backend_read_hw_info,
        .probe = backend_probe,
        .alloc_ioas = backend_alloc_ioas,
        .read_iova_ranges = backend_read_iova_ranges,
        .map_file = backend_map_file,
        .unmap = backend_unmap,
        .alloc_domain = backend_alloc_domain,
        .set_dirty_tracking = backend_set_dirty_tracking,
        .read_dirty = backend_read_dirty,
        .alloc_fault_queue = backend_alloc_fault_queue,
        .alloc_viommu = backend_alloc_viommu,
        .alloc_vdevice = backend_alloc_vdevice,
        .alloc_veventq = backend_alloc_veventq,
        .destroy = backend_destroy,
        .attach = backend_attach,
        .detach = backend_detach,
        .reset = backend_reset,
};

Kernel iommufd_backend_kernel(const IommufdBackend *backend) {
        return (Kernel) { .ops = &backend_ops, .dma = &backend_dma_ops, .userdata = (void *) backend };
}
