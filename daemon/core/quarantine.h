/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Devices that carry something of their last tenant, because they were not reset after it, or that it may
 * still have. By name: a
 * device that is unplugged, or that a driver of the host had meanwhile, is still in quarantine when it is
 * back. Only an administrator takes it out, and a reboot, which resets everything.
 */

#include "core/forward.h"

typedef enum QuarantineKind {
        QUARANTINE_RESET_FAILED,             /* zero, the strict one: nobody gets it */
        /* there is no way to reset it: its last tenant and root get it */
        QUARANTINE_NO_RESET,
        /* it was, but whether somebody still has it can't be found out: the same */
        QUARANTINE_NO_PROOF,
        QUARANTINE_UNKNOWN,                  /* nobody knows any more whether it is in it: nobody gets it */
        /* only where that is so: it is not in it, an administrator has said so */
        QUARANTINE_CLEARED,
        _QUARANTINE_KIND_MAX,
        _QUARANTINE_KIND_INVALID = -EINVAL,
} QuarantineKind;

DECLARE_STRING_TABLE(quarantine_kind, QuarantineKind);

struct QuarantineEntry {
        char device[KERNEL_NAME_MAX];
        QuarantineKind kind;
        uid_t uid;                           /* of the last tenant */
        bool own_userns;                     /* the same of it as in its Subject */
        char reason[256];                    /* for people; printable */
};

struct Quarantine {
        QuarantineEntry *entries;            /* each device once; owned */
        size_t n_entries;
        /* what was in it is not known any more: all devices are QUARANTINE_UNKNOWN that have no entry */
        bool lost;
};

/* What an administrator calls all devices, whether or not they are known. */
#define QUARANTINE_ALL "all"

int quarantine_new(Quarantine **ret) _must_check_;
Quarantine *quarantine_free(Quarantine *quarantine);
DEFINE_CLEANUP_FUNC(Quarantine, quarantine_free);

/*
 * NULL: the device is not in quarantine. Borrowed until the next change. The entry of one of which that is
 * not known names no device.
 */
const QuarantineEntry *quarantine_find(const Quarantine *quarantine, const char *device);

/* Whether the subject may have the device in spite of it. */
bool quarantine_entry_admits(const QuarantineEntry *entry, const Subject *subject);

/* Why a device is in it of which nothing else is known. */
extern const char quarantine_lost_reason[];

/*
 * All of it as text and back. -EBADMSG, and nothing is changed, when @text is not such a text;
 * -EPROTONOSUPPORT when it is of a version that is not known.
 */
int quarantine_write(const Quarantine *quarantine, char **ret) _must_check_;
int quarantine_read(Quarantine *quarantine, const char *text) _must_check_;

/*
 * Puts a device, which @tenant had, into quarantine, in place of what was said of it before. @failure is
 * what was wrong with its reset. It is on record when this returns 0; a negative errno with *reterr: it
 * could not be written, and nothing is changed.
 */
int manager_quarantine(Manager *manager, const Subject *tenant, const char *device, QuarantineKind kind,
        const KernelFailure *failure, KernelFailure *reterr, ChangeSet *changes) _must_check_;
