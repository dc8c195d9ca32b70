/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cli.h"

Status verb_reload(const Options *options, char **arguments) {
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        Status status;
        int r;

        status = connect_client(&client);
        if (status != STATUS_OK)
                return status;

        r = iommud_reload(client);
        return r == 0 ? STATUS_OK : report(client, r, "load the policy");
}
