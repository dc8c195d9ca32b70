/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What goes to polkit and comes back: CheckAuthorization of org.freedesktop.PolicyKit1.Authority.
 */

#include <systemd/sd-bus.h>

#include "bus/polkit.h"
#include "core/refusal.h"

/*
 * The call, about the sender of @call. Whom it is about is said by the sender's name on the bus, so that
 * polkit asks the bus who that is, as we did. @id is what the question can be cancelled by.
 */
int polkit_message_new(sd_bus *bus, sd_bus_message *call, const PolkitQuestion *question, const char *id,
                       sd_bus_message **ret) _must_check_;

/* Takes back the question of this id; the answer is of no interest. */
void polkit_message_cancel(sd_bus *bus, const char *id);

/* A question, as far as the answer speaks of it. */
typedef struct PolkitAbout {
        uid_t uid;
        char device[KERNEL_NAME_MAX];
        bool interactive;                    /* polkit could have asked a user to authenticate */
} PolkitAbout;

/* Reads the reply, or the error. Returns 0 for yes, or an Outcome with *reterr. */
int polkit_message_read(sd_bus_message *reply, const PolkitAbout *about, Refusal *reterr) _must_check_;
