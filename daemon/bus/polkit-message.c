/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bus/device-names.h"
#include "bus/polkit-message.h"
#include "core/device.h"
#include "core/subject.h"
#include "names.h"

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"

/* Of CheckAuthorizationFlags */
#define POLKIT_ALLOW_USER_INTERACTION 1U

_printf_(3, 4)
static int append_detail(sd_bus_message *m, const char *key, const char *format, ...) {
        char value[256];
        va_list ap;

        va_start(ap, format);
        vsnprintf(value, sizeof(value), format, ap);
        va_end(ap);

        return sd_bus_message_append(m, "{ss}", key, value);
}

/*
 * a{ss}: what rules of polkit can look at, action.lookup("device"), and the message of the action is made
 * of, $(device).
 */
static int append_details(sd_bus_message *m, const PolkitQuestion *question) {
        const DeviceFacts *device = &question->device->facts;
        char names[DEVICE_NAMES_MAX];
        int r;

        device_read_names(device, names);

        r = sd_bus_message_open_container(m, 'a', "{ss}");
        if (r >= 0)
                r = append_detail(m, "device", "%s", device->name);
        if (r >= 0)
                r = append_detail(m, "name", "%s", names[0] ? names : device->name);
        if (r >= 0)
                r = append_detail(m, "ids", "%04x:%04x", device->vendor, device->device);
        if (r >= 0)
                r = append_detail(m, "class", "%06x", device->class);
        if (r >= 0)
                r = append_detail(m, "serial", "%s", device->serial);
        if (r >= 0)
                r = append_detail(m, "driver", "%s", device->driver);
        if (r >= 0)
                r = append_detail(m, "group", "%u", device->group);
        if (r >= 0)
                r = append_detail(m, "mode", "%s", mode_to_string(question->mode));
        if (r >= 0)
                r = append_detail(m, "uid", "%u", question->subject->uid);
        if (r >= 0)
                r = sd_bus_message_close_container(m);

        return r;
}

int polkit_message_new(sd_bus *bus, sd_bus_message *call, const PolkitQuestion *question, const char *id,
                       sd_bus_message **ret) {
        bool interactive = sd_bus_message_get_allow_interactive_authorization(call) > 0;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(
                bus, &m, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE, "CheckAuthorization");
        if (r < 0)
                return r;

        r = sd_bus_message_append(m, "(sa{sv})s", "system-bus-name", 1, "name", "s",
                                  sd_bus_message_get_sender(call), IOMMUD_POLKIT_ACTION);
        if (r < 0)
                return r;

        r = append_details(m, question);
        if (r < 0)
                return r;

        r = sd_bus_message_append(m, "us", interactive ? POLKIT_ALLOW_USER_INTERACTION : 0, id);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(m);
        return 0;
}

static int on_cancelled(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return 1;                            /* it may have answered by now, or have gone */
}

void polkit_message_cancel(sd_bus *bus, const char *id) {
        (void) sd_bus_call_method_async(bus, /* ret_slot= */ NULL, POLKIT_NAME, POLKIT_PATH,
                                        POLKIT_INTERFACE, "CancelCheckAuthorization", on_cancelled,
                                        /* userdata= */ NULL, "s", id);
}

/* That polkit isn't there has as many names as there are ways in which it isn't. */
static bool error_is_absence(const char *name) {
        static const char spawn[] = "org.freedesktop.DBus.Error.Spawn.";
        static const char *const absent[] = {
                SD_BUS_ERROR_SERVICE_UNKNOWN,
                SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                "org.freedesktop.systemd1.NoSuchUnit",
                "org.freedesktop.systemd1.UnitMasked",
                "org.freedesktop.systemd1.ShuttingDown",
        };

        for (size_t i = 0; i < ELEMENTSOF(absent); i++)
                if (strcmp(name, absent[i]) == 0)
                        return true;

        return strncmp(name, spawn, strlen(spawn)) == 0;
}

static bool error_is_timeout(const char *name) {
        return strcmp(name, SD_BUS_ERROR_NO_REPLY) == 0 || strcmp(name, SD_BUS_ERROR_TIMEOUT) == 0 ||
               strcmp(name, "org.freedesktop.DBus.Error.TimedOut") == 0;
}

_printf_(4, 5)
static int refuse_about(
        Refusal *reterr, Outcome outcome, const PolkitAbout *about, const char *format, ...) {
        char why[256];
        va_list ap;

        va_start(ap, format);
        vsnprintf(why, sizeof(why), format, ap);
        va_end(ap);

        return refuse(reterr, outcome, "uid %u may not have %s: %s", about->uid, about->device, why);
}

static int refuse_error(const sd_bus_error *error, const PolkitAbout *about, Refusal *reterr) {
        if (error_is_absence(error->name))
                return refuse_about(reterr, OUTCOME_DENIED, about,
                                    "the policy wants polkit to be asked, and it can't be reached (%s)",
                                    error->name);

        if (error_is_timeout(error->name))
                return refuse_about(reterr, OUTCOME_DENIED, about,
                                    "the policy wants polkit to be asked, and it has not answered in time, "
                                    "or ended without an answer");

        return refuse_about(reterr, OUTCOME_DENIED, about, "polkit could not tell: %s (%s)",
                            error->message ?: "", error->name);
}

/* Whether the details of an answer, a{ss}, say that the user did not want to authenticate. */
static int read_dismissed(sd_bus_message *reply, bool *ret) {
        const char *key, *value;
        int r;

        *ret = false;
        r = sd_bus_message_enter_container(reply, 'a', "{ss}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_read(reply, "{ss}", &key, &value)) > 0)
                if (strcmp(key, "polkit.dismissed") == 0)
                        *ret = true;

        return r < 0 ? r : sd_bus_message_exit_container(reply);
}

static int refuse_answer(bool challenge, bool dismissed, const PolkitAbout *about, Refusal *reterr) {
        if (dismissed)
                return refuse_about(reterr, OUTCOME_DENIED, about, "the authentication was dismissed");

        if (!challenge)
                return refuse_about(reterr, OUTCOME_DENIED, about,
                                    "polkit does not permit it (action " IOMMUD_POLKIT_ACTION ")");

        if (about->interactive)
                return refuse_about(reterr, OUTCOME_AUTHORIZATION_REQUIRED, about,
                                    "polkit wants somebody to authenticate, and there is no agent that "
                                    "could ask: pkttyagent(1) is one for terminals");

        return refuse_about(reterr, OUTCOME_AUTHORIZATION_REQUIRED, about,
                            "polkit wants somebody to authenticate, and the caller has not let it ask");
}

int polkit_message_read(sd_bus_message *reply, const PolkitAbout *about, Refusal *reterr) {
        int authorized, challenge, r;
        bool dismissed;

        if (sd_bus_message_is_method_error(reply, NULL))
                return refuse_error(sd_bus_message_get_error(reply), about, reterr);

        r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(reply, "bb", &authorized, &challenge);
        if (r >= 0)
                r = read_dismissed(reply, &dismissed);
        if (r < 0)
                return refuse_about(reterr, OUTCOME_DENIED, about,
                                    "polkit has answered in a way that nobody understands");

        return authorized ? 0 : refuse_answer(challenge, dismissed, about, reterr);
}
