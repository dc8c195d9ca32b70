/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The policy: an ordered list of rules, of which the first that matches subject and device decides. None
 * matches: deny. The administrator of the host is allowed where no rule says otherwise. The verdict is a
 * pure function: no clock, no file, no bus, no journal is asked.
 */

#include "core/forward.h"

typedef enum Verdict {
        VERDICT_DENY,                        /* zero: a forgotten initialiser denies */
        VERDICT_ASK,                         /* an administrator is to be asked; nobody can yet: denied */
        VERDICT_ALLOW,
        _VERDICT_MAX,
        _VERDICT_INVALID = -EINVAL,
} Verdict;

DECLARE_STRING_TABLE(verdict, Verdict);

typedef enum DeviceMatchKind {
        DEVICE_MATCH_NONE,                   /* zero: matches nothing */
        DEVICE_MATCH_ANY,
        DEVICE_MATCH_NAME,                   /* the kernel's name; for PCI the address */
        DEVICE_MATCH_IDS,                    /* vendor and device id */
        DEVICE_MATCH_CLASS,                  /* PCI class code under a mask */
        _DEVICE_MATCH_KIND_MAX,
} DeviceMatchKind;

typedef struct DeviceMatch {
        DeviceMatchKind kind;
        char name[KERNEL_NAME_MAX];
        uint16_t vendor, device;
        uint32_t class, class_mask;          /* 24 bits, right-aligned: class 0x010802, mask 0xffff00 */
} DeviceMatch;

/*
 * One rule. A subject matches when any of the lists that are set has it; a rule whose lists are both empty
 * matches nobody unless any_subject is set. A device matches when any of the devices does.
 */
typedef struct PolicyRule {
        /* where it stands: "/etc/iommud/policy.d/50-vm.json: rules[2]"; owned */
        char *origin;
        Verdict verdict;
        bool any_subject;
        uid_t *uids;                         /* owned */
        size_t n_uids;
        gid_t *gids;                         /* owned */
        size_t n_gids;
        DeviceMatch *devices;                /* owned */
        size_t n_devices;
} PolicyRule;

struct Policy {
        PolicyRule *rules;                   /* in the order in which they are tried; owned */
        size_t n_rules;
};

/* The answer to "may this subject have this device", and why. */
typedef struct PolicyAnswer {
        Verdict verdict;
        const PolicyRule *rule;              /* that decided, borrowed from the policy; NULL: none matched */
} PolicyAnswer;

int policy_new(Policy **ret) _must_check_;
Policy *policy_free(Policy *policy);
DEFINE_CLEANUP_FUNC(Policy, policy_free);

/*
 * Appends a rule that denies everything to nobody, to be filled in by the caller. *ret is borrowed until the
 * next call.
 */
int policy_append(Policy *policy, PolicyRule **ret) _must_check_;

/* A policy of NULL is one without rules. */
PolicyAnswer policy_decide(const Policy *policy, const Subject *subject, const DeviceFacts *device);
