/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What one user can make exist here where the policy says nothing else, and how long things may take.
 */

/* Devices in one Acquire; equal to IOMMUD_DEVICES_MAX of names.h, whose reason is the bus. */
#define LIMIT_LEASE_DEVICES 8

/*
 * Devices that one iommufd context has, companions included: more of a group can only be handed out where
 * the client binds them.
 */
#define LIMIT_CONTEXT_DEVICES 16

/* Leases, and devices in all leases, of one uid. */
#define LIMIT_UID_LEASES 64
#define LIMIT_UID_DEVICES 128

/*
 * Questions to polkit that are open at a time, of one uid and in all (dbus-daemon lets nobody wait for more
 * than 128 answers), and devices that one request can have asked about. How long polkit has for its answer
 * without anybody to ask, which is less than clients wait by default, and with.
 */
#define LIMIT_UID_QUESTIONS 8
#define LIMIT_QUESTIONS 96
#define LIMIT_REQUEST_QUESTIONS 32
#define LIMIT_QUESTION_USEC (UINT64_C(20) * 1000 * 1000)
#define LIMIT_QUESTION_HUMAN_USEC (UINT64_C(240) * 1000 * 1000)

/* What one uid may have made in its leases where iommud does the mapping. */
#define LIMIT_UID_DOMAINS 256
#define LIMIT_UID_MAPPINGS 65536
#define LIMIT_UID_PINNED_BYTES (UINT64_C(64) << 30)
#define LIMIT_UID_PASIDS 1024

/* Acquire, Plan and the like, of one uid; far more than anybody needs, and less than keeps us busy. */
#define LIMIT_UID_REQUESTS_PER_SECOND 200

/*
 * So many users are remembered of whom there is nothing to remember, and so long that there were refusals
 * that nobody was told of.
 */
#define LIMIT_IDLE_ACCOUNTS 64
#define LIMIT_UNTOLD_USEC (UINT64_C(60) * 1000 * 1000)

/*
 * A driver's bind or unbind, the end of a process, a trial bind with its resets, a bind to iommufd and a
 * close with one.
 */
#define LIMIT_SET_DRIVER_USEC (UINT64_C(20) * 1000 * 1000)
#define LIMIT_KILL_USEC (UINT64_C(10) * 1000 * 1000)
#define LIMIT_PROVE_FREE_USEC (UINT64_C(10) * 1000 * 1000)
#define LIMIT_BIND_USEC (UINT64_C(10) * 1000 * 1000)
#define LIMIT_CLOSE_USEC (UINT64_C(10) * 1000 * 1000)

/* What is done to a context in a process of its own: mapping memory of some size takes its time. */
#define LIMIT_DMA_JOB_USEC (UINT64_C(60) * 1000 * 1000)

/*
 * The holder of a lease that the policy gives an end is asked for it so long before, or when half of its
 * time is over, whichever is later.
 */
#define LIMIT_NOTICE_USEC (UINT64_C(60) * 1000 * 1000)

/* So much memory is mapped, unmapped and looked through at once: a few milliseconds at most. */
#define LIMIT_MAP_AT_ONCE (UINT64_C(4) << 20)
#define LIMIT_UNMAP_AT_ONCE (UINT64_C(16) << 20)

/* Numbers of leases that are put on record at a time. */
#define LIMIT_LEASE_NUMBERS 16

/* Calls for one lease that wait for the one that is under way. */
#define LIMIT_LEASE_OPERATIONS 16

/* What one lease can have in its context. */
#define LIMIT_LEASE_IOASES 16
#define LIMIT_LEASE_DOMAINS 64
#define LIMIT_LEASE_VIRTUALS 64
#define LIMIT_LEASE_MAPPINGS 4096
#define LIMIT_LEASE_PASIDS 256

/*
 * Things in a context that nobody knows of, since the process that made them was lost; and the highest
 * number that anything there can have: the kernel gives the lowest that is free.
 */
#define LIMIT_CONTEXT_STRAYS 8
#define LIMIT_CONTEXT_IDS \
        (LIMIT_CONTEXT_DEVICES + LIMIT_LEASE_IOASES + 2 * LIMIT_LEASE_DOMAINS + LIMIT_LEASE_VIRTUALS + \
         LIMIT_CONTEXT_STRAYS)

/* Fault queues that the answer to one Acquire has room for beside 8 devices, the lifeline and the iommufd.
 */
#define LIMIT_FAULT_QUEUES 6

/* Events that a queue of a virtual IOMMU holds: as many as the kernel takes; and when nothing is said. */
#define LIMIT_VEVENTQ_DEPTH (UINT32_C(1) << 19)
#define DEFAULT_VEVENTQ_DEPTH 64

/* The bitmap of what is dirty: of 128 GiB in pages of 4 KiB. */
#define LIMIT_DIRTY_BITMAP (UINT64_C(4) << 20)

/*
 * A device that is still open when its holder has gone is looked at again after the first of these times,
 * doubled on each try up to the last: a process that exits closes its lifeline up to some 100 ms before its
 * device, and one that passed the device on may keep it for days.
 */
#define LIMIT_DRAIN_FIRST_USEC (UINT64_C(20) * 1000)
#define LIMIT_DRAIN_LAST_USEC (UINT64_C(5) * 1000 * 1000)
