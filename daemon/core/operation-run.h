/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How each kind of operation begins and ends. For lease-operation.c, which knows when.
 */

#include "core/lease.h"
#include "core/operation.h"

/*
 * What both functions return, beside 0, when it is done, and an Outcome, with the operation's refusal set:
 * a job was begun, of which the result is to come.
 */
enum {
        OPERATION_UNDER_WAY = _OUTCOME_MAX,
};

typedef int (*OperationBegin)(Lease *lease, Operation *operation);
typedef int (*OperationFinish)(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                               const KernelFailure *failure);

/*
 * Runs the job of the operation with the context and these descriptors: here, and finishes it, or in a child
 * process, and then it is under way.
 */
int operation_run(Lease *lease, Operation *operation, const int *fds, unsigned n_fds, bool at_once)
        _must_check_;

int operation_begin_alloc_ioas(Lease *lease, Operation *operation) _must_check_;
int operation_begin_alloc_domain(Lease *lease, Operation *operation) _must_check_;
int operation_begin_alloc_viommu(Lease *lease, Operation *operation) _must_check_;
int operation_begin_alloc_vdevice(Lease *lease, Operation *operation) _must_check_;
int operation_begin_alloc_veventq(Lease *lease, Operation *operation) _must_check_;
int operation_begin_attach(Lease *lease, Operation *operation) _must_check_;
int operation_begin_detach(Lease *lease, Operation *operation) _must_check_;
int operation_begin_destroy(Lease *lease, Operation *operation) _must_check_;
int operation_begin_map(Lease *lease, Operation *operation) _must_check_;
int operation_begin_unmap(Lease *lease, Operation *operation) _must_check_;
int operation_begin_set_dirty_tracking(Lease *lease, Operation *operation) _must_check_;
int operation_begin_read_dirty(Lease *lease, Operation *operation) _must_check_;
int operation_begin_settle(Lease *lease, Operation *operation) _must_check_;

int operation_finish_alloc_domain(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                                  const KernelFailure *failure) _must_check_;
int operation_finish_alloc_viommu(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                                  const KernelFailure *failure) _must_check_;
int operation_finish_alloc_vdevice(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                                   const KernelFailure *failure) _must_check_;
int operation_finish_attach(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                            const KernelFailure *failure) _must_check_;
int operation_finish_destroy(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                             const KernelFailure *failure) _must_check_;
int operation_finish_map(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                         const KernelFailure *failure) _must_check_;
int operation_finish_unmap(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                           const KernelFailure *failure) _must_check_;
int operation_finish_set_dirty_tracking(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                                        const KernelFailure *failure) _must_check_;
int operation_finish_read_dirty(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                                const KernelFailure *failure) _must_check_;

/* The things that an operation names. NULL, with the refusal set: there is none. */
LeaseDevice *operation_find_device(Lease *lease, Operation *operation);
Ioas *operation_find_ioas(Lease *lease, Operation *operation, uint64_t handle);
Domain *operation_find_domain(Lease *lease, Operation *operation, uint64_t handle);
