/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The stages of making a plan, in order.
 */

#include "core/explain.h"
#include "core/plan-private.h"
#include "core/subject.h"

int plan_make(
        Manager *manager, const Subject *subject, const Request *request, Plan *ret, ChangeSet *changes) {
        _cleanup_(plan_done) Plan plan = {};
        Planner p = {
                .manager = manager,
                .subject = request->as ?: subject,
                .request = request,
                .plan = &plan,
                .changes = changes,
        };
        const Refusal *refusal;
        bool refused;
        int r;

        r = planner_select_all(&p);
        if (r < 0)
                return r;

        r = planner_authorize_all(&p);
        if (r < 0)
                return r;

        /*
         * What is unknown or forbidden ends it here, before anything is asked of the kernel on the caller's
         * behalf. What everybody can know is told, to whom wants it explained.
         */
        refusal = plan_refusal(&plan);
        refused = refusal && refusal->outcome != OUTCOME_AUTHORIZATION_REQUIRED;
        p.reserved = refused && !subject_is_root(subject);
        if (!refused || request->explain) {
                r = planner_check_quota(&p);
                if (r < 0)
                        return r;

                r = planner_check_context(&p);
                if (r < 0)
                        return r;

                for (unsigned i = 0; i < plan.n_groups; i++) {
                        r = planner_add_group(&p, plan.groups[i]);
                        if (r < 0)
                                return r;
                }
        }

        r = explain_memory(request, &plan);
        if (r < 0)
                return r;

        if (request->explain) {
                r = explain_quota(manager, p.subject, request, &plan);
                if (r < 0)
                        return r;

                r = explain_plan(manager, p.subject, request, p.reserved, &plan);
                if (r < 0)
                        return r;
        }

        *ret = plan;
        plan = (Plan) {};
        return 0;
}
