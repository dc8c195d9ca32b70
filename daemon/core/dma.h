/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What an iommufd context is made of, in the core's words, and the port to it. A context holds devices that
 * were bound to it, I/O address spaces (IOAS) and domains, each under a number of the kernel's that is used
 * again as soon as it is free: nothing outside of iommud is told by such a number what is meant.
 */

#include "core/forward.h"

/* First and last I/O virtual address. */
typedef struct IovaRange {
        uint64_t first, last;
} IovaRange;

#define IOVA_RANGES_MAX 32

typedef struct IovaRanges {
        IovaRange items[IOVA_RANGES_MAX];
        unsigned n_items;
        uint64_t alignment;
} IovaRanges;

/* Windows that an IOAS is promised to have, and that nothing is mapped outside of. */
#define IOVA_WINDOWS_MAX 8

typedef struct IoasOptions {
        IovaRange windows[IOVA_WINDOWS_MAX];
        unsigned n_windows;                  /* 0: all that the hardware has */
        bool small_pages;                    /* pages are never combined */
} IoasOptions;

typedef enum DomainKind {
        DOMAIN_PAGING,
        DOMAIN_NEST_PARENT,                  /* paging, and others can be nested on it */
        DOMAIN_NESTED,
        _DOMAIN_KIND_MAX,
        _DOMAIN_KIND_INVALID = -EINVAL,
} DomainKind;

DECLARE_STRING_TABLE(domain_kind, DomainKind);

/* Of the IOMMU driver, for nested domains: passed through. */
#define DOMAIN_DATA_MAX 128

typedef struct DomainOptions {
        DomainKind kind;
        bool dirty_tracking;
        bool pasid;                          /* can be attached to PASIDs, and beside them */
        bool fault_queue;
        uint32_t data_type;                  /* of DOMAIN_NESTED */
        uint32_t data_length;
        uint8_t data[DOMAIN_DATA_MAX];
} DomainOptions;

/* What a rule of the policy has to give for it: 1 << DomainFeature. */
unsigned domain_options_features(const DomainOptions *options);

/* Attach and detach the device itself (its RID), not one of its PASIDs. PASID 0 means the same to hardware.
 */
#define PASID_NONE UINT32_MAX

/* The IOMMU drivers that say who they are. */
typedef enum IommuDriver {
        IOMMU_DRIVER_UNKNOWN,
        IOMMU_DRIVER_INTEL_VTD,
        IOMMU_DRIVER_ARM_SMMUV3,
        IOMMU_DRIVER_TEGRA241_CMDQV,
        IOMMU_DRIVER_AMD,
        _IOMMU_DRIVER_MAX,
        _IOMMU_DRIVER_INVALID = -EINVAL,
} IommuDriver;

DECLARE_STRING_TABLE(iommu_driver, IommuDriver);

/*
 * Whether the driver can replace a domain without a moment in which DMA is blocked. It depends on more than
 * the driver, so this is what can be hoped for; for all others it is known that they can't.
 */
bool iommu_driver_is_hitless(IommuDriver driver);

/*
 * Whether a domain that a device was detached from works again when it is attached again, after an attempt
 * to replace it has failed.
 */
bool iommu_driver_can_return(IommuDriver driver);

/* What an IOMMU with its driver may be able to do for a device, and what not all can. */
typedef enum IommuFeature {
        IOMMU_FEATURE_DIRTY_TRACKING,
        IOMMU_FEATURE_NESTING,
        IOMMU_FEATURE_PAGE_FAULTS,           /* of this device: it can be attached to a queue of them */
        IOMMU_FEATURE_VIOMMU,
        _IOMMU_FEATURE_MAX,
        _IOMMU_FEATURE_INVALID = -EINVAL,
} IommuFeature;

DECLARE_STRING_TABLE(iommu_feature, IommuFeature);

#define HW_DATA_MAX 128

struct HwInfo {
        bool asked;                          /* else nothing below is known */
        /* a mediated device: it has no IOMMU of its own, and is attached to an IOAS, not to a domain */
        bool emulated;
        bool dirty_tracking;
        uint8_t pasid_log2;                  /* the width of its PASIDs; 0: it has none */
        bool no_pasids;                      /* so much is known without asking */
        bool pasid_execute, pasid_privileged;
        IommuDriver driver;
        uint32_t type;                       /* the same in the kernel's number, for @data */
        uint32_t data_length;
        uint8_t data[HW_DATA_MAX];           /* of the driver, as it is in linux/iommufd.h */
        /* 1 << IommuFeature: what it was found to have, and not to have; all else is not known */
        unsigned has, lacks;
        IovaRange aperture;                  /* 0 to 0: not known */
        uint64_t page_size;                  /* of the smallest; 0: not known */
        uint64_t page_sizes;                 /* the sum of all that it is known to have; 0: not known */
};

typedef struct FileMapping {
        int fd;                              /* borrowed */
        uint64_t offset, length;
        bool fixed;                          /* at @iova, not where there is room */
        uint64_t iova;
        bool readable, writable;             /* by devices */
} FileMapping;

typedef struct DomainSpec {
        uint32_t device;                     /* that it is made for */
        uint32_t parent;                     /* the IOAS, or the domain to be nested on */
        uint32_t fault_queue;                /* with options->fault_queue */
        const DomainOptions *options;        /* borrowed */
} DomainSpec;

/* What a virtual IOMMU is made of; see core/virtual.h. */
typedef enum VirtualKind {
        VIRTUAL_IOMMU,
        VIRTUAL_DEVICE,
        VIRTUAL_QUEUE,
        _VIRTUAL_KIND_MAX,
        _VIRTUAL_KIND_INVALID = -EINVAL,
} VirtualKind;

DECLARE_STRING_TABLE(virtual_kind, VirtualKind);

#define VIRTUAL_DATA_MAX 128

typedef struct VirtualSpec {
        VirtualKind kind;
        uint32_t device;                     /* of a virtual IOMMU or device: that it is made for */
        uint32_t parent;                     /* the domain of a virtual IOMMU; of all others that one */
        uint32_t type;                       /* of a virtual IOMMU or queue: the driver's */
        uint32_t depth;                      /* of a queue: how many events it holds */
        uint64_t virt_id;                    /* of a device: its number there */
        uint32_t data_length;                /* of a virtual IOMMU: the driver's, passed through */
        uint8_t data[VIRTUAL_DATA_MAX];
} VirtualSpec;

typedef struct DirtyRange {
        uint64_t iova, length, page_size;
        bool keep;                           /* what is dirty stays so */
} DirtyRange;

/* How many bytes its bitmap takes: whole words of 64 bits. Page size and length are not 0. */
size_t dirty_range_size(const DirtyRange *range);

/*
 * The verbs. @context is an iommufd, @device a device that is bound to it. All of them return 0, or a
 * negative errno with *reterr; -EOPNOTSUPP is always "the hardware, its driver or this kernel can't". Those
 * that take a context alone are quick unless memory of size is behind them, and only who has the context can
 * make them wait. Those that take a device wait for whoever else on its bus is in a reset: they are called
 * in child processes only.
 */
struct DmaOps {
        /* Of a device by its number in the context. */
        int (*read_hw_info)(
                void *userdata, int context, uint32_t device, HwInfo *ret, KernelFailure *reterr);

        /*
         * Tries what the kernel doesn't tell: fills @has, @lacks, @aperture, @page_size and @page_sizes of
         * what was read. Leaves nothing in the context. Without failure: what can't be found out is not
         * known.
         */
        void (*probe)(void *userdata, int context, uint32_t device, HwInfo *info);

        int (*alloc_ioas)(void *userdata, int context, const IoasOptions *options, uint32_t *ret,
                          KernelFailure *reterr);
        /* What can be mapped now. */
        int (*read_iova_ranges)(void *userdata, int context, uint32_t ioas, IovaRanges *ret,
                                KernelFailure *reterr);
        int (*map_file)(void *userdata, int context, uint32_t ioas, const FileMapping *mapping,
                        uint64_t *ret_iova, KernelFailure *reterr);
        /* Whole mappings only; 0 and UINT64_MAX: all of them, also where there are none. */
        int (*unmap)(void *userdata, int context, uint32_t ioas, uint64_t iova, uint64_t length,
                     KernelFailure *reterr);

        int (*alloc_domain)(void *userdata, int context, const DomainSpec *spec, uint32_t *ret,
                            KernelFailure *reterr);
        int (*set_dirty_tracking)(void *userdata, int context, uint32_t domain, bool on,
                                  KernelFailure *reterr);
        /* One bit for each page of the range, set for those that were written to. */
        int (*read_dirty)(void *userdata, int context, uint32_t domain, const DirtyRange *range,
                          uint64_t *bitmap, KernelFailure *reterr);
        /* Caller owns *ret_fd. The queue goes when it is closed and destroyed. */
        int (*alloc_fault_queue)(void *userdata, int context, uint32_t *ret, int *ret_fd,
                                 KernelFailure *reterr);
        /*
         * Of the three kinds of VirtualSpec. @data, which has room for as much as @spec gives, takes what
         * the driver answers. -EEXIST: the device, its number, or the type of queue is there already.
         */
        int (*alloc_viommu)(void *userdata, int context, const VirtualSpec *spec, uint32_t *ret, void *data,
                            KernelFailure *reterr);
        int (*alloc_vdevice)(
                void *userdata, int context, const VirtualSpec *spec, uint32_t *ret, KernelFailure *reterr);
        /* Caller owns *ret_fd. Until it is closed the queue can't be destroyed. */
        int (*alloc_veventq)(void *userdata, int context, const VirtualSpec *spec, uint32_t *ret,
                             int *ret_fd, KernelFailure *reterr);

        /* -EBUSY: something uses it. -ENOENT: there is no such thing. */
        int (*destroy)(void *userdata, int context, uint32_t id, KernelFailure *reterr);

        /* To a domain, or an IOAS; where it is attached already it is moved there. */
        int (*attach)(void *userdata, int device, uint32_t pasid, uint32_t target, KernelFailure *reterr);
        /* No error where it is not attached. */
        int (*detach)(void *userdata, int device, uint32_t pasid, KernelFailure *reterr);
        /*
         * Resets the device, which is bound, and looks whether it is as after a reset. Outcomes 0,
         * PROVE_RESET_FAILED and PROVE_NO_RESET of core/kernel.h. It takes a tenth of a second and more.
         */
        int (*reset)(void *userdata, const char *subsystem, const char *name, int device,
                     KernelFailure *reterr);
};
