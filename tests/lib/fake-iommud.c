/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An iommud of canned answers, and the message bus that it is on: a client reaches it by the address
 * "unixexec:path=.../fake-iommud,argv1=SCENARIO", which starts it with the connection as standard input. The
 * scenario "ok" follows the contract; every other one breaks one thing, which is named where it is broken.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <systemd/sd-id128.h>

#include "base/fd.h"
#include "fake-iommud.h"
#include "names.h"

static const char *scenario = "ok";

static bool lease_draining = false;
static bool lease_gone = false;

bool scenario_is(const char *name) {
        return strcmp(scenario, name) == 0;
}

bool scenario_begins_with(const char *beginning) {
        return strncmp(scenario, beginning, strlen(beginning)) == 0;
}

void check(int r) {
        if (r >= 0)
                return;

        fprintf(stderr, "fake-iommud: %s\n", strerror(-r));
        abort();
}

static int reply_refusal(sd_bus_message *m) {
        _cleanup_free_ char *name = NULL;

        /* "refuse:NAME" is an error of iommud, "error:NAME" one of anybody */
        if (strncmp(scenario, "refuse:", 7) == 0)
                check(asprintf(&name, IOMMUD_ERROR_PREFIX "%s", scenario + 7));
        else if (strncmp(scenario, "error:", 6) == 0)
                check(asprintf(&name, "%s", scenario + 6));
        else
                return 0;

        check(sd_bus_reply_method_errorf(m, name, "no: \033[31mbecause\n"));
        return 1;
}

void lease_remove(sd_bus *bus) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *signal = NULL;

        lease_gone = true;

        check(sd_bus_message_new_signal(bus, &signal, IOMMUD_PATH,
                                        "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved"));
        check(sd_bus_message_append(signal, "oas", IOMMUD_PATH_LEASE "/7", 1, IOMMUD_INTERFACE_LEASE));
        check(sd_bus_message_set_sender(signal, ":1.1"));
        check(sd_bus_send(bus, signal, NULL));
}

/* Group 13 has grown since it was claimed; 12 is another's. */
static int on_claim(sd_bus_message *m) {
        bool accepted = false, persistent = false;
        const char *key;
        int value;

        if (strcmp(sd_bus_message_get_path(m), IOMMUD_PATH_GROUP "/12") == 0)
                return sd_bus_reply_method_errorf(m, IOMMUD_ERROR_HOST_IN_USE, "/ is on it");

        check(sd_bus_message_enter_container(m, 'a', "{sv}"));
        while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                check(sd_bus_message_read(m, "sv", &key, "b", &value));
                check(sd_bus_message_exit_container(m));
                accepted = accepted || (strcmp(key, "accept") == 0 && value);
                persistent = persistent || (strcmp(key, "persistent") == 0 && value);
        }

        if (!accepted)
                return sd_bus_reply_method_errorf(m, IOMMUD_ERROR_NOT_VIABLE, "it has grown%s",
                                persistent ? ", for ever" : "");
        return sd_bus_reply_method_return(m, NULL);
}

static int on_unclaim(sd_bus_message *m) {
        if (strcmp(sd_bus_message_get_path(m), IOMMUD_PATH_GROUP "/13") == 0)
                return sd_bus_reply_method_return(m, NULL);
        if (strcmp(sd_bus_message_get_path(m), IOMMUD_PATH_GROUP "/12") == 0)
                return sd_bus_reply_method_errorf(m, IOMMUD_ERROR_NO_SUCH_DEVICE, "it is not claimed");

        return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_OBJECT, "no such object");
}

static void lease_signal(sd_bus *bus, const char *sender, const char *path, const char *member,
                         const char *text, uint64_t deadline) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *signal = NULL;

        check(sd_bus_message_new_signal(bus, &signal, path, IOMMUD_INTERFACE_LEASE, member));
        check(sd_bus_message_append(signal, "s", text));
        if (strcmp(member, IOMMUD_SIGNAL_RELEASE_REQUESTED) == 0)
                check(sd_bus_message_append(signal, "t", deadline));
        check(sd_bus_message_set_sender(signal, sender));
        check(sd_bus_send(bus, signal, NULL));
}

/* Everything that can happen to a lease, and what only looks like it. */
void lease_signals(sd_bus *bus) {
        static const char path[] = IOMMUD_PATH_LEASE "/7";

        lease_signal(bus, ":1.66", path, IOMMUD_SIGNAL_RELEASE_REQUESTED, "forged", 1);
        lease_signal(bus, ":1.1", path, "FromTheFuture", "x", 1);
        lease_signal(bus, ":1.1", IOMMUD_PATH_LEASE "/x", IOMMUD_SIGNAL_DEVICE_GONE, "0000:02:00.0", 0);
        lease_signal(bus, ":1.1", path, IOMMUD_SIGNAL_DEVICE_GONE, "no name", 0);
        lease_signal(bus, ":1.1", path, IOMMUD_SIGNAL_GROUP_GREW, "0000:02:00.3", 0);
        lease_signal(bus, ":1.1", path, IOMMUD_SIGNAL_DEVICE_GONE, "0000:02:00.1", 0);
        lease_signal(bus, ":1.1", path, IOMMUD_SIGNAL_RELEASE_REQUESTED, "reboot \033", 1234567);
}

/* Which of its options Release was called with. */
static void read_release(sd_bus_message *m, bool *ret_request, bool *ret_kill) {
        const char *key;

        *ret_request = *ret_kill = false;
        check(sd_bus_message_enter_container(m, 'a', "{sv}"));
        while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                check(sd_bus_message_read(m, "s", &key));
                *ret_request |= strcmp(key, IOMMUD_OPTION_REQUEST) == 0;
                *ret_kill |= strcmp(key, IOMMUD_OPTION_KILL) == 0;
                check(sd_bus_message_skip(m, "v"));
                check(sd_bus_message_exit_container(m));
        }
}

static int on_release(sd_bus_message *m) {
        bool request, kill;

        if (strcmp(sd_bus_message_get_interface(m), IOMMUD_INTERFACE_GROUP) == 0)
                return on_unclaim(m);
        if (strcmp(sd_bus_message_get_path(m), IOMMUD_PATH_LEASE "/7") != 0)
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_OBJECT, "no such object");

        read_release(m, &request, &kill);
        if (request && scenario_is("left"))
                return sd_bus_reply_method_errorf(m, IOMMUD_ERROR_NOT_SUPPORTED, "nobody was asked");
        if (kill && scenario_is("no-root"))
                return sd_bus_reply_method_errorf(m, IOMMUD_ERROR_DENIED, "only root can");

        lease_draining = !scenario_is("stubborn");
        return sd_bus_reply_method_return(m, NULL);
}

static int on_clear_quarantine(sd_bus_message *m) {
        const char *selector;

        check(sd_bus_message_read(m, "s", &selector));
        if (strcmp(selector, "0000:01:00.0") != 0)
                return sd_bus_reply_method_errorf(m, IOMMUD_ERROR_NO_SUCH_DEVICE, "it is not in quarantine");

        return sd_bus_reply_method_return(m, NULL);
}

static int on_list_quarantine(sd_bus_message *m) {
        if (scenario_is("bad-version"))
                return sd_bus_reply_method_return(m, "a(ss)", 1, "no name", "why");

        return sd_bus_reply_method_return(m, "a(ss)", 2, "0000:01:00.0", "it can't be reset\n",
                                          "0000:09:00.0", "it is unplugged");
}

static int on_list_leases(sd_bus_message *m) {
        int r;

        r = reply_leases(m, lease_draining ? "draining" : "active", lease_gone);

        /* Its end is heard of after it has been seen: whoever waits must have listened before he looked */
        if (lease_draining && !lease_gone)
                lease_remove(sd_bus_message_get_bus(m));

        return r;
}

static int on_get(sd_bus_message *m) {
        const char *interface, *property;

        check(sd_bus_message_read(m, "ss", &interface, &property));
        if (strcmp(property, "Version") == 0 && scenario_is("bad-version"))
                return sd_bus_reply_method_return(m, "v", "u", 1);
        if (strcmp(property, "Version") == 0)
                return sd_bus_reply_method_return(m, "v", "s", "0.9");

        return sd_bus_reply_method_return(m, "v", "as", 2, "iommufd", "mode:vmm");
}

static int on_bus(sd_bus_message *m) {
        if (sd_bus_message_is_method_call(m, NULL, "Hello"))
                return sd_bus_reply_method_return(m, "s", ":1.7");
        if (sd_bus_message_is_method_call(m, NULL, "GetNameOwner") && scenario_is("away"))
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_NAME_HAS_NO_OWNER, "it is not there");
        if (sd_bus_message_is_method_call(m, NULL, "GetNameOwner"))
                return sd_bus_reply_method_return(m, "s", ":1.1");

        return sd_bus_reply_method_return(m, NULL);
}

static int on_manager(sd_bus_message *m) {
        static const struct {
                const char *member;
                int (*function)(sd_bus_message *m);
        } table[] = {
                { "ListDevices", reply_devices  },
                { "ListGroups",  reply_groups   },
                { "ListLeases",  on_list_leases },
                { "Find",        reply_find     },
                { "Plan",        reply_plan     },
                { "Acquire",     reply_acquire  },
                { "Release",     on_release     },
                { "Claim",       on_claim       },
                { "Get",         on_get         },
                { "DmaState",    reply_dma_state },
                { "HwInfo",      reply_hw_info  },
                { "AllocViommu", reply_alloc_virtual },
                { "AllocVdevice", reply_alloc_virtual },
                { "AllocVeventq", reply_alloc_virtual },
                { "AllocIoas",   reply_operation },
                { "AllocDomain", reply_operation },
                { "Attach",      reply_operation },
                { "Detach",      reply_operation },
                { "Destroy",     reply_operation },
                { "MapFile",     reply_operation },
                { "Unmap",       reply_operation },
                { "IovaRanges",  reply_operation },
                { "SetDirtyTracking", reply_operation },
                { "GetDirtyBitmap", reply_operation },
                { "Revoke",      reply_operation },
                { "ListQuarantine",  on_list_quarantine  },
                { "ClearQuarantine", on_clear_quarantine },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (strcmp(sd_bus_message_get_member(m), table[i].member) == 0)
                        return table[i].function(m);

        return sd_bus_reply_method_return(m, NULL);
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *reterr_error) {
        if (!sd_bus_message_is_method_call(m, NULL, NULL))
                return 0;

        if (strcmp(sd_bus_message_get_path(m), "/org/freedesktop/DBus") == 0)
                check(on_bus(m));
        else if (scenario_is("disconnect"))
                _exit(EXIT_SUCCESS);
        else if (!scenario_is("silent") && reply_refusal(m) == 0)
                check(on_manager(m));

        return 1;
}

int main(int argc, char *argv[]) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        sd_id128_t id;

        if (argc > 1)
                scenario = argv[1];

        check(sd_id128_randomize(&id));
        check(sd_event_new(&event));
        check(sd_bus_new(&bus));
        check(sd_bus_set_fd(bus, STDIN_FILENO, STDIN_FILENO));
        check(sd_bus_set_server(bus, true, id));
        check(sd_bus_negotiate_fds(bus, true));
        check(sd_bus_add_filter(bus, NULL, on_message, NULL));
        check(sd_bus_start(bus));
        check(sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL));
        check(sd_bus_set_exit_on_disconnect(bus, true));
        (void) sd_event_loop(event);            /* the end of the connection is the only way out */
        return EXIT_SUCCESS;
}
