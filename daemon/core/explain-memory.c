/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>

#include "core/explain.h"
#include "core/fact.h"
#include "core/plan.h"
#include "core/policy.h"

#define MIB(bytes) ((bytes) >> 20)

static uint64_t memory_needed(const Request *request) {
        uint64_t needed;

        return __builtin_add_overflow(request->ram, MEMLOCK_EXTRA, &needed) ? UINT64_MAX : needed;
}

uint64_t plan_memlock(const Plan *plan, const Request *request) {
        uint64_t memlock = memory_needed(request);

        /* in mode confined it is not the client who pins */
        if (request->ram == 0 || request->mode == MODE_CONFINED || plan->n_devices == 0)
                return 0;

        for (unsigned i = 0; i < plan->n_devices; i++) {
                const PolicyRule *rule = plan->rules[i];

                if (!rule)
                        return 0;
                if (rule->memlock < memlock)
                        memlock = rule->memlock;
        }

        return memlock;
}

int explain_memory(const Request *request, Plan *plan) {
        uint64_t needed = memory_needed(request), raised = plan_memlock(plan, request), limit;
        const Memlock *memlock = &request->memlock;
        Fact fact;

        if (request->ram == 0)
                return 0;

        limit = raised > memlock->limit ? raised : memlock->limit;
        if (!memlock->known)
                fact_init(&fact, FACT_MEMORY, FACT_UNKNOWN,
                          "About %" PRIu64 " MiB are pinned; how much the client may lock (RLIMIT_MEMLOCK) "
                          "is not known", MIB(needed));
        else if (memlock->limit == UINT64_MAX)
                fact_init(&fact, FACT_MEMORY, FACT_GOOD,
                          "About %" PRIu64 " MiB are pinned, and process %d may lock any amount",
                          MIB(needed), (int) memlock->pid);
        else if (limit >= needed)
                fact_init(&fact, FACT_MEMORY, request->accounting == ACCOUNTING_USER ? FACT_NOTE : FACT_GOOD,
                          "About %" PRIu64 " MiB are pinned, of the %" PRIu64 " MiB that process %d may "
                          "lock%s%s", MIB(needed), MIB(limit), (int) memlock->pid,
                          limit > memlock->limit ? " when it has the devices, as the policy has it" : "",
                          request->accounting == ACCOUNTING_USER ?
                          ", together with all other processes of its user" : "");
        else
                fact_init(&fact, FACT_MEMORY, limit < request->ram ? FACT_BAD : FACT_NOTE,
                          "About %" PRIu64 " MiB are pinned, %" PRIu64 " MiB for the guest and some for its "
                          "firmware and video memory, but process %d may lock %" PRIu64 " MiB only%s: %s. "
                          "Raise LimitMEMLOCK= of its unit, or \"ulimit -l\", to %" PRIu64 " MiB",
                          MIB(needed), MIB(request->ram), (int) memlock->pid, MIB(limit),
                          limit > memlock->limit ? ", raised by the policy" : "",
                          limit < request->ram ? "it will fail with ENOMEM" : "it may fail",
                          MIB(needed));

        fact_add_number(&fact, "ram", request->ram);
        fact_add_number(&fact, "needed", needed);
        fact_add_text(&fact, "accounting", accounting_to_string(request->accounting));
        if (memlock->known) {
                fact_add_number(&fact, "limit", memlock->limit);
                fact_add_number(&fact, "pid", (uint64_t) memlock->pid);
                if (limit > memlock->limit)
                        fact_add_number(&fact, "raised", limit);
        }
        return plan_append_fact(plan, /* device= */ NULL, &fact);
}
