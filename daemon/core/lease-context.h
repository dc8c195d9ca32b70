/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The modes in which iommud binds the devices to the iommufd and makes the first domain: what a lease does
 * beyond one whose client binds. Companions are bound too, in the same context, and held: whoever has a
 * device can reach with it what any device of the group can.
 */

#include "core/lease.h"

/* Whether iommud binds the devices. Otherwise none of the below has anything to do. */
bool lease_binds(const Lease *lease);

/* Opens the companions and has all devices bound. Everything else is open. */
int lease_bind(Lease *lease, KernelFailure *reterr) _must_check_;
void lease_bind_done(LeaseDevice *device, const TaskResult *result);

/* All devices are bound: makes the first IOAS and domains. Returns 0 or an Outcome. */
int lease_make_domains(Lease *lease, Refusal *reterr, ChangeSet *changes) _must_check_;

/* Has the devices of the next group attached. Returns 0, an Outcome, or LEASE_ALL_ATTACHED. */
enum {
        LEASE_ALL_ATTACHED = _OUTCOME_MAX,
};
int lease_attach_next(Lease *lease, Refusal *reterr) _must_check_;

/* The result of a job that is not an operation's: of the first attach, or the last cut. */
void lease_job_done(Lease *lease, const TaskResult *result, ChangeSet *changes);
void lease_attach_done(Lease *lease, const TaskResult *result);
void lease_cut_done(Lease *lease, const TaskResult *result, ChangeSet *changes);

/* Has a job run in a child process, with the context and @n_fds descriptors. Returns 0 or a negative errno.
 */
int lease_start_job(Lease *lease, const DmaJob *job, const int *fds, unsigned n_fds) _must_check_;

/*
 * What has to be cut off to be sure that nothing is attached and, in MODE_CONFINED, that nothing is left
 * that a copy of a device could be attached to. @ret_fds takes a borrowed descriptor for each device.
 * Returns their number, or -ENOMEM.
 */
int lease_make_tear_down(const Lease *lease, DmaJob *ret_job, int ret_fds[static LIMIT_CONTEXT_DEVICES])
        _must_check_;

/* What was in the context is not there any more. */
void lease_forget_context(Lease *lease);

/* What can be mapped in an IOAS now. Returns 0 or an Outcome. */
int lease_read_iova_ranges(const Lease *lease, uint64_t ioas, IovaRanges *ret, Refusal *reterr) _must_check_;

/* Descriptors that are to come back after a restart go to the service manager; and one that is not any more.
 */
int lease_keep_fds(const Lease *lease, KernelFailure *reterr) _must_check_;
void lease_drop_fd(const Lease *lease, const char *name);

/* True: there is something left to be detached or to be closed. */
bool lease_leave_context(Lease *lease, ChangeSet *changes);

/* Their names there: "lease-3-iommufd", "lease-3-device-0". */
#define LEASE_FD_NAME_MAX 48
void lease_iommufd_name(const Lease *lease, char name[static LEASE_FD_NAME_MAX]);
void lease_device_name(const Lease *lease, unsigned i, char name[static LEASE_FD_NAME_MAX]);

/* What was kept comes back. */
void lease_take_fds(Lease *lease, TakeFdFunc take_fd, void *userdata);

/* What came back for the device in this place is of no use: it is closed elsewhere. */
void lease_reject_fd(Lease *lease, unsigned i);

/*
 * Whether the descriptors that have come back are what they were kept as: the context, and every device
 * bound in it.
 */
bool lease_knows_fds(Lease *lease);
