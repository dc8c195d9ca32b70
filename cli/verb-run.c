/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "acquire.h"
#include "expand.h"
#include "handover.h"
#include "names.h"
#include "supervise.h"
#include "text-list.h"

static void push(char ***list, size_t *n, char *s) {
        *list = need(reallocarray(*list, *n + 2, sizeof(**list)));
        (*list)[(*n)++] = s;
        (*list)[*n] = NULL;
}

/* The roles that the lease will have, as far as one can know before it is there */
static Status expect_roles(const Options *options, iommud_client *client, char ***ret_roles) {
        _cleanup_(iommud_strings_freep) char **roles = NULL;
        size_t n_roles = 0;
        int r;

        push(&roles, &n_roles, need(strdup(IOMMUD_FD_IOMMUFD)));
        for (size_t i = 0; i < options->n_devices; i++) {
                _cleanup_(iommud_strings_freep) char **names = NULL;

                r = iommud_find(client, options->devices[i], &names);
                if (r != 0) {
                        _cleanup_free_ char *what = print_string("find %s", options->devices[i]);

                        return report(client, r, what);
                }

                for (size_t k = 0; names[k]; k++)
                        push(&roles, &n_roles, print_string(IOMMUD_FD_DEVICE_PREFIX "%s", names[k]));
        }
        push(&roles, &n_roles, need(strdup(IOMMUD_FD_LIFELINE)));

        *ret_roles = TAKE_PTR(roles);
        return STATUS_OK;
}

static Status expand_command(char *const *command, const char *const *roles, char ***ret_expanded) {
        _cleanup_(iommud_strings_freep) char **expanded = NULL;
        size_t n_expanded = 0;

        for (; *command; command++) {
                _cleanup_free_ char *unknown = NULL;
                char *argument;
                int r;

                r = expand(*command, roles, &argument, &unknown);
                if (r == -ENOENT) {
                        _cleanup_free_ char *known = join_strings(roles, "}, {");

                        complain("%s stands for nothing: there is {%s}, and {device:0} for the first device",
                                 unknown, known);
                        return STATUS_USAGE;
                }
                if (r < 0)
                        need(NULL);
                push(&expanded, &n_expanded, argument);
        }

        *ret_expanded = TAKE_PTR(expanded);
        return STATUS_OK;
}

/* A mistake in the command shall not cost a network card its driver: it is tried before anything is taken */
static Status try_command(const Options *options, iommud_client *client, char *const *command) {
        _cleanup_(iommud_strings_freep) char **roles = NULL, **expanded = NULL;
        Status status;

        status = expect_roles(options, client, &roles);
        if (status != STATUS_OK)
                return status;

        return expand_command(command, (const char *const *) roles, &expanded);
}

Status verb_run(const Options *options, char **arguments) {
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        _cleanup_(iommud_strings_freep) char **command = NULL;
        _cleanup_(iommud_lease_freep) iommud_lease *lease = NULL;
        bool asked = false;
        Status status;

        if (options->n_devices == 0) {
                complain("run needs at least one --device");
                return STATUS_USAGE;
        }

        status = connect_client(&client);
        if (status != STATUS_OK)
                return status;
        status = try_command(options, client, arguments);
        if (status != STATUS_OK)
                return status;
        status = check_memory(options, options->devices);
        if (status == STATUS_OK && options->supervise)
                status = supervise_prepare(client, &asked);
        if (status == STATUS_OK)
                status = acquire_devices(options, client, options->devices, &lease);
        if (status != STATUS_OK)
                return status;
        status = expand_command(arguments, iommud_lease_roles(lease), &command);
        if (status != STATUS_OK)
                return status;

        if (options->supervise)
                return supervise(TAKE_PTR(client), TAKE_PTR(lease), &asked, command);

        /* Before its descriptor may be replaced by one of the lease */
        iommud_client_free(TAKE_PTR(client));
        return execute(lease, command);
}
