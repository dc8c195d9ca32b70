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
#include "sys/audit-log.h"
#include "sys/journal.h"

/* The fields of a lease, with the room that they point into. */
typedef struct LeaseFields {
        LogFields fields;
        char lease[24];
        const char *devices[LIMIT_LEASE_DEVICES];
        char text[LIMIT_LEASE_DEVICES * KERNEL_NAME_MAX];      /* "0000:01:00.0 0000:01:00.1" */
} LeaseFields;

static_assert(LIMIT_LEASE_DEVICES <= LOG_FIELDS_MAX, "a message has no room for the devices of a lease");

static void append_name(char *buffer, size_t size, const char *name) {
        size_t n = strlen(buffer);

        snprintf(buffer + n, size - n, "%s%s", n > 0 ? " " : "", name);
}

static void lease_fields_init(LeaseFields *f, const Lease *lease, const char *event) {
        *f = (LeaseFields) {};
        snprintf(f->lease, sizeof(f->lease), "%" PRIu64, lease->id);
        for (unsigned i = 0; i < lease->n_given; i++) {
                f->devices[i] = lease->devices[i].name;
                append_name(f->text, sizeof(f->text), lease->devices[i].name);
        }

        f->fields = (LogFields) {
                .event = event,
                .devices = f->devices,
                .n_devices = lease->n_given,
                .lease = f->lease,
                .groups = lease->groups,
                .n_groups = lease->n_groups,
                .uid = &lease->subject.uid,
                .pid = lease->subject.pid,
                .mode = mode_to_string(lease->mode),
        };
}

void audit_granted(const Lease *lease) {
        LeaseFields f;

        lease_fields_init(&f, lease, IOMMUD_EVENT_GRANT);
        log_event(IOMMUD_MESSAGE_GRANT, LOG_NOTICE, &f.fields,
                "Lease %s: %s granted to uid %u (pid %d), mode %s", f.lease, f.text, lease->subject.uid,
                (int) lease->subject.pid, mode_to_string(lease->mode));
        audit_log_send(AUDIT_TYPE_ALLOC, &f.fields, /* success= */ true);
}

void audit_memlock(const Lease *lease, pid_t pid, uint64_t before, int error) {
        uint64_t mib = lease->memlock >> 20;
        LeaseFields f;

        lease_fields_init(&f, lease, IOMMUD_EVENT_MEMLOCK);
        if (error < 0)
                log_event(IOMMUD_MESSAGE_MEMLOCK, LOG_WARNING, &f.fields,
                        "Lease %s: the limit of locked memory of uid %u's process can't be raised to "
                        "%" PRIu64 " MiB, ignoring: %s", f.lease, lease->subject.uid, mib,
                        strerrordesc_np(-error) ?: "unknown error");
        else if (lease->memlock == UINT64_MAX)
                log_event(IOMMUD_MESSAGE_MEMLOCK, LOG_NOTICE, &f.fields,
                        "Lease %s: process %d may lock any amount of memory, and could lock %" PRIu64
                        " MiB before", f.lease, (int) pid, before >> 20);
        else
                log_event(IOMMUD_MESSAGE_MEMLOCK, LOG_NOTICE, &f.fields,
                        "Lease %s: process %d may lock %" PRIu64 " MiB of memory, and could lock %" PRIu64
                        " MiB before", f.lease, (int) pid, mib, before >> 20);
}

static void audit_refusal(LogFields *fields, AuditType type, const char *what, const Refusal *refusal,
                          uint64_t n_untold) {
        bool kernel = refusal->outcome == OUTCOME_KERNEL_FAILED;
        char more[96] = "";

        if (n_untold > 0)
                snprintf(more, sizeof(more),
                         " (and so were %" PRIu64 " requests before, of which nothing was said)", n_untold);

        fields->event = kernel ? IOMMUD_EVENT_FAILURE : IOMMUD_EVENT_DENIAL;
        fields->refusal = outcome_to_string(refusal->outcome);
        log_event(kernel ? IOMMUD_MESSAGE_FAILURE : IOMMUD_MESSAGE_DENIAL, kernel ? LOG_ERR : LOG_NOTICE,
                fields, "Refused %s to uid %u: %s: %s%s", what, *fields->uid, fields->refusal,
                refusal->text, more);
        audit_log_send(type, fields, /* success= */ false);
}

/* The devices are as the caller sent them, and the logs have lines of their own. */
void audit_refused(const Subject *subject, const char *const *selectors, size_t n_selectors,
                   const Refusal *refusal, uint64_t n_untold) {
        char text[LIMIT_LEASE_DEVICES * KERNEL_NAME_MAX] = "", names[LIMIT_LEASE_DEVICES][KERNEL_NAME_MAX];
        const char *devices[LIMIT_LEASE_DEVICES];
        LogFields fields = { .devices = devices, .uid = &subject->uid, .pid = subject->pid };

        for (size_t i = 0; i < n_selectors && i < ELEMENTSOF(names); i++) {
                snprintf(names[i], sizeof(names[i]), "%s", selectors[i]);
                make_printable(names[i]);
                append_name(text, sizeof(text), names[i]);
                devices[fields.n_devices++] = names[i];
        }

        audit_refusal(&fields, AUDIT_TYPE_ALLOC, text, refusal, n_untold);
}

void audit_denied(const Subject *subject, const char *method, const Lease *lease, const uint32_t *group,
                  const Refusal *refusal, uint64_t n_untold) {
        LogFields fields = { .groups = group, .n_groups = !!group };
        LeaseFields f;

        if (lease) {
                lease_fields_init(&f, lease, IOMMUD_EVENT_DENIAL);
                fields = f.fields;
        }
        /* who was refused, not whose it is */
        fields.uid = &subject->uid;
        fields.pid = subject->pid;
        fields.mode = NULL;
        audit_refusal(&fields, lease ? AUDIT_TYPE_ALLOC : AUDIT_TYPE_CONFIG, method, refusal, n_untold);
}

void audit_failed(const Lease *lease) {
        LeaseFields f;

        lease_fields_init(&f, lease, IOMMUD_EVENT_FAILURE);
        audit_refusal(&f.fields, AUDIT_TYPE_ALLOC, f.text, &lease->refusal, /* n_untold= */ 0);
}

/* Whether somebody else than its user has put an end to it. */
static bool lease_was_revoked(const Lease *lease) {
        return lease->ended_by != (uid_t) -1 && lease->ended_by != lease->subject.uid;
}

/* ", with 2 PASIDs of 0000:01:00.0 attached": they go with it, and who did not mean that reads it here */
static void print_pasids(char *buffer, size_t size, const Lease *lease) {
        const char *separator = ", with ";
        size_t n = 0;

        buffer[0] = '\0';
        for (unsigned i = 0; i < lease->n_devices; i++) {
                const LeaseDevice *device = &lease->devices[i];

                if (device->dma.n_pasids == 0)
                        continue;
                n += (size_t) snprintf(buffer + n, size - n, "%s%zu PASID%s of %s", separator,
                                       device->dma.n_pasids, device->dma.n_pasids > 1 ? "s" : "",
                                       device->name);
                separator = " and ";
        }
        if (n > 0)
                snprintf(buffer + n, size - n, " attached");
}

void audit_ending(const Lease *lease) {
        char pasids[LIMIT_CONTEXT_DEVICES * (KERNEL_NAME_MAX + 40)];
        bool revoked = lease_was_revoked(lease);
        LeaseFields f;

        print_pasids(pasids, sizeof(pasids), lease);

        lease_fields_init(&f, lease, revoked ? IOMMUD_EVENT_REVOKE : IOMMUD_EVENT_END);
        if (lease->ended_by != (uid_t) -1)
                f.fields.by = &lease->ended_by;

        log_event(revoked ? IOMMUD_MESSAGE_REVOKE : IOMMUD_MESSAGE_END, LOG_NOTICE, &f.fields,
                "Lease %s of uid %u is %s: %s%s; waiting until nobody has %s open", f.lease,
                lease->subject.uid, revoked ? "revoked" : "over", lease->end_cause, pasids, f.text);
        if (revoked)
                audit_log_send(AUDIT_TYPE_DEALLOC, &f.fields, /* success= */ true);
}

void audit_reset(const char *device, uint64_t lease) {
        char id[24];
        const LogFields fields = { .event = IOMMUD_EVENT_RESET, .device = device, .lease = id };

        snprintf(id, sizeof(id), "%" PRIu64, lease);
        log_event(IOMMUD_MESSAGE_RESET, LOG_INFO, &fields,
                "%s was reset after lease %s: nobody has it open any more", device, id);
        audit_log_send(AUDIT_TYPE_DEALLOC, &fields, /* success= */ true);
}

void audit_stuck(const Lease *lease) {
        LeaseFields f;

        lease_fields_init(&f, lease, IOMMUD_EVENT_STUCK);
        log_event(IOMMUD_MESSAGE_STUCK, LOG_ERR, &f.fields,
                  "Lease %s can't give its devices back: %s. They stay with iommud; when it is mended, "
                  "\"iommuctl release %s\" tries again", f.lease, lease->reason, f.lease);
}

void audit_ended(const Lease *lease) {
        LeaseFields f;

        if (lease->refusal.outcome != OUTCOME_GRANTED || lease->n_given == 0)
                return;                      /* it never began; it was over long ago */

        lease_fields_init(&f, lease, IOMMUD_EVENT_RELEASE);
        log_event(IOMMUD_MESSAGE_RELEASE, LOG_NOTICE, &f.fields,
                "Lease %s of uid %u ended: %s; %s given back", f.lease, lease->subject.uid, lease->end_cause,
                f.text);
        audit_log_send(AUDIT_TYPE_DEALLOC, &f.fields, /* success= */ true);
}

void audit_stale(const Lease *lease, const char *device, const Lease *owner) {
        char id[24], other[32] = "a claim";

        snprintf(id, sizeof(id), "%" PRIu64, lease->id);
        if (owner)
                snprintf(other, sizeof(other), "lease %" PRIu64, owner->id);
        log_event(IOMMUD_MESSAGE_STALE, LOG_WARNING,
                &(LogFields) {
                        .event = IOMMUD_EVENT_STALE,
                        .device = device,
                        .lease = id,
                        .uid = &lease->subject.uid,
                },
                "The record of lease %s has %s, which is with %s now: the record was left over, and nothing "
                "is done to the device for it", id, device, other);
}

void audit_requested(const Lease *lease, const char *reason) {
        LeaseFields f;

        lease_fields_init(&f, lease, IOMMUD_EVENT_REQUEST);
        log_event(IOMMUD_MESSAGE_REQUEST, LOG_NOTICE, &f.fields,
                "The holder of lease %s of uid %u is asked to give %s back: %s", f.lease,
                lease->subject.uid, f.text, reason);
}

/* About one device, which need not be one of the lease's. */
static void lease_fields_init_device(
        LeaseFields *f, const Lease *lease, const char *event, const char *device) {
        lease_fields_init(f, lease, event);
        f->fields.device = device;
        f->fields.n_devices = 0;
}

void audit_grew(const Lease *lease, const char *device, uint32_t group, const char *driver) {
        LeaseFields f;

        lease_fields_init_device(&f, lease, IOMMUD_EVENT_GROWTH, device);
        f.fields.groups = &group;
        f.fields.n_groups = 1;
        log_event(IOMMUD_MESSAGE_GROWTH, LOG_WARNING, &f.fields,
                "%s has appeared in group %u, which is with lease %s: it has %s%s", device, group, f.lease,
                driver[0] ? "the driver " : "no driver", driver);
}

void audit_holder_ended(const Lease *lease, const char *device, const Holder *holder, const char *unit) {
        LeaseFields f;

        lease_fields_init_device(&f, lease, IOMMUD_EVENT_KILL, device);
        log_event(IOMMUD_MESSAGE_KILL, LOG_WARNING, &f.fields,
                "Lease %s: %s %s is ended, root has said so: %.15s (pid %d) has %s open", f.lease,
                unit ? "the unit" : "the process", unit ?: holder->comm, holder->comm, (int) holder->pid,
                device);
}

void audit_holder_spared(const Lease *lease, const char *device, const Holder *holder, const char *unit) {
        LeaseFields f;

        lease_fields_init_device(&f, lease, IOMMUD_EVENT_KILL, device);
        log_event(IOMMUD_MESSAGE_KILL, LOG_WARNING, &f.fields,
                "Lease %s: %.15s (pid %d, %s) has %s open and is not ended, the host needs it: what it "
                "keeps the descriptor for has to be ended by hand", f.lease, holder->comm,
                (int) holder->pid, unit, device);
}

void audit_unit_not_stopped(const char *device, uint64_t lease, const char *unit, const char *why) {
        char id[24];

        snprintf(id, sizeof(id), "%" PRIu64, lease);
        log_event(IOMMUD_MESSAGE_KILL, LOG_ERR,
                &(LogFields) { .event = IOMMUD_EVENT_KILL, .device = device, .lease = id },
                "Lease %s: the service manager does not stop %s, ending the process alone: %s", id, unit,
                why);
}

void audit_process_not_ended(const char *device, pid_t pid, const KernelFailure *failure) {
        log_event(IOMMUD_MESSAGE_KILL, LOG_ERR,
                &(LogFields) { .event = IOMMUD_EVENT_KILL, .device = device },
                "Process %d, which has %s open, can't be ended: %s: %s", (int) pid, device, failure->call,
                strerrordesc_np(-failure->error) ?: "unknown error");
}

void audit_quarantined(const QuarantineEntry *entry) {
        int priority = entry->kind == QUARANTINE_RESET_FAILED ? LOG_ERR : LOG_NOTICE;
        const LogFields fields = {
                .event = IOMMUD_EVENT_QUARANTINE,
                .device = entry->device,
                .uid = &entry->uid,
        };

        log_event(IOMMUD_MESSAGE_QUARANTINE, priority, &fields,
                "%s is in quarantine after uid %u: %s. \"iommuctl quarantine clear %s\" ends it",
                entry->device, entry->uid, entry->reason, entry->device);
        audit_log_send(AUDIT_TYPE_DEALLOC, &fields, /* success= */ false);
}

void audit_cleared(const char *device) {
        const LogFields fields = { .event = IOMMUD_EVENT_CLEARANCE, .device = device };

        log_event(IOMMUD_MESSAGE_CLEARANCE, LOG_NOTICE, &fields, "%s was taken out of quarantine by root",
                device);
        audit_log_send(AUDIT_TYPE_CONFIG, &fields, /* success= */ true);
}

void audit_policy(const Subject *subject, const char *error, size_t n_rules) {
        LogFields fields = { .event = IOMMUD_EVENT_POLICY };

        if (subject) {
                fields.uid = &subject->uid;
                fields.pid = subject->pid;
        }

        if (error)
                log_event(IOMMUD_MESSAGE_POLICY, LOG_ERR, &fields, "The policy can't be loaded: %s", error);
        else
                log_event(IOMMUD_MESSAGE_POLICY, LOG_INFO, &fields, "Policy loaded: %zu rules", n_rules);
        audit_log_send(AUDIT_TYPE_CONFIG, &fields, /* success= */ !error);
}
