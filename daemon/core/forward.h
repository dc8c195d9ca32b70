/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The names of the core's types and the enums that more than one of them speaks in. Headers of the core
 * include this one and leaf headers, not each other, so that no circle can arise.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"
#include "base/strtab.h"

typedef struct Account Account;
typedef struct Approved Approved;
typedef struct Catalog Catalog;
typedef struct Change Change;
typedef struct ChangeSet ChangeSet;
typedef struct Claim Claim;
typedef struct Context Context;
typedef struct Device Device;
typedef struct DeviceFacts DeviceFacts;
typedef struct DeviceMatch DeviceMatch;
typedef struct DmaJob DmaJob;
typedef struct DmaOps DmaOps;
typedef struct Fact Fact;
typedef struct Group Group;
typedef struct GroupFacts GroupFacts;
typedef struct Host Host;
typedef struct HwInfo HwInfo;
typedef struct Kernel Kernel;
typedef struct KernelFailure KernelFailure;
typedef struct Lease Lease;
typedef struct LeaseDevice LeaseDevice;
typedef struct Manager Manager;
typedef struct Permits Permits;
typedef struct Operation Operation;
typedef struct Plan Plan;
typedef struct Policy Policy;
typedef struct PolicyRule PolicyRule;
typedef struct Quarantine Quarantine;
typedef struct QuarantineEntry QuarantineEntry;
typedef struct Refusal Refusal;
typedef struct Request Request;
typedef struct Selector Selector;
typedef struct Store Store;
typedef struct Subject Subject;
typedef struct Task Task;
typedef struct TaskResult TaskResult;

/*
 * The kernel's names: bus ids, drivers, groups. Long enough for an mdev's UUID and a platform device's node
 * name.
 */
#define KERNEL_NAME_MAX 64

/* How the caller of Acquire can be told something later: words of the edge, without a space. */
#define CLIENT_MAX 128

/* What is handed over; see the table of modes in the documentation of Acquire. */
typedef enum Mode {
        MODE_VMM,
        MODE_ATTACHED,
        MODE_CONFINED,
        _MODE_MAX,
        _MODE_INVALID = -EINVAL,
} Mode;

/* Whom the kernel charges for the memory that the holder pins: IOMMU_OPTION_RLIMIT_MODE. */
typedef enum Accounting {
        ACCOUNTING_PROCESS,
        ACCOUNTING_USER,
        _ACCOUNTING_MAX,
        _ACCOUNTING_INVALID = -EINVAL,
} Accounting;

/* What a rule may withhold of what the hardware can do with a device's domains. */
typedef enum DomainFeature {
        DOMAIN_FEATURE_NESTING,              /* page tables of the client's, below ours */
        DOMAIN_FEATURE_DIRTY_TRACKING,
        DOMAIN_FEATURE_PASID,                /* several domains for one device */
        DOMAIN_FEATURE_FAULT_QUEUE,          /* page faults of the device go to the client */
        _DOMAIN_FEATURE_MAX,
        _DOMAIN_FEATURE_INVALID = -EINVAL,
} DomainFeature;

DECLARE_STRING_TABLE(domain_feature, DomainFeature);
DECLARE_STRING_TABLE(mode, Mode);
DECLARE_STRING_TABLE(accounting, Accounting);
