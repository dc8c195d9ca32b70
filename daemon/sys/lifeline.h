/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Watches the lifelines of leases: our end of a pipe whose other end the client has, or the pidfd of a
 * holder. Hang-ups are served before the bus, so that what the dead had is free when the living ask for it.
 */

#include <systemd/sd-event.h>

#include "core/forward.h"

typedef struct Lifelines Lifelines;

/* Called once per lease, with why it is to end. */
typedef void (*LifelineFunc)(uint64_t lease, const char *cause, void *userdata);

int lifelines_new(sd_event *event, LifelineFunc func, void *userdata, Lifelines **ret) _must_check_;
Lifelines *lifelines_free(Lifelines *lifelines);
DEFINE_CLEANUP_FUNC(Lifelines, lifelines_free);

/*
 * Watches @fd, which the lease keeps open until lifelines_forget(). Watching a lease that is watched is no
 * error. Returns 0 or a negative errno.
 */
int lifelines_watch(Lifelines *lifelines, uint64_t lease, int fd, bool is_pidfd) _must_check_;

/* Stops watching a lease, if it is watched. To be called before its descriptor is closed. */
void lifelines_forget(Lifelines *lifelines, uint64_t lease);
