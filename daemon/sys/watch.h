/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Tells which devices changed: came, went, got or lost a driver or a VFIO node. It says only that something
 * is different; what is now the case is read from sysfs (sys/scan.h), which may already be further than the
 * event.
 */

#include <systemd/sd-event.h>

#include "core/forward.h"

typedef struct Watch Watch;

/*
 * Called from the event loop, once for each device that changed since the last time, however many events
 * there were; of whatever bus or class, most have nothing to do with an IOMMU. For the events of a VFIO
 * character device the device is the one that it belongs to. When both are NULL events were lost, or one
 * could not be understood: everything may have changed. It must not free the watch.
 */
typedef void (*WatchFunc)(const char *subsystem, const char *name, void *userdata);

/*
 * Listens from the moment that it returns: scan after this call, and nothing is missed. Returns 0 or a
 * negative errno. The caller owns *ret and keeps @event alive as long.
 */
int watch_new(sd_event *event, WatchFunc func, void *userdata, Watch **ret) _must_check_;

Watch *watch_free(Watch *watch);
DEFINE_CLEANUP_FUNC(Watch, watch_free);
