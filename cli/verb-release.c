/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lease-ids.h"
#include "to-json.h"

#define TIMEOUT_USEC (UINT64_C(30) * 1000 * 1000)

static uint64_t now_usec(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);           /* can't fail for this clock */
        return (uint64_t) now.tv_sec * UINT64_C(1000000) + (uint64_t) now.tv_nsec / 1000;
}

/* Says to iommud what is wanted. */
static int tell(const Options *options, iommud_client *client, uint64_t id) {
        if (options->kill)
                return iommud_kill_holders(client, id);
        if (options->request)
                return iommud_ask_for_release(
                                client, id, options->reason,
                                options->deadline_usec > 0 ? now_usec() + options->deadline_usec : 0);

        return iommud_release(client, id);
}

/* A holder who was given time is waited for that long. */
static uint64_t wait_usec(const Options *options) {
        if (options->timeout_usec > 0)
                return options->timeout_usec;

        return options->deadline_usec > TIMEOUT_USEC ? options->deadline_usec : TIMEOUT_USEC;
}

static Status release(const Options *options, iommud_client *client, uint64_t id, bool *ret_gone) {
        _cleanup_free_ char *what = print_string("release lease %" PRIu64, id);
        int r;

        r = tell(options, client, id);
        if (r != 0)
                return report(client, r, what);

        *ret_gone = false;
        if (options->no_wait)
                return STATUS_OK;

        r = iommud_wait(client, id, wait_usec(options));
        if (r == -ETIMEDOUT) {
                complain("gave up waiting, %s: %s; whoever has a device open must close it",
                         options->request ? "the holder was asked and nothing was taken away"
                                          : "iommud goes on",
                         iommud_error_text(client));
                return STATUS_BROKEN;
        }
        if (r != 0)
                return report(client, r, what);

        *ret_gone = true;
        return STATUS_OK;
}

/* All of them, whatever becomes of one; the first failure is the result */
static Status release_all(
                const Options *options,
                iommud_client *client,
                const LeaseIds *ids,
                json_object *array) {

        Status first = STATUS_OK;

        for (size_t i = 0; i < ids->n_items; i++) {
                bool gone = false;
                Status status;

                status = release(options, client, ids->items[i], &gone);
                if (first == STATUS_OK)
                        first = status;

                if (array) {
                        json_object *o = need(json_object_new_object());

                        json_put_lease(o, "id", ids->items[i]);
                        json_put(o, "gone", need(json_object_new_boolean(gone)));
                        json_array_put(array, o);
                } else if (status == STATUS_OK)
                        printf("Lease %" PRIu64 "%s.\n", ids->items[i],
                               gone               ? " is gone" :
                               options->request   ? ": its holder was asked" :
                                                    " will go");
        }

        return first;
}

Status verb_release(const Options *options, char **arguments) {
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        _cleanup_(lease_ids_done) LeaseIds ids = {};
        json_object *array = NULL;
        Status status;

        if (options->request && options->kill) {
                complain("a holder can be asked or ended: --request or --kill, not both");
                return STATUS_USAGE;
        }
        if (!options->request && (options->deadline_usec > 0 || options->reason)) {
                complain("--deadline and --reason are for --request");
                return STATUS_USAGE;
        }

        status = connect_client(&client);
        if (status != STATUS_OK)
                return status;

        status = lease_ids_find(client, "release", arguments[0], &ids);
        if (status != STATUS_OK)
                return status;

        if (options->json)
                array = need(json_object_new_array());
        status = release_all(options, client, &ids, array);
        if (array)
                json_print(array);

        return status;
}
