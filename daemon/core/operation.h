/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a client wants to be done in the context of its lease, and what came of it. Operations of one lease
 * are done one after the other, in the order in which they were asked for; one that takes long is done in a
 * child process. The lease owns it until it is done and somebody takes it.
 */

#include "core/dma-job.h"
#include "core/dma.h"
#include "core/forward.h"
#include "core/kernel.h"
#include "core/refusal.h"

typedef enum OperationKind {
        OPERATION_ALLOC_IOAS,
        OPERATION_ALLOC_DOMAIN,
        OPERATION_ALLOC_VIOMMU,
        OPERATION_ALLOC_VDEVICE,
        OPERATION_ALLOC_VEVENTQ,
        OPERATION_ATTACH,
        OPERATION_DETACH,
        OPERATION_DESTROY,
        OPERATION_MAP,
        OPERATION_UNMAP,
        OPERATION_SET_DIRTY_TRACKING,
        OPERATION_READ_DIRTY,
        OPERATION_REVOKE,
        OPERATION_SETTLE,                    /* our own: an attach that nobody has seen the end of */
        _OPERATION_KIND_MAX,
} OperationKind;

struct Operation {
        OperationKind kind;
        uint64_t id;                         /* the manager's, unique for its life */
        Operation *next;                     /* of the same lease; owned */
        bool under_way;                      /* its job runs */
        bool done;                           /* and *refusal says how */
        bool on_record;                      /* what is in the context now is written down already */
        Refusal refusal;

        /* What it is about. */
        char device[KERNEL_NAME_MAX];        /* to be attached, or to make a domain for */
        uint64_t handle;                     /* of the IOAS or domain; in the end, of the new one */
        /* of a new thing: the IOAS, domain or virtual IOMMU that it is made of or nested on */
        uint64_t parent;
        uint32_t pasid;                      /* PASID_NONE: the device itself; in the end, which it became */
        bool any_pasid;                      /* one that is free */
        IoasOptions ioas_options;
        DomainOptions domain_options;
        VirtualSpec virtual;                 /* in the end, with the driver's answer */
        FileMapping map;                     /* its descriptor is owned */
        uint64_t length;                     /* to be unmapped from map.iova on; in the end, how much was */
        DirtyRange dirty;
        bool on;

        /* What else came of it. */
        int fd;                              /* the queue, or the bitmap; owned */
        uint32_t kernel_id;                  /* of the new thing, where the client has the context */
        bool replaced;                       /* it was attached before */
        char not_reset[LIMIT_CONTEXT_DEVICES][KERNEL_NAME_MAX];        /* after OPERATION_REVOKE */
        unsigned n_not_reset;

        DmaJob job;
        KernelFailure failure;               /* of its first job, which another one had to follow */
};

int operation_new(OperationKind kind, Operation **ret) _must_check_;
Operation *operation_free(Operation *operation);
DEFINE_CLEANUP_FUNC(Operation, operation_free);
