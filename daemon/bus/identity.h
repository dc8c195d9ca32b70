/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who is behind a unique name on the bus: asked from the bus driver, which vouches for it, once per
 * connection, without waiting. Unique names are never used again while a bus lives, so an answer holds as
 * long as it is kept.
 *
 * uid, groups, label and process were taken by the bus when the connection was made. What is to be known of
 * the process, its user namespace, unit and control group, is looked at again for every call, through the
 * process descriptor (ProcessFD: dbus 1.15.8, dbus-broker 34), since all that may have changed. Without a
 * descriptor, or when its process has ended, that is not known, and nobody is root here.
 */

#include <systemd/sd-bus.h>

#include "core/forward.h"

typedef struct Identity Identity;

int identity_new(sd_bus *bus, Identity **ret) _must_check_;
Identity *identity_free(Identity *identity);
DEFINE_CLEANUP_FUNC(Identity, identity_free);

/* An IdentifyFunc (bus/server.h), but for its first argument. */
int identity_of_sender(Identity *identity, sd_bus_message *message, Subject *ret) _must_check_;

/* The pidfd of a sender that is known, borrowed until the next question. -EBADF: there is none. */
int identity_pidfd_of_sender(const Identity *identity, sd_bus_message *message);
