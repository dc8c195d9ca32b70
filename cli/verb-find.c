/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "to-json.h"

Status verb_find(const Options *options, char **arguments) {
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        _cleanup_(iommud_strings_freep) char **names = NULL;
        _cleanup_free_ char *what = NULL;
        Status status;
        int r;

        status = connect_client(&client);
        if (status != STATUS_OK)
                return status;

        r = iommud_find(client, arguments[0], &names);
        if (r != 0) {
                what = print_string("find %s", arguments[0]);
                return report(client, r, what);
        }

        if (options->json)
                json_print(json_from_strings((const char *const *) names));
        else
                for (size_t i = 0; names[i]; i++)
                        puts(names[i]);

        return STATUS_OK;
}
