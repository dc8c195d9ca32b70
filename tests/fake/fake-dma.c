/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "core/limits.h"
#include "fake/assert.h"
#include "fake/fake-dma.h"
#include "fake/fake-kernel.h"

#define FIRST_ID (LIMIT_CONTEXT_DEVICES + 1)

static ino_t inode_of(int fd) {
        struct stat st;

        assert_ok(fstat(fd, &st));
        return st.st_ino;
}

FakeContext *fake_kernel_find_context(FakeKernel *kernel, ino_t inode) {
        for (unsigned i = 0; i < ELEMENTSOF(kernel->contexts); i++)
                if (kernel->contexts[i].inode == inode)
                        return &kernel->contexts[i];

        for (unsigned i = 0; i < ELEMENTSOF(kernel->contexts); i++)
                if (kernel->contexts[i].inode == 0) {
                        kernel->contexts[i].inode = inode;
                        return &kernel->contexts[i];
                }

        assert(!"too many contexts");
}

static FakeContext *context_of(FakeKernel *kernel, int fd) {
        return fake_kernel_find_context(kernel, inode_of(fd));
}

static FakeObject *find_object(FakeContext *context, uint32_t id, FakeObjectKind kind) {
        FakeObject *object;

        if (id < FIRST_ID || id >= FIRST_ID + FAKE_OBJECTS_MAX)
                return NULL;

        object = &context->objects[id - FIRST_ID];
        return object->kind != FAKE_NOTHING && (kind == FAKE_NOTHING || object->kind == kind) ? object
                                                                                              : NULL;
}

static FakeObject *add_object(FakeContext *context, FakeObjectKind kind, uint32_t *ret_id) {
        for (unsigned i = 0; i < FAKE_OBJECTS_MAX; i++)
                if (context->objects[i].kind == FAKE_NOTHING) {
                        context->objects[i] = (FakeObject) { .kind = kind, .fd = -EBADF };
                        *ret_id = FIRST_ID + i;
                        return &context->objects[i];
                }

        assert(!"too many objects");
}

/* One that must be there. */
static FakeObject *get_object(FakeContext *context, uint32_t id) {
        FakeObject *object;

        object = find_object(context, id, FAKE_NOTHING);
        assert(object);
        return object;
}

/* The IOAS at the bottom of an object. */
static FakeObject *ioas_of(FakeContext *context, uint32_t id) {
        FakeObject *object;

        object = find_object(context, id, FAKE_NOTHING);
        while (object && (object->kind == FAKE_DOMAIN || object->kind == FAKE_VIOMMU))
                object = find_object(context, object->parent, FAKE_NOTHING);

        return object;
}

unsigned fake_kernel_count_objects(const FakeKernel *kernel, FakeObjectKind kind) {
        unsigned n = 0;

        for (unsigned i = 0; i < ELEMENTSOF(kernel->contexts); i++)
                for (unsigned j = 0; j < FAKE_OBJECTS_MAX; j++)
                        n += kernel->contexts[i].objects[j].kind == kind && kind != FAKE_NOTHING;

        return n;
}

static FakeAttached *find_attached(FakeDevice *device, uint32_t pasid) {
        for (unsigned i = 0; i < ELEMENTSOF(device->attached); i++)
                if (device->attached[i].target != 0 && device->attached[i].pasid == pasid)
                        return &device->attached[i];

        for (unsigned i = 0; i < ELEMENTSOF(device->attached); i++)
                if (device->attached[i].target == 0) {
                        device->attached[i] = (FakeAttached) { .pasid = pasid };
                        return &device->attached[i];
                }

        assert(!"too many PASIDs");
}

uint32_t fake_device_target(const FakeDevice *device, uint32_t pasid) {
        for (unsigned i = 0; i < ELEMENTSOF(device->attached); i++)
                if (device->attached[i].target != 0 && device->attached[i].pasid == pasid)
                        return device->attached[i].blocked ? 0 : device->attached[i].target;

        return 0;
}

bool fake_device_reaches(FakeKernel *kernel, const FakeDevice *device, uint32_t pasid, uint64_t iova) {
        const FakeObject *ioas;

        ioas = ioas_of(fake_kernel_find_context(kernel, device->context), fake_device_target(device, pasid));
        for (unsigned i = 0; ioas && i < ioas->n_mappings; i++)
                if (iova - ioas->mappings[i].iova < ioas->mappings[i].length)
                        return true;

        return false;
}

static void detach(FakeKernel *kernel, FakeDevice *device, FakeAttached *attached) {
        FakeContext *context = fake_kernel_find_context(kernel, device->context);
        FakeObject *ioas;

        if (attached->target == 0)
                return;

        ioas = ioas_of(context, attached->target);
        assert(ioas);
        ioas->unreserved = false;
        get_object(context, attached->target)->n_users--;
        *attached = (FakeAttached) {};
}

void fake_device_unbind(FakeKernel *kernel, FakeDevice *device) {
        FakeContext *context = fake_kernel_find_context(kernel, device->context);

        for (unsigned i = 0; i < ELEMENTSOF(device->attached); i++)
                detach(kernel, device, &device->attached[i]);
        device->context = 0;

        for (unsigned i = 0; i < kernel->n_devices; i++)
                if (kernel->devices[i].context == context->inode)
                        return;
        *context = (FakeContext) {};
}

static FakeDevice *device_of(FakeKernel *kernel, int fd) {
        for (unsigned i = 0; i < kernel->n_devices; i++)
                if (fake_device_is_fd(&kernel->devices[i], fd))
                        return &kernel->devices[i];

        assert(!"it is no device");
}

/* ---- the verbs */

static int fake_read_hw_info(
        void *userdata, int context, uint32_t id, HwInfo *ret, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ true, reterr, "read_hw_info %u", id);
        if (r < 0)
                return r;

        assert(id >= 1 && id <= kernel->n_devices);
        if (kernel->devices[id - 1].context != inode_of(context))
                return kernel_failure(reterr, -ENOENT, "read_hw_info %u", id);

        /* the kernel does not tell what has to be tried */
        *ret = kernel->devices[id - 1].info;
        ret->asked = true;
        ret->has &= 1U << IOMMU_FEATURE_DIRTY_TRACKING;
        ret->lacks &= 1U << IOMMU_FEATURE_DIRTY_TRACKING;
        ret->aperture = (IovaRange) {};
        ret->page_size = ret->page_sizes = 0;
        return 0;
}

/* Only a device that is attached shows whether it has page faults. */
static void fake_probe(void *userdata, int context, uint32_t id, HwInfo *info) {
        const unsigned faults = 1U << IOMMU_FEATURE_PAGE_FAULTS;
        FakeKernel *kernel = userdata;

        *info = kernel->devices[id - 1].info;
        info->asked = true;
        info->has &= ~faults;
        info->lacks &= ~faults;
}

static int fake_alloc_ioas(
        void *userdata, int context, const IoasOptions *options, uint32_t *ret, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "alloc_ioas %u", options->n_windows);
        if (r < 0)
                return r;

        (void) add_object(context_of(kernel, context), FAKE_IOAS, ret);
        return 0;
}

static bool has_attached_device(FakeKernel *kernel, FakeContext *context, const FakeObject *ioas) {
        for (unsigned i = 0; i < kernel->n_devices; i++)
                for (unsigned j = 0; j < FAKE_ATTACHED_MAX; j++)
                        if (kernel->devices[i].context == context->inode &&
                            kernel->devices[i].attached[j].target != 0 &&
                            ioas_of(context, kernel->devices[i].attached[j].target) == ioas)
                                return true;

        return false;
}

/* All but the window for interrupts, of those that have a device. */
static int fake_read_iova_ranges(
        void *userdata, int fd, uint32_t id, IovaRanges *ret, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        FakeContext *context;
        FakeObject *ioas;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ true, reterr, "read_iova_ranges %u", id);
        if (r < 0)
                return r;

        context = context_of(kernel, fd);
        ioas = find_object(context, id, FAKE_IOAS);
        if (!ioas)
                return kernel_failure(reterr, -ENOENT, "read_iova_ranges %u", id);

        *ret = (IovaRanges){ .items = { { 0, UINT64_C(0xffffffffffff) } }, .n_items = 1, .alignment = 4096 };
        if (has_attached_device(kernel, context, ioas) && !ioas->unreserved)
                *ret = (IovaRanges) {
                        .items = { { 0, 0xfedfffff }, { 0xfef00000, UINT64_C(0xffffffffffff) } },
                        .n_items = 2,
                        .alignment = 4096,
                };
        return 0;
}

static int fake_map_file(void *userdata, int context, uint32_t id, const FileMapping *mapping,
                         uint64_t *ret_iova, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        FakeObject *ioas;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "map_file %u 0x%" PRIx64 " %" PRIu64, id,
                             mapping->iova, mapping->length);
        if (r < 0)
                return r;

        ioas = find_object(context_of(kernel, context), id, FAKE_IOAS);
        assert(ioas && mapping->fixed && inode_of(mapping->fd) != 0);
        for (unsigned i = 0; i < ioas->n_mappings; i++)
                if (mapping->iova < ioas->mappings[i].iova + ioas->mappings[i].length &&
                    ioas->mappings[i].iova < mapping->iova + mapping->length)
                        return kernel_failure(reterr, -EEXIST, "map_file");

        assert(ioas->n_mappings < FAKE_MAPPINGS_MAX);
        ioas->mappings[ioas->n_mappings++] =
                (FakeMapping) { mapping->iova, mapping->length, mapping->writable };
        *ret_iova = mapping->iova;
        return 0;
}

static int fake_unmap(
        void *userdata, int context, uint32_t id, uint64_t iova, uint64_t length, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        FakeObject *ioas;
        unsigned n = 0;
        int r;

        r = fake_kernel_call(
                kernel, /* quiet= */ false, reterr, "unmap %u 0x%" PRIx64 " %" PRIu64, id, iova, length);
        if (r < 0)
                return r;

        ioas = find_object(context_of(kernel, context), id, FAKE_IOAS);
        if (!ioas)
                return kernel_failure(reterr, -ENOENT, "unmap %u", id);

        for (unsigned i = ioas->n_mappings; i > 0; i--)
                if (ioas->mappings[i - 1].iova - iova < length) {
                        ioas->mappings[i - 1] = ioas->mappings[--ioas->n_mappings];
                        n++;
                }

        return n > 0 || length == UINT64_MAX ? 0 : kernel_failure(reterr, -ENOENT, "unmap %u", id);
}

static int fake_alloc_domain(
        void *userdata, int fd, const DomainSpec *spec, uint32_t *ret, KernelFailure *reterr) {
        const DomainOptions *options = spec->options;
        FakeKernel *kernel = userdata;
        FakeObject *parent, *domain;
        const FakeDevice *device;
        FakeContext *context;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "alloc_domain %s%s%s%s",
                             domain_kind_to_string(options->kind), options->dirty_tracking ? " dirty" : "",
                             options->pasid ? " pasid" : "", options->fault_queue ? " faults" : "");
        if (r < 0)
                return r;

        context = context_of(kernel, fd);
        device = &kernel->devices[spec->device - 1];
        parent =
                find_object(context, spec->parent, options->kind == DOMAIN_NESTED ? FAKE_DOMAIN : FAKE_IOAS);
        if (!parent && options->kind == DOMAIN_NESTED)
                parent = find_object(context, spec->parent, FAKE_VIOMMU);
        if (!parent || device->context != context->inode)
                return kernel_failure(reterr, -EINVAL, "alloc_domain");
        if ((options->kind != DOMAIN_PAGING && device->cannot_nest) ||
            (options->dirty_tracking && !device->info.dirty_tracking) ||
            (options->pasid && device->info.pasid_log2 == 0))
                return kernel_failure(reterr, -EOPNOTSUPP, "alloc_domain");

        domain = add_object(context, FAKE_DOMAIN, ret);
        domain->parent = spec->parent;
        domain->options = *options;
        domain->queue = options->fault_queue ? spec->fault_queue : 0;
        parent->n_users++;
        if (domain->queue != 0)
                get_object(context, domain->queue)->n_users++;
        return 0;
}

static int fake_set_dirty_tracking(
        void *userdata, int context, uint32_t id, bool on, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        FakeObject *domain;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "set_dirty_tracking %u %u", id, on);
        if (r < 0)
                return r;

        domain = find_object(context_of(kernel, context), id, FAKE_DOMAIN);
        assert(domain && domain->options.dirty_tracking);
        domain->tracking = on;
        return 0;
}

/* The first page is dirty, always. */
static int fake_read_dirty(void *userdata, int context, uint32_t id, const DirtyRange *range,
                           uint64_t *bitmap, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "read_dirty %u%s", id,
                             range->keep ? " keep" : "");
        if (r < 0)
                return r;

        bitmap[0] = 1;
        return 0;
}

static int fake_alloc_fault_queue(
        void *userdata, int context, uint32_t *ret, int *ret_fd, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "alloc_fault_queue");
        if (r < 0)
                return r;

        (void) add_object(context_of(kernel, context), FAKE_QUEUE, ret);
        *ret_fd = assert_ok(memfd_create("queue", MFD_CLOEXEC));
        return 0;
}

static int fake_alloc_viommu(void *userdata, int fd, const VirtualSpec *spec, uint32_t *ret, void *data,
                             KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        FakeObject *parent, *object;
        FakeContext *context;
        uint8_t *answer = data;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "alloc_viommu %u", spec->type);
        if (r < 0)
                return r;

        context = context_of(kernel, fd);
        parent = find_object(context, spec->parent, FAKE_DOMAIN);
        if (!parent || parent->options.kind != DOMAIN_NEST_PARENT)
                return kernel_failure(reterr, -EINVAL, "alloc_viommu");
        if (!(kernel->devices[spec->device - 1].info.has & 1U << IOMMU_FEATURE_VIOMMU))
                return kernel_failure(reterr, -EOPNOTSUPP, "alloc_viommu");

        for (uint32_t i = 0; i < spec->data_length; i++)
                answer[i] = (uint8_t) ~spec->data[i];
        object = add_object(context, FAKE_VIOMMU, ret);
        object->parent = spec->parent;
        parent->n_users++;
        return 0;
}

/* Of a kind that is there once for each virtual IOMMU and number; and of a device, once at all. */
static int add_virtual(FakeContext *context, FakeObjectKind kind, const VirtualSpec *spec, uint32_t *ret) {
        FakeObject *object;

        for (unsigned i = 0; i < ELEMENTSOF(context->objects); i++) {
                object = &context->objects[i];
                if (object->kind == kind && ((object->parent == spec->parent && object->type == spec->type &&
                                              object->virt_id == spec->virt_id) ||
                                             (kind == FAKE_VDEVICE && object->device == spec->device)))
                        return -EEXIST;
        }

        object = add_object(context, kind, ret);
        object->parent = spec->parent;
        object->device = spec->device;
        object->type = spec->type;
        object->virt_id = spec->virt_id;
        get_object(context, spec->parent)->n_users++;
        return 0;
}

static int fake_alloc_vdevice(
        void *userdata, int fd, const VirtualSpec *spec, uint32_t *ret, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "alloc_vdevice %" PRIu64, spec->virt_id);
        if (r < 0)
                return r;

        r = add_virtual(context_of(kernel, fd), FAKE_VDEVICE, spec, ret);
        return r < 0 ? kernel_failure(reterr, r, "alloc_vdevice") : 0;
}

static int fake_alloc_veventq(void *userdata, int fd, const VirtualSpec *spec, uint32_t *ret, int *ret_fd,
                              KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "alloc_veventq %u", spec->depth);
        if (r < 0)
                return r;

        r = add_virtual(context_of(kernel, fd), FAKE_VEVENTQ, spec, ret);
        if (r < 0)
                return kernel_failure(reterr, r, "alloc_veventq");

        *ret_fd = assert_ok(memfd_create("events", MFD_CLOEXEC));
        return 0;
}

static int fake_destroy(void *userdata, int fd, uint32_t id, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        FakeContext *context;
        FakeObject *object;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "destroy %u", id);
        if (r < 0)
                return r;

        context = context_of(kernel, fd);
        object = find_object(context, id, FAKE_NOTHING);
        if (!object)
                return kernel_failure(reterr, -ENOENT, "destroy %u", id);
        if (object->n_users > 0)
                return kernel_failure(reterr, -EBUSY, "destroy %u", id);

        if (object->parent != 0)
                get_object(context, object->parent)->n_users--;
        if (object->kind == FAKE_DOMAIN) {
                if (object->queue != 0)
                        get_object(context, object->queue)->n_users--;
        }
        *object = (FakeObject) {};
        return 0;
}

static int attach(FakeKernel *kernel, FakeDevice *device, uint32_t pasid, uint32_t id) {
        FakeContext *context = fake_kernel_find_context(kernel, device->context);
        FakeAttached *attached = find_attached(device, pasid);
        FakeObject *target;

        target = find_object(context, id, FAKE_NOTHING);
        if (!target)
                return -ENOENT;
        if (target->kind != FAKE_IOAS && target->kind != FAKE_DOMAIN)
                return -EINVAL;
        if (attached->target == id)
                return 0;                    /* as the kernel believes: a blocked one stays so */

        for (unsigned i = 0; i < kernel->n_devices; i++) {
                const FakeDevice *other = &kernel->devices[i];

                if (pasid == PASID_NONE && other != device && other->group == device->group &&
                    attached->target == 0 && fake_device_target(other, pasid) != 0 &&
                    fake_device_target(other, pasid) != id)
                        return -EINVAL;      /* a group has one domain */
        }

        if (attached->target != 0)
                get_object(context, attached->target)->n_users--;
        *attached = (FakeAttached) { .pasid = pasid, .target = id };
        target->n_users++;
        return 0;
}

int fake_client_attach(FakeKernel *kernel, FakeDevice *device, uint32_t pasid, uint32_t target) {
        return attach(kernel, device, pasid, target);
}

static int fake_attach(void *userdata, int fd, uint32_t pasid, uint32_t id, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        FakeDevice *device = device_of(kernel, fd);
        FakeAttached *attached = find_attached(device, pasid);
        FakeContext *context;
        FakeObject *ioas;
        int r;

        assert(device->context != 0);
        context = fake_kernel_find_context(kernel, device->context);

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "attach %s %d %u", device->name,
                             (int) pasid, id);
        if (r < 0) {
                if (attached->target != 0 && attached->target != id) {
                        attached->blocked = true;
                        ioas = ioas_of(context, id);
                        if (ioas && ioas == ioas_of(context, attached->target))
                                ioas->unreserved = true;
                }
                return r;
        }

        r = attach(kernel, device, pasid, id);
        return r < 0 ? kernel_failure(reterr, r, "attach %s", device->name) : 0;
}

static int fake_detach(void *userdata, int fd, uint32_t pasid, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        FakeDevice *device = device_of(kernel, fd);
        int r;

        assert(device->context != 0);
        r = fake_kernel_call(
                kernel, /* quiet= */ false, reterr, "detach %s %d", device->name, (int) pasid);
        if (r < 0)
                return r;

        detach(kernel, device, find_attached(device, pasid));
        return 0;
}

static int fake_reset(
        void *userdata, const char *subsystem, const char *name, int fd, KernelFailure *reterr) {
        FakeKernel *kernel = userdata;
        int r;

        r = fake_kernel_call(kernel, /* quiet= */ false, reterr, "reset %s", name);
        return r < 0 ? r : device_of(kernel, fd)->reset;
}

const DmaOps fake_dma_ops = {
        .read_hw_info = fake_read_hw_info,
        .probe = fake_probe,
        .alloc_ioas = fake_alloc_ioas,
        .read_iova_ranges = fake_read_iova_ranges,
        .map_file = fake_map_file,
        .unmap = fake_unmap,
        .alloc_domain = fake_alloc_domain,
        .set_dirty_tracking = fake_set_dirty_tracking,
        .read_dirty = fake_read_dirty,
        .alloc_fault_queue = fake_alloc_fault_queue,
        .alloc_viommu = fake_alloc_viommu,
        .alloc_vdevice = fake_alloc_vdevice,
        .alloc_veventq = fake_alloc_veventq,
        .destroy = fake_destroy,
        .attach = fake_attach,
        .detach = fake_detach,
        .reset = fake_reset,
};
