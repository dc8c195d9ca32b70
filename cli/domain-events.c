/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verb of "domain" that shows the events of a virtual IOMMU. */

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/iommufd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "iommu-text.h"
#include "options.h"
#include "queue.h"
#include "to-json.h"

/* Of what an event says; those that Linux has are 32 bytes at most. */
#define EVENT_DATA_MAX 1024

typedef struct Event {
        struct iommufd_vevent_header header;
        uint8_t data[EVENT_DATA_MAX];
} Event;

/*
 * How long an event is says its type alone, and here it may be of any. But the kernel gives no part of one:
 * in the smallest room into which anything goes there is one event, and nothing else. Returns its length, or
 * 0 when there is none.
 */
static ssize_t read_event(int fd, Event *event) {
        for (size_t size = sizeof(event->header); size <= sizeof(*event); size += sizeof(uint32_t)) {
                ssize_t n;

                n = read(fd, event, size);
                if (n >= 0)
                        return n;
                if (errno != EINVAL)
                        return errno == EAGAIN ? 0 : -errno;
        }

        return -EMSGSIZE;
}

static Status print_event(const Queue *queue, uint32_t type, const Event *event, size_t size) {
        _cleanup_free_ char *data = hex_text(event->data, size - sizeof(event->header));
        bool lost = event->header.flags & IOMMU_VEVENTQ_FLAG_LOST_EVENTS;
        json_object *o = need(json_object_new_object());

        json_put_number(o, "sequence", event->header.sequence);
        json_put(o, "lost", json_object_new_boolean(lost));
        json_put_number(o, "type", type);
        json_put_string(o, "data", data);
        return queue_print(queue, o, print_string("%" PRIu32 "%s%s%s", (uint32_t) event->header.sequence,
                                                  lost ? " lost" : "", *data ? " " : "", data));
}

static Status show_events(Queue *queue, uint32_t type) {
        for (;;) {
                QueueNext next = queue_wait(queue, /* fill= */ true, /* input= */ false);
                Event event;
                Status status;
                ssize_t n;

                if (next != QUEUE_FILLED)
                        return next == QUEUE_OVER ? STATUS_OK : STATUS_BROKEN;

                n = read_event(queue->fd, &event);
                if (n < 0) {
                        complain("cannot read the queue: %s", strerror((int) -n));
                        return STATUS_BROKEN;
                }
                if ((size_t) n < sizeof(event.header))
                        continue;
                status = print_event(queue, type, &event, (size_t) n);
                if (status != STATUS_OK)
                        return status;
        }
}

static Status make_queue(Queue *queue, uint32_t type) {
        const DomainCall *call = queue->call;
        uint64_t viommu;
        Status status;
        uint32_t id;
        int r;

        status = domain_handle("the virtual IOMMU", call->arguments[0], &viommu);
        if (status != STATUS_OK)
                return status;
        if ((call->options->given & OPTION_BIT(DEPTH)) &&
            (call->options->depth == 0 || call->options->depth > UINT32_MAX)) {
                complain("--depth takes a number of events, from 1 on");
                return STATUS_USAGE;
        }

        r = iommud_alloc_veventq(call->client, call->lease, viommu, type, (uint32_t) call->options->depth,
                                 &queue->handle, &id, &queue->fd);
        if (r != 0)
                return domain_failed(call, r);

        return queue_print(queue, json_of_made("queue", queue->handle, id),
                           print_string("%" PRIu64, queue->handle));
}

Status domain_events(const DomainCall *call) {
        uint64_t type;
        Status status;
        Queue queue;
        int r;

        status = domain_address(call->arguments[1], &type);
        if (status != STATUS_OK)
                return status;
        if (type > UINT32_MAX) {
                complain("a type is a number of 32 bits, which '%s' is not", call->arguments[1]);
                return STATUS_USAGE;
        }

        status = queue_init(&queue, call);
        if (status == STATUS_OK)
                status = make_queue(&queue, (uint32_t) type);
        if (status == STATUS_OK)
                status = show_events(&queue, (uint32_t) type);

        if (queue.handle != 0) {
                r = queue_destroy(&queue);
                if (r != 0 && status == STATUS_OK)
                        status = domain_failed(call, r);
        }
        queue_done(&queue);
        return status;
}
