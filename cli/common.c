/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

void complain(const char *format, ...) {
        va_list ap;

        fputs("iommuctl: ", stderr);
        va_start(ap, format);
        vfprintf(stderr, format, ap);
        va_end(ap);
        fputs(".\n", stderr);
}

void *need(void *p) {
        if (!p) {
                complain("out of memory");
                exit(STATUS_BROKEN);
        }

        return p;
}

char *print_string(const char *format, ...) {
        va_list ap;
        char *s;
        int n;

        va_start(ap, format);
        n = vasprintf(&s, format, ap);
        va_end(ap);

        return need(n < 0 ? NULL : s);
}

Status connect_client(iommud_client **ret_client) {
        iommud_client *client;
        int r;

        r = iommud_connect(/* address= */ NULL, &client);
        if (r == -ENOENT || r == -ECONNREFUSED) {
                complain("there is no system bus: %s; is D-Bus running? A container needs the host's "
                         "/run/dbus/system_bus_socket", strerror(-r));
                return STATUS_BROKEN;
        }
        if (r < 0) {
                complain("cannot connect to the system bus: %s", strerror(-r));
                return STATUS_BROKEN;
        }

        *ret_client = client;
        return STATUS_OK;
}

/* What to do about an errno, as the rest of a sentence */
static const char *advice(int r) {
        switch (r) {
        case -EHOSTUNREACH:
                return "; iommud cannot be started, see 'systemctl status iommud.service'";
        case -EACCES:
                return "; the message bus does not let this user talk to iommud";
        case -ETIMEDOUT:
                return "; iommud is busy or was started again, see 'journalctl -u iommud.service'";
        case -ECONNRESET:
        case -ENOTCONN:
        case -EPIPE:
                return "; iommud or the message bus has gone away, see 'journalctl -u iommud.service'";
        default:
                return "";
        }
}

/* The texts are other people's sentences: some end with a full stop */
static int length_of_sentence(const char *text) {
        size_t n = strlen(text);

        return (int) (n > 0 && text[n - 1] == '.' ? n - 1 : n);
}

Status report(const iommud_client *client, int r, const char *what) {
        const char *text = iommud_error_text(client);

        if (r > 0) {
                complain("cannot %s: %.*s (%s)", what, length_of_sentence(text), text, iommud_error_name(r));
                return STATUS_REFUSED;
        }

        if (!*text)
                text = strerror(-r);
        complain("cannot %s: %.*s%s", what, length_of_sentence(text), text, advice(r));
        return STATUS_BROKEN;
}

Status connect_and_list_leases(iommud_client **ret_client, iommud_lease_info ***ret_leases) {
        Status status;
        int r;

        status = connect_client(ret_client);
        if (status != STATUS_OK)
                return status;

        r = iommud_list_leases(*ret_client, ret_leases);
        return r != 0 ? report(*ret_client, r, "list the leases") : STATUS_OK;
}

Status new_request(const Options *options, char *const *selectors, iommud_request **ret_request) {
        iommud_request *request;
        int r;

        r = iommud_request_new(&request);
        for (; r == 0 && *selectors; selectors++) {
                r = iommud_request_add_device(request, *selectors);
                if (r == -EINVAL) {
                        complain("an empty selector names no device");
                        iommud_request_free(request);
                        return STATUS_USAGE;
                }
        }
        if (r == 0 && options->mode)
                r = iommud_request_set_mode(request, options->mode);
        if (r == 0 && options->accounting)
                r = iommud_request_set_accounting(request, options->accounting);
        if (r == 0)
                r = iommud_request_set_ram(request, options->ram);
        if (r == 0 && options->timeout_usec > 0)
                r = iommud_request_set_timeout(request, options->timeout_usec);
        if (r < 0)
                need(NULL);             /* nothing else is left that could be wrong */

        *ret_request = request;
        return STATUS_OK;
}

const iommud_group *find_group(iommud_group *const *groups, uint32_t id) {
        for (; *groups; groups++)
                if (iommud_group_id(*groups) == id)
                        return *groups;

        return NULL;
}

const iommud_device *find_device(iommud_device *const *devices, const char *name) {
        for (; *devices; devices++)
                if (strcmp(iommud_device_name(*devices), name) == 0)
                        return *devices;

        return NULL;
}

const iommud_lease_info *find_lease(iommud_lease_info *const *leases, uint64_t id) {
        for (; *leases; leases++)
                if (iommud_lease_info_id(*leases) == id)
                        return *leases;

        return NULL;
}
