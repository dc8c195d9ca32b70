/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "queue.h"
#include "to-json.h"
#include "wait.h"

static void on_news(uint64_t lease, void *userdata) {
        Queue *queue = userdata;

        queue->news = true;
}

Status queue_init(Queue *queue, const DomainCall *call) {
        int r;

        *queue = (Queue) { .call = call, .fd = -EBADF, .signals = -EBADF };

        r = iommud_watch_lease(call->client, call->lease, on_news, queue);
        if (r != 0)
                return report(call->client, r, "listen to iommud");

        queue->signals = signals_open();
        if (queue->signals < 0) {
                complain("cannot wait for signals: %s", strerror(-queue->signals));
                return STATUS_BROKEN;
        }

        return STATUS_OK;
}

void queue_done(Queue *queue) {
        /* it did work before */
        (void) iommud_watch_lease(queue->call->client, queue->call->lease, NULL, NULL);
        queue->fd = close_fd(queue->fd);
        queue->signals = close_fd(queue->signals);
}

static bool has_handle(const iommud_dma_state *state, uint64_t handle) {
        const iommud_virtual *virtual;
        const iommud_domain *domain;

        for (size_t i = 0; (domain = iommud_dma_state_domain(state, i)); i++)
                if (iommud_domain_handle(domain) == handle)
                        return true;
        for (size_t i = 0; (virtual = iommud_dma_state_virtual(state, i)); i++)
                if (iommud_virtual_handle(virtual) == handle)
                        return true;

        return false;
}

static int look(const Queue *queue, bool *ret_lease, bool *ret_handle) {
        _cleanup_(iommud_lease_infos_freep) iommud_lease_info **leases = NULL;
        _cleanup_(iommud_dma_state_freep) iommud_dma_state *state = NULL;
        const DomainCall *call = queue->call;
        const iommud_lease_info *lease;
        int r;

        r = iommud_list_leases(call->client, &leases);
        if (r != 0)
                return r;
        lease = find_lease(leases, call->lease);
        *ret_lease = lease && strcmp(iommud_lease_info_state(lease), "active") == 0;
        if (!*ret_lease)
                return 0;

        r = iommud_get_dma_state(call->client, call->lease, &state);
        if (r != 0)
                return r;
        *ret_handle = has_handle(state, queue->handle);
        return 0;
}

/* Who is asked for the devices is their holder, not we: nothing ends by that. */
static bool queue_goes_on(Queue *queue, QueueNext *ret) {
        const DomainCall *call = queue->call;
        bool lease, handle = false;
        int r;

        queue->news = false;
        r = look(queue, &lease, &handle);
        if (r != 0) {
                (void) report(call->client, r, "look at the lease");
                *ret = QUEUE_BROKEN;
                return false;
        }
        if (handle)
                return true;

        if (lease)
                fprintf(stderr, "iommuctl: %" PRIu64 " is not there any more\n", queue->handle);
        else
                fprintf(stderr, "iommuctl: lease %" PRIu64 " has ended\n", call->lease);
        queue->gone = true;
        *ret = QUEUE_OVER;
        return false;
}

QueueNext queue_wait(Queue *queue, bool fill, bool input) {
        iommud_client *client = queue->call->client;
        QueueNext next;

        for (;;) {
                struct pollfd fds[] = {
                        { .fd = queue->signals, .events = POLLIN },
                        { .fd = iommud_get_fd(client), .events = (short) iommud_get_events(client) },
                        { .fd = fill ? queue->fd : -1, .events = POLLIN },
                        { .fd = input ? STDIN_FILENO : -1, .events = POLLIN },
                };

                if (poll(fds, ELEMENTSOF(fds), client_poll_timeout(client)) < 0) {
                        if (errno == EINTR)
                                continue;
                        complain("cannot wait: %s", strerror(errno));
                        return QUEUE_BROKEN;
                }

                if (fds[0].revents)
                        return QUEUE_OVER;
                if (iommud_dispatch(client) < 0) {
                        complain("%s", iommud_error_text(client));
                        return QUEUE_BROKEN;
                }
                if (queue->news && !queue_goes_on(queue, &next))
                        return next;
                if (fds[2].revents)
                        return QUEUE_FILLED;
                if (fds[3].revents)
                        return QUEUE_INPUT;
        }
}

Status queue_print(const Queue *queue, json_object *object, char *text) {
        bool failed;

        if (queue->call->options->json)
                json_print_line(need(json_object_get(object)));
        else
                puts(text);
        json_object_put(object);
        free(text);

        failed = fflush(stdout) != 0;
        if (failed)
                complain("cannot write to standard output: %s", strerror(errno));
        return failed ? STATUS_BROKEN : STATUS_OK;
}

int queue_destroy(Queue *queue) {
        int r;

        queue->fd = close_fd(queue->fd);
        if (queue->gone)
                return 0;

        r = iommud_destroy(queue->call->client, queue->call->lease, queue->handle);
        switch (r) {

        case IOMMUD_E_NO_SUCH_LEASE:
        case IOMMUD_E_DRAINING:
        case IOMMUD_E_REVOKED:
        case IOMMUD_E_NO_SUCH_OBJECT:
                return 0;               /* it went with the lease just now, or by somebody else */
        default:
                return r;
        }
}
