/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Records for the Linux audit log, where the kernel keeps one: who was given which device, who was refused,
 * and when it came back. auditd writes them, or journald where there is none; ausearch(8) finds them by the
 * names of their types.
 */

#include "sys/journal.h"

/* The kernel's numbers for records of programs; it passes them on and knows nothing more of them. */
typedef enum AuditType {
        AUDIT_TYPE_CONFIG = 1111,            /* USYS_CONFIG: what iommud itself decides by has changed */
        AUDIT_TYPE_ALLOC = 2307,             /* DEV_ALLOC: a device was given to somebody, or refused */
        AUDIT_TYPE_DEALLOC = 2308,           /* DEV_DEALLOC: it comes back: ended, made clean, given back */
} AuditType;

/*
 * One record for each device of @fields, or one when there is none, with the event as "op". Does not wait.
 * A kernel or a container without audit is no failure; what else goes wrong is said in the journal.
 */
void audit_log_send(AuditType type, const LogFields *fields, bool success);
