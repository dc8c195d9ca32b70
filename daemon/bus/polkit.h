/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Questions to polkit, where the policy says "ask": a call is put aside, and dispatched again from the top
 * when the answer is there, so that everything else is decided on the state of then. An answer is for one
 * call and one device and is gone with them. Whatever keeps polkit from saying yes is a no: that it isn't
 * there, an error, no answer in time; the caller's leaving the bus ends the question.
 */

#include <systemd/sd-bus.h>

#include "core/forward.h"
#include "core/plan.h"

typedef struct Polkit Polkit;

int polkit_new(sd_bus *bus, Polkit **ret) _must_check_;
Polkit *polkit_free(Polkit *polkit);
DEFINE_CLEANUP_FUNC(Polkit, polkit_free);

/* What is asked: may this subject have this device, in this way? All borrowed for the call. */
typedef struct PolkitQuestion {
        const Subject *subject;
        const Device *device;
        Mode mode;
} PolkitQuestion;

/*
 * Asks on behalf of @call, which is dispatched again when polkit has answered: the handler returns then.
 * @permits are those that the call has already. Returns 0; or an Outcome with *reterr, when there are too
 * many questions; or a negative errno.
 */
int polkit_ask(Polkit *polkit, sd_bus_message *call, const PolkitQuestion *question, const Permits *permits,
               Refusal *reterr) _must_check_;

/*
 * What has been answered to questions on behalf of @call, which is forgotten then. Returns 0 with the
 * permits in *ret, which are none where nothing was asked; or an Outcome with *reterr.
 */
int polkit_take_answer(Polkit *polkit, sd_bus_message *call, Permits *ret, Refusal *reterr) _must_check_;
