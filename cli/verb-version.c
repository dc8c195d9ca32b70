/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "text-list.h"
#include "to-json.h"

/* Of this program, and of the iommud that it speaks to: not always is the running one the installed one */
Status verb_version(const Options *options, char **arguments) {
        _cleanup_(iommud_strings_freep) char **features = NULL;
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        _cleanup_free_ char *version = NULL, *joined = NULL;
        Status status;
        int r;

        status = connect_client(&client);
        if (status != STATUS_OK)
                return status;

        r = iommud_get_version(client, &version);
        if (r == 0)
                r = iommud_get_features(client, &features);
        if (r != 0)
                return report(client, r, "ask iommud for its version");

        if (options->json) {
                json_object *o = need(json_object_new_object());

                json_put_string(o, "iommuctl", IOMMUD_VERSION);
                json_put_string(o, "iommud", version);
                json_put_strings(o, "features", (const char *const *) features);
                json_print(o);
                return STATUS_OK;
        }

        joined = join_strings((const char *const *) features, " ");
        printf("iommuctl %s\niommud   %s (%s)\n", IOMMUD_VERSION, version, joined);
        return STATUS_OK;
}
