/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who is behind a unique name on the bus: asked from the bus driver, which vouches for it, once per
 * connection, without waiting. Unique names are never used again while a bus lives, so an answer holds as
 * long as it is kept.
 *
 * uid, groups, label and process were taken by the bus when the connection was made. What is to be known of
 * the process, its user namespace, and its unit and control group where the policy asks for them, is looked
 * at again for every call, through the process descriptor (ProcessFD: dbus 1.15.8, dbus-broker 34), since
 * all that may have changed. Without a descriptor, or when its process has ended, that is not known, and
 * nobody is root here. Whether SELinux enforces anything, without which a label is no proof, is looked at
 * for every call too.
 */

#include <systemd/sd-bus.h>

#include "core/forward.h"

typedef struct Identity Identity;

/* @bus, @proc, which is /proc, and @sysfs, /sys, are borrowed. */
int identity_new(sd_bus *bus, int proc, int sysfs, Identity **ret) _must_check_;
Identity *identity_free(Identity *identity);
DEFINE_CLEANUP_FUNC(Identity, identity_free);

/*
 * An IdentifyFunc (bus/server.h), but for @wanted: those of the facts about its process (SubjectFacts) that
 * somebody is going to ask for. The user namespace is always one.
 */
int identity_of_sender(Identity *identity, sd_bus_message *message, unsigned wanted,
                       Subject *ret) _must_check_;

/* The pidfd of a sender that is known, borrowed until the next question. -EBADF: there is none. */
int identity_pidfd_of_sender(const Identity *identity, sd_bus_message *message);
