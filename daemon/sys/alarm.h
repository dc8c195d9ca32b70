/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Calls back at a time of CLOCK_BOOTTIME, which goes on while the host sleeps: at the moment that was set
 * last, once.
 */

#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/macro.h"

typedef struct Alarm Alarm;

typedef void (*AlarmFunc)(uint64_t now_usec, void *userdata);

int alarm_new(sd_event *event, AlarmFunc func, void *userdata, Alarm **ret) _must_check_;
Alarm *alarm_free(Alarm *alarm);
DEFINE_CLEANUP_FUNC(Alarm, alarm_free);

/* UINT64_MAX: not at all. Returns 0 or a negative errno. */
int alarm_set(Alarm *alarm, uint64_t at_usec) _must_check_;
