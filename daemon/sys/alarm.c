/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <time.h>

#include "sys/alarm.h"

/* Nobody needs it to the microsecond; the service manager's timers are as exact */
#define ACCURACY_USEC UINT64_C(100000)

struct Alarm {
        sd_event *event;                     /* borrowed */
        sd_event_source *source;             /* owned */
        uint64_t at_usec;                    /* that it is set to */
        AlarmFunc func;
        void *userdata;
};

static int on_time(sd_event_source *source, uint64_t usec, void *userdata) {
        Alarm *alarm = userdata;
        uint64_t now;
        int r;

        r = sd_event_now(alarm->event, CLOCK_BOOTTIME, &now);
        if (r < 0)
                return r;

        alarm->at_usec = UINT64_MAX;
        alarm->func(now, alarm->userdata);
        return 0;
}

int alarm_new(sd_event *event, AlarmFunc func, void *userdata, Alarm **ret) {
        _cleanup_(alarm_freep) Alarm *alarm = NULL;
        int r;

        alarm = calloc(1, sizeof(*alarm));
        if (!alarm)
                return -ENOMEM;

        *alarm = (Alarm) { .event = event, .at_usec = UINT64_MAX, .func = func, .userdata = userdata };
        r = sd_event_add_time(event, &alarm->source, CLOCK_BOOTTIME, UINT64_MAX, ACCURACY_USEC, on_time,
                              alarm);
        if (r < 0)
                return r;

        r = sd_event_source_set_enabled(alarm->source, SD_EVENT_OFF);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(alarm);
        return 0;
}

Alarm *alarm_free(Alarm *alarm) {
        if (!alarm)
                return NULL;

        sd_event_source_disable_unref(alarm->source);
        free(alarm);
        return NULL;
}

int alarm_set(Alarm *alarm, uint64_t at_usec) {
        int r;

        if (at_usec == alarm->at_usec)
                return 0;

        if (at_usec == UINT64_MAX)
                r = sd_event_source_set_enabled(alarm->source, SD_EVENT_OFF);
        else {
                r = sd_event_source_set_time(alarm->source, at_usec);
                if (r >= 0)
                        r = sd_event_source_set_enabled(alarm->source, SD_EVENT_ONESHOT);
        }
        if (r < 0)
                return r;

        alarm->at_usec = at_usec;
        return 0;
}
