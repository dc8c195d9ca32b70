/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "domain-options.h"
#include "names.h"
#include "public.h"
#include "request.h"
#include "text.h"

#define TIMEOUT_USEC (UINT64_C(5) * 60 * 1000 * 1000)

_public_ int iommud_request_new(iommud_request **ret_request) {
        iommud_request *request;

        if (!ret_request)
                return -EINVAL;

        request = calloc(1, sizeof(*request));
        if (!request)
                return -ENOMEM;

        request->as = (uid_t) -1;
        request->holder = -EBADF;
        request->timeout_usec = TIMEOUT_USEC;
        *ret_request = request;
        return 0;
}

_public_ void iommud_request_free(iommud_request *request) {
        if (!request)
                return;

        strv_free(request->selectors);
        free(request->mode);
        free(request->accounting);
        iommud_domain_options_free(request->domain);
        close_fd(request->holder);
        free(request->as_gids);
        free(request);
}

_public_ int iommud_request_add_device(iommud_request *request, const char *selector) {
        _cleanup_free_ char *copy = NULL;
        int r;

        if (!request || !selector || !*selector)
                return -EINVAL;

        copy = strdup(selector);
        if (!copy)
                return -ENOMEM;

        r = strv_push_take(&request->selectors, copy);
        if (r < 0)
                return r;

        (void) TAKE_PTR(copy);
        return 0;
}

static int replace_string(char **s, const char *value) {
        char *copy;

        copy = strdup(value);
        if (!copy)
                return -ENOMEM;

        free(*s);
        *s = copy;
        return 0;
}

_public_ int iommud_request_set_mode(iommud_request *request, const char *mode) {
        return request && mode ? replace_string(&request->mode, mode) : -EINVAL;
}

_public_ int iommud_request_set_accounting(iommud_request *request, const char *accounting) {
        return request && accounting ? replace_string(&request->accounting, accounting) : -EINVAL;
}

_public_ int iommud_request_set_domain(iommud_request *request, const iommud_domain_options *options) {
        iommud_domain_options *copy = NULL;
        int r;

        if (!request)
                return -EINVAL;

        if (options) {
                r = domain_options_copy(options, &copy);
                if (r < 0)
                        return r;
        }

        iommud_domain_options_free(request->domain);
        request->domain = copy;
        return 0;
}

_public_ int iommud_request_set_holder(iommud_request *request, int pidfd) {
        int copy;

        if (!request)
                return -EINVAL;

        copy = fd_dup(pidfd);
        if (copy < 0)
                return copy;

        close_fd(request->holder);
        request->holder = copy;
        return 0;
}

_public_ int iommud_request_set_timeout(iommud_request *request, uint64_t usec) {
        if (!request || usec == 0)
                return -EINVAL;

        request->timeout_usec = usec;
        return 0;
}

_public_ int iommud_request_set_explain(iommud_request *request, bool explain) {
        if (!request)
                return -EINVAL;

        request->explain = explain;
        return 0;
}

_public_ int iommud_request_set_ram(iommud_request *request, uint64_t bytes) {
        if (!request)
                return -EINVAL;

        request->ram = bytes;
        return 0;
}

_public_ int iommud_request_set_as(iommud_request *request, uid_t uid, const gid_t *gids, size_t n_gids) {
        gid_t *copy;

        if (!request || uid == (uid_t) -1 || (n_gids > 0 && !gids))
                return -EINVAL;

        copy = calloc(n_gids + 1, sizeof(*copy));
        if (!copy)
                return -ENOMEM;

        if (n_gids > 0)
                memcpy(copy, gids, n_gids * sizeof(*gids));
        free(request->as_gids);
        request->as_gids = copy;
        request->n_as_gids = n_gids;
        request->as = uid;
        return 0;
}

static int request_append_as(const iommud_request *request, sd_bus_message *m) {
        int r;

        static_assert(sizeof(gid_t) == sizeof(uint32_t), "groups go over the bus in 32 bits");

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', IOMMUD_OPTION_AS);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "(uau)");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'r', "uau");
        if (r >= 0)
                r = sd_bus_message_append(m, "u", (uint32_t) request->as);
        if (r >= 0)
                r = sd_bus_message_append_array(
                        m, 'u', request->as_gids, request->n_as_gids * sizeof(*request->as_gids));
        for (int i = 0; r >= 0 && i < 3; i++)
                r = sd_bus_message_close_container(m);

        return r;
}

static int request_append_domain(const iommud_request *request, sd_bus_message *m) {
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", IOMMUD_OPTION_DOMAIN);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "a{sv}");
        if (r >= 0)
                r = domain_options_append(request->domain, m);
        for (unsigned i = 0; i < 2 && r >= 0; i++)
                r = sd_bus_message_close_container(m);

        return r;
}

/* What Acquire does not know. */
static int request_append_plan_options(const iommud_request *request, sd_bus_message *m) {
        int r = 0;

        if (request->explain)
                r = sd_bus_message_append(m, "{sv}", IOMMUD_OPTION_EXPLAIN, "b", 1);
        if (r >= 0 && request->as != (uid_t) -1)
                r = request_append_as(request, m);

        return r;
}

static int request_append_options(const iommud_request *request, bool plan, sd_bus_message *m) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r < 0)
                return r;

        if (request->mode) {
                r = sd_bus_message_append(m, "{sv}", IOMMUD_OPTION_MODE, "s", request->mode);
                if (r < 0)
                        return r;
        }
        if (request->accounting) {
                r = sd_bus_message_append(m, "{sv}", IOMMUD_OPTION_ACCOUNTING, "s", request->accounting);
                if (r < 0)
                        return r;
        }
        if (request->holder >= 0) {
                r = sd_bus_message_append(m, "{sv}", IOMMUD_OPTION_HOLDER, "h", request->holder);
                if (r < 0)
                        return r;
        }

        if (request->ram > 0) {
                r = sd_bus_message_append(m, "{sv}", IOMMUD_OPTION_RAM, "t", request->ram);
                if (r < 0)
                        return r;
        }

        if (request->domain) {
                r = request_append_domain(request, m);
                if (r < 0)
                        return r;
        }

        if (plan) {
                r = request_append_plan_options(request, m);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(m);
}

int request_prepare(
                iommud_client *client,
                const iommud_request *request,
                const char *member,
                sd_bus_message **ret) {

        _cleanup_message_ sd_bus_message *m = NULL;
        int r;

        if (!request->selectors)
                return client_fail(client, -EINVAL, "the request names no device");

        r = client_prepare(client, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, member, &m);
        if (r < 0)
                return r;

        r = sd_bus_message_append_strv(m, request->selectors);
        if (r >= 0)
                r = request_append_options(request, strcmp(member, "Plan") == 0, m);
        if (r < 0)
                return client_fail(client, r, "the request cannot be sent: %s", strerror(-r));

        *ret = TAKE_PTR(m);
        return 0;
}
