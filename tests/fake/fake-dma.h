/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The contexts of the made host: what is in an iommufd, and which device is attached to what. It has the
 * kernel's traps: numbers are used again as soon as they are free, a replace that fails leaves a device
 * blocked that the kernel believes to be attached, and takes reserved addresses away.
 */

#include "core/dma.h"
#include "core/limits.h"

#define FAKE_OBJECTS_MAX 128
#define FAKE_MAPPINGS_MAX 64
#define FAKE_ATTACHED_MAX (2 + LIMIT_LEASE_PASIDS)

typedef struct FakeKernel FakeKernel;
typedef struct FakeDevice FakeDevice;

typedef enum FakeObjectKind {
        FAKE_NOTHING,
        FAKE_IOAS,
        FAKE_DOMAIN,
        FAKE_QUEUE,
        FAKE_VIOMMU,
        FAKE_VDEVICE,
        FAKE_VEVENTQ,
} FakeObjectKind;

typedef struct FakeMapping {
        uint64_t iova, length;
        bool writable;
} FakeMapping;

/* Its number is its place in the context, behind those of devices. */
typedef struct FakeObject {
        FakeObjectKind kind;
        unsigned n_users;
        FakeMapping mappings[FAKE_MAPPINGS_MAX];
        unsigned n_mappings;
        bool unreserved;                     /* the addresses of its devices could be mapped by mistake */
        uint32_t parent, queue;
        DomainOptions options;
        bool tracking;
        uint32_t device, type;               /* of what a virtual IOMMU has */
        uint64_t virt_id;
        int fd;                              /* of a queue */
} FakeObject;

typedef struct FakeContext {
        ino_t inode;                         /* of its iommufd */
        FakeObject objects[FAKE_OBJECTS_MAX];
} FakeContext;

typedef struct FakeAttached {
        uint32_t pasid;
        uint32_t target;                     /* 0: nothing */
        bool blocked; /* the kernel believes it is attached, and no DMA goes through */
} FakeAttached;

extern const DmaOps fake_dma_ops;

FakeContext *fake_kernel_find_context(FakeKernel *kernel, ino_t inode);

/* What the DMA of a device, or a PASID of it, goes to: the number of an object, 0 for nowhere. */
uint32_t fake_device_target(const FakeDevice *device, uint32_t pasid);

/* Whether it reaches memory at @iova. */
bool fake_device_reaches(FakeKernel *kernel, const FakeDevice *device, uint32_t pasid, uint64_t iova);

/* How many things of that kind there are in all contexts. */
unsigned fake_kernel_count_objects(const FakeKernel *kernel, FakeObjectKind kind);

/* The context of a device goes when nobody has a device of it open: called when one is closed. */
void fake_device_unbind(FakeKernel *kernel, FakeDevice *device);

/* A client with a copy of the device does what the kernel lets it do. */
int fake_client_attach(FakeKernel *kernel, FakeDevice *device, uint32_t pasid, uint32_t target);
