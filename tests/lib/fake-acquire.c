/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "base/fd.h"
#include "fake-iommud.h"
#include "names.h"

/* A file whose text says what it stands for, so that a client can prove that it got the right one */
static void append_fd(sd_bus_message *m, const char *role, const char *text) {
        _cleanup_close_ int fd = -EBADF;

        fd = memfd_create("fake", MFD_CLOEXEC);
        check(fd);
        check((int) pwrite(fd, text, strlen(text), 0));
        check(sd_bus_message_append(m, "{sh}", role, fd));
}

static int on_hangup(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        sd_event_source_disable_unref(source);
        lease_remove(userdata);
        return 0;
}

static void append_lifeline(sd_bus_message *m) {
        sd_bus *bus = sd_bus_message_get_bus(m);
        sd_event_source *source;
        int fds[2];

        check(pipe2(fds, O_CLOEXEC));
        check(sd_bus_message_append(m, "{sh}", IOMMUD_FD_LIFELINE, fds[1]));
        close_fd(fds[1]);
        check(sd_event_add_io(sd_bus_get_event(bus), &source, fds[0], 0, on_hangup, bus));
        check(sd_event_source_set_io_fd_own(source, true));
}

static void append_fds(sd_bus_message *m, bool holder) {
        check(sd_bus_message_open_container(m, 'a', "{sh}"));

        /* In no useful order: the client has to put them into one */
        if (!scenario_is("missing-device"))
                append_fd(m, "device:0000:02:00.1", "0000:02:00.1");
        if (holder == scenario_is("wrong-lifeline"))
                append_lifeline(m);
        append_fd(m, "device:0000:02:00.0", "0000:02:00.0");
        if (!scenario_is("missing-iommufd") && !scenario_is("other-mode"))
                append_fd(m, "iommufd", "iommufd");
        if (scenario_is("other-mode")) {
                append_fd(m, "group:13", "group");
                append_fd(m, "container", "container");
        }
        if (scenario_is("foreign-device"))
                append_fd(m, "device:0000:01:00.0", "0000:01:00.0");
        if (scenario_is("repeated-role"))
                append_fd(m, "iommufd", "iommufd");
        if (scenario_is("bad-role"))
                append_fd(m, "a role", "");

        check(sd_bus_message_close_container(m));
}

static void append_details(sd_bus_message *m) {
        check(sd_bus_message_open_container(m, 'a', "{sv}"));

        if (scenario_is("wrong-detail"))
                check(sd_bus_message_append(m, "{sv}", "id", "u", 7));
        else
                check(sd_bus_message_append(m, "{sv}", "id", "t", UINT64_C(7)));
        check(sd_bus_message_append(m, "{sv}", "mode", "s", scenario_is("other-mode") ? "legacy" : "vmm"));
        check(sd_bus_message_append(m, "{sv}", "accounting", "s", "process"));
        check(sd_bus_message_append(m, "{sv}", "groups", "au", 1, 13));
        if (scenario_is("no-devices"))
                check(sd_bus_message_append(m, "{sv}", "devices", "as", 0));
        else
                check(sd_bus_message_append(m, "{sv}", "devices", "as", 2, "0000:02:00.0", "0000:02:00.1"));
        if (!scenario_is("missing-detail"))
                check(sd_bus_message_append(m, "{sv}", "companions", "as", 1, "0000:02:00.2"));
        if (scenario_is("unknown-detail"))
                check(sd_bus_message_append(m, "{sv}", "deadline", "t", UINT64_C(1)));

        check(sd_bus_message_close_container(m));
}

/* Whether the options name a holder; an option that is not known is refused, as iommud does */
static int read_options(sd_bus_message *m, bool *ret_holder) {
        const char *key, *contents;
        int r;

        *ret_holder = false;
        check(sd_bus_message_enter_container(m, 'a', "{sv}"));
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                check(sd_bus_message_read(m, "s", &key));
                check(sd_bus_message_peek_type(m, NULL, &contents));
                if (strcmp(key, IOMMUD_OPTION_HOLDER) == 0 && strcmp(contents, "h") == 0)
                        *ret_holder = true;
                else if (strcmp(key, IOMMUD_OPTION_RAM) == 0 && strcmp(contents, "t") == 0)
                        ;
                else if (strcmp(key, IOMMUD_OPTION_MODE) != 0 && strcmp(key, IOMMUD_OPTION_ACCOUNTING) != 0)
                        return -EINVAL;
                else if (strcmp(contents, "s") != 0)
                        return -EINVAL;
                check(sd_bus_message_skip(m, "v"));
                check(sd_bus_message_exit_container(m));
        }
        check(r);
        return 0;
}

int reply_acquire(sd_bus_message *m) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        bool holder;

        if (scenario_is("ask") && sd_bus_message_get_allow_interactive_authorization(m) == 0)
                return sd_bus_reply_method_errorf(m, IOMMUD_ERROR_AUTHORIZATION_REQUIRED,
                                                  "nobody could be asked");

        check(sd_bus_message_skip(m, "as"));
        if (read_options(m, &holder) < 0)
                return sd_bus_reply_method_errorf(m, IOMMUD_ERROR_INVALID_OPTION, "an option is not known");

        check(sd_bus_message_new_method_return(m, &reply));
        check(sd_bus_message_append(reply, "o", scenario_is("other-lease") ? IOMMUD_PATH_LEASE "/8"
                                                                           : IOMMUD_PATH_LEASE "/7"));
        append_fds(reply, holder);
        if (!scenario_is("no-details"))
                append_details(reply);
        check(sd_bus_send(NULL, reply, NULL));
        if (scenario_is("events") || scenario_is("away"))
                lease_signals(sd_bus_message_get_bus(m));
        return 1;
}
