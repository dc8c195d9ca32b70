/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bus/audit.h"
#include "core/lease.h"
#include "core/quarantine.h"
#include "core/refusal.h"
#include "core/subject.h"
#include "names.h"
#include "sys/journal.h"

/* The fields of a lease, with the room that they point into. */
typedef struct LeaseFields {
        LogFields fields;
        char lease[24];
        char devices[LIMIT_LEASE_DEVICES * KERNEL_NAME_MAX];   /* "0000:01:00.0 0000:01:00.1" */
} LeaseFields;

static void append_name(char *buffer, size_t size, const char *name) {
        size_t n = strlen(buffer);

        snprintf(buffer + n, size - n, "%s%s", n > 0 ? " " : "", name);
}

static void lease_fields_init(LeaseFields *f, const Lease *lease) {
        *f = (LeaseFields) {};
        snprintf(f->lease, sizeof(f->lease), "%" PRIu64, lease->id);
        for (unsigned i = 0; i < lease->n_given; i++)
                append_name(f->devices, sizeof(f->devices), lease->devices[i].name);

        f->fields = (LogFields) {
                .device = f->devices,
                .lease = f->lease,
                .group = lease->groups,
                .uid = &lease->subject.uid,
        };
}

void audit_granted(const Lease *lease) {
        LeaseFields f;

        lease_fields_init(&f, lease);
        log_event(IOMMUD_MESSAGE_GRANT, LOG_NOTICE, &f.fields,
                "Lease %s: %s granted to uid %u (pid %d), mode %s", f.lease, f.devices, lease->subject.uid,
                (int) lease->subject.pid, mode_to_string(lease->mode));
}

static void audit_refusal(const LogFields *fields, const char *devices, const Refusal *refusal) {
        bool kernel = refusal->outcome == OUTCOME_KERNEL_FAILED;

        log_event(kernel ? IOMMUD_MESSAGE_FAILURE : IOMMUD_MESSAGE_DENIAL, kernel ? LOG_ERR : LOG_NOTICE,
                fields, "Refused %s to uid %u: %s: %s", devices, *fields->uid,
                outcome_to_string(refusal->outcome), refusal->text);
}

void audit_refused(
        const Subject *subject, const char *const *selectors, size_t n_selectors, const Refusal *refusal) {
        char devices[LIMIT_LEASE_DEVICES * KERNEL_NAME_MAX] = "";

        for (size_t i = 0; i < n_selectors; i++)
                append_name(devices, sizeof(devices), selectors[i]);

        /* they are as the caller sent them, and the log has lines of its own */
        make_printable(devices);

        audit_refusal(&(LogFields) { .device = devices, .uid = &subject->uid }, devices, refusal);
}

void audit_failed(const Lease *lease) {
        LeaseFields f;

        lease_fields_init(&f, lease);
        audit_refusal(&f.fields, f.devices, &lease->refusal);
}

void audit_stuck(const Lease *lease) {
        LeaseFields f;

        lease_fields_init(&f, lease);
        log_event(IOMMUD_MESSAGE_STUCK, LOG_ERR, &f.fields,
                  "Lease %s can't give its devices back: %s. They stay with iommud; when it is mended, "
                  "\"iommuctl release %s\" tries again", f.lease, lease->reason, f.lease);
}

void audit_ended(const Lease *lease) {
        LeaseFields f;

        if (lease->refusal.outcome != OUTCOME_GRANTED || lease->n_given == 0)
                return;                      /* it never began; it was over long ago */

        lease_fields_init(&f, lease);
        log_event(IOMMUD_MESSAGE_RELEASE, LOG_NOTICE, &f.fields,
                "Lease %s of uid %u ended: %s; %s given back", f.lease, lease->subject.uid, lease->end_cause,
                f.devices);
}

void audit_stale(const Lease *lease, const char *device, const Lease *owner) {
        char id[24];

        snprintf(id, sizeof(id), "%" PRIu64, lease->id);
        log_event(IOMMUD_MESSAGE_STALE, LOG_WARNING,
                &(LogFields) { .device = device, .lease = id, .uid = &lease->subject.uid },
                "The record of lease %s has %s, which is with lease %" PRIu64 " now: the record was left "
                "over, and nothing is done to the device for it", id, device, owner->id);
}

void audit_quarantined(const QuarantineEntry *entry) {
        int priority = entry->kind == QUARANTINE_NO_RESET ? LOG_NOTICE : LOG_ERR;

        log_event(IOMMUD_MESSAGE_QUARANTINE, priority,
                &(LogFields) { .device = entry->device, .uid = &entry->uid },
                "%s is in quarantine after uid %u: %s. \"iommuctl quarantine clear %s\" ends it",
                entry->device, entry->uid, entry->reason, entry->device);
}

void audit_cleared(const char *device) {
        log_event(IOMMUD_MESSAGE_CLEARANCE, LOG_NOTICE, &(LogFields) { .device = device },
                "%s was taken out of quarantine by root", device);
}
