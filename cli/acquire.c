/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "acquire.h"
#include "agent.h"
#include "text-list.h"

Status acquire_devices(const Options *options, iommud_client *client, char *const *selectors,
                       iommud_lease **ret_lease) {
        _cleanup_(iommud_request_freep) iommud_request *request = NULL;
        _cleanup_free_ char *devices = NULL, *what = NULL;
        bool ask = !options->no_ask_password;
        Agent agent = {};
        Status status;
        int r;

        status = new_request(options, selectors, &request);
        if (status != STATUS_OK)
                return status;

        if (ask)
                agent_start(&agent);
        (void) iommud_set_interactive(client, ask);     /* there is a client */
        r = iommud_acquire(client, request, ret_lease);
        agent_stop(&agent);
        if (r == 0)
                return STATUS_OK;

        devices = join_strings((const char *const *) selectors, " ");
        what = print_string("acquire %s", devices);
        return report(client, r, what);
}
