/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "bus/audit.h"
#include "core/claim.h"
#include "names.h"
#include "sys/journal.h"

/* The fields of a claim, with the room that they point into. */
typedef struct ClaimFields {
        LogFields fields;
        const char *devices[LOG_FIELDS_MAX];
        char text[LOG_FIELDS_MAX * KERNEL_NAME_MAX];   /* "0000:01:00.0 0000:01:00.1" */
} ClaimFields;

static void claim_fields_init(ClaimFields *f, const Claim *claim, const char *event) {
        *f = (ClaimFields) {};
        f->fields = (LogFields) {
                .event = event,
                .devices = f->devices,
                .groups = &claim->group,
                .n_groups = 1,
        };

        for (unsigned i = 0; i < claim->n_devices && f->fields.n_devices < ELEMENTSOF(f->devices); i++) {
                const char *name = claim->devices[i].name;
                size_t n = strlen(f->text);

                if (claim->devices[i].gone)
                        continue;
                snprintf(f->text + n, sizeof(f->text) - n, "%s%s", n > 0 ? " " : "", name);
                f->devices[f->fields.n_devices++] = name;
        }
}

void audit_parked(const Claim *claim) {
        ClaimFields f;

        claim_fields_init(&f, claim, IOMMUD_EVENT_CLAIM);
        log_event(IOMMUD_MESSAGE_CLAIM, LOG_NOTICE, &f.fields,
                "Group %u is parked: %s can do no DMA, and nobody else can have it", claim->group, f.text);
}

void audit_claim_failed(const Claim *claim) {
        ClaimFields f;

        claim_fields_init(&f, claim, IOMMUD_EVENT_CLAIM_FAILED);
        log_event(IOMMUD_MESSAGE_CLAIM_FAILED, LOG_ERR, &f.fields,
                "Group %u is claimed, but: %s. It is handed to nobody; \"iommuctl claim group:%u\" tries "
                "again",
                claim->group, claim->reason, claim->group);
}

void audit_unclaimed(const Claim *claim) {
        ClaimFields f;

        if (claim->refusal.outcome != OUTCOME_GRANTED) {
                claim_fields_init(&f, claim, IOMMUD_EVENT_CLAIM_FAILED);
                log_event(IOMMUD_MESSAGE_CLAIM_FAILED, LOG_ERR, &f.fields,
                        "Group %u could not be claimed: %s. Everything was put back", claim->group,
                        claim->refusal.text);
                return;
        }

        claim_fields_init(&f, claim, IOMMUD_EVENT_CLAIM_RELEASED);
        log_event(IOMMUD_MESSAGE_CLAIM_RELEASED, LOG_NOTICE, &f.fields,
                "The claim on group %u was released: %s given back", claim->group,
                f.text[0] ? f.text : "nothing that is left was");
}
