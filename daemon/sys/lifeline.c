/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/epoll.h>

#include "sys/lifeline.h"

typedef struct Lifeline {
        Lifelines *lifelines;
        uint64_t lease;
        bool is_pidfd;
        sd_event_source *source;             /* owned */
        struct Lifeline *next;
} Lifeline;

struct Lifelines {
        sd_event *event;                     /* borrowed */
        LifelineFunc func;
        void *userdata;
        Lifeline *first;                     /* owned */
};

static Lifeline *lifeline_free(Lifeline *lifeline) {
        if (!lifeline)
                return NULL;

        for (Lifeline **link = &lifeline->lifelines->first; *link; link = &(*link)->next)
                if (*link == lifeline) {
                        *link = lifeline->next;
                        break;
                }

        sd_event_source_disable_unref(lifeline->source);
        free(lifeline);
        return NULL;
}

DEFINE_CLEANUP_FUNC(Lifeline, lifeline_free);

int lifelines_new(sd_event *event, LifelineFunc func, void *userdata, Lifelines **ret) {
        Lifelines *lifelines;

        lifelines = calloc(1, sizeof(*lifelines));
        if (!lifelines)
                return -ENOMEM;

        *lifelines = (Lifelines) { .event = event, .func = func, .userdata = userdata };
        *ret = lifelines;
        return 0;
}

Lifelines *lifelines_free(Lifelines *lifelines) {
        if (!lifelines)
                return NULL;

        while (lifelines->first)
                lifeline_free(lifelines->first);

        free(lifelines);
        return NULL;
}

static int on_hangup(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Lifeline *lifeline = userdata;
        Lifelines *lifelines = lifeline->lifelines;
        const char *cause = lifeline->is_pidfd ? "its holder has ended" : "its lifeline was closed";
        uint64_t lease = lifeline->lease;

        lifeline_free(lifeline);
        lifelines->func(lease, cause, lifelines->userdata);
        return 0;
}

static Lifeline *lifelines_find(const Lifelines *lifelines, uint64_t lease) {
        for (Lifeline *lifeline = lifelines->first; lifeline; lifeline = lifeline->next)
                if (lifeline->lease == lease)
                        return lifeline;

        return NULL;
}

int lifelines_watch(Lifelines *lifelines, uint64_t lease, int fd, bool is_pidfd) {
        _cleanup_(lifeline_freep) Lifeline *lifeline = NULL;
        int r;

        if (lifelines_find(lifelines, lease))
                return 0;

        lifeline = calloc(1, sizeof(*lifeline));
        if (!lifeline)
                return -ENOMEM;

        *lifeline = (Lifeline) {
                .lifelines = lifelines,
                .lease = lease,
                .is_pidfd = is_pidfd,
                .next = lifelines->first,
        };
        lifelines->first = lifeline;

        /* A pipe's hang-up comes unasked; what a client may write into it is nobody's business. */
        r = sd_event_add_io(
                lifelines->event, &lifeline->source, fd, is_pidfd ? EPOLLIN : 0, on_hangup, lifeline);
        if (r < 0)
                return r;

        r = sd_event_source_set_priority(lifeline->source, SD_EVENT_PRIORITY_NORMAL - 10);
        if (r < 0)
                return r;

        TAKE_PTR(lifeline);
        return 0;
}

void lifelines_forget(Lifelines *lifelines, uint64_t lease) {
        lifeline_free(lifelines_find(lifelines, lease));
}
