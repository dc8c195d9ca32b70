/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A device that was not reset, as clients see it, and how root takes it out of quarantine. */

#include "bus-rig.h"
#include "core/quarantine.h"
#include "fake/assert.h"
#include "names.h"

#define DEVICE "0000:01:00.0"
#define DEVICE_PATH IOMMUD_PATH_DEVICE "/_30000_3a01_3a00_2e0"

/* A lease of ALICE's that comes and goes; the device can't be reset. */
static BusRig *rig_quarantined(int reset) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        BusRig *rig = bus_rig_new();
        uint64_t lease;
        Client client;

        scene_add(rig->scene, DEVICE, 1, "vfio-pci")->reset = reset;
        bus_rig_commit(rig);
        reply = bus_rig_acquire(rig, DEVICE);
        bus_rig_take_fds(rig, reply, &lease, &client);
        reply = sd_bus_message_unref(reply); /* it has the lifeline too */
        client_close(&client);
        bus_rig_watch(rig);
        bus_rig_forget(rig);
        bus_rig_run_tasks(rig);
        return rig;
}

static void assert_property(BusRig *rig, const char *expected) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *text;

        reply = bus_rig_call(rig, DEVICE_PATH, "org.freedesktop.DBus.Properties", "Get", "ss",
                             IOMMUD_INTERFACE_DEVICE, "Quarantine");
        assert_reply(reply, "v");
        assert_ok(sd_bus_message_read(reply, "v", "s", &text));
        assert_eq_str(text, expected);
}

static void assert_listed(BusRig *rig, const char *device, const char *part) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *name, *reason;

        reply = bus_rig_call(rig, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "ListQuarantine", NULL);
        assert_reply(reply, "a(ss)");
        assert_ok(sd_bus_message_enter_container(reply, 'a', "(ss)"));
        if (device) {
                assert_eq_int(assert_ok(sd_bus_message_read(reply, "(ss)", &name, &reason)), 1);
                assert_eq_str(name, device);
                assert_has(reason, part);
        }
        assert_eq_int(sd_bus_message_at_end(reply, /* complete= */ false), 1);
}

static sd_bus_message *clear(BusRig *rig, const Subject *subject, const char *selector) {
        rig->subject = *subject;
        bus_rig_forget(rig);
        return bus_rig_call(rig, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "ClearQuarantine", "s", selector);
}

static void assert_cleared(BusRig *rig) {
        _cleanup_message_ sd_bus_message *reply = NULL;

        reply = clear(rig, &ROOT, DEVICE);
        assert_reply(reply, "");
        assert_has(rig->received, DEVICE_PATH " PropertiesChanged " IOMMUD_INTERFACE_DEVICE);
        assert_property(rig, "");
}

static void test_announced(void) {
        _cleanup_rig_ BusRig *rig = rig_quarantined(PROVE_RESET_FAILED);
        _cleanup_message_ sd_bus_message *reply = NULL;

        assert_has(rig->received, DEVICE_PATH " PropertiesChanged " IOMMUD_INTERFACE_DEVICE);
        assert_has(rig->received, " Quarantine");
        assert_property(rig, "its reset failed: reset " DEVICE ": Input/output error");
        assert_listed(rig, DEVICE, "its reset failed");
        reply = bus_rig_acquire(rig, DEVICE);
        assert_error(reply, IOMMUD_ERROR_QUARANTINED, "iommuctl quarantine clear " DEVICE);
        assert_cleared(rig);
}

static void test_other_user(void) {
        _cleanup_rig_ BusRig *rig = rig_quarantined(PROVE_NO_RESET);
        _cleanup_message_ sd_bus_message *reply = NULL;

        rig->subject = BOB;
        reply = bus_rig_acquire(rig, DEVICE);
        assert_error(reply, IOMMUD_ERROR_QUARANTINED, "only uid 1000, who had it last, and root may have");
        assert_cleared(rig);
}

static void test_refused(void) {
        _cleanup_rig_ BusRig *rig = rig_quarantined(PROVE_RESET_FAILED);
        const struct {
                const Subject *subject;
                const char *selector, *error, *text;
        } cases[] = {
                { &ALICE, DEVICE, IOMMUD_ERROR_DENIED, "Only root" },
                { &CONTAINER_ROOT, DEVICE, IOMMUD_ERROR_DENIED, "not proved to be this host's root" },
                { &ROOT, "pf=", IOMMUD_ERROR_INVALID_SELECTOR, "pf=" },
                { &ROOT, "02:00.0", IOMMUD_ERROR_NO_SUCH_DEVICE, "No device in quarantine" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_message_ sd_bus_message *reply = NULL;

                reply = clear(rig, cases[i].subject, cases[i].selector);
                assert_error(reply, cases[i].error, cases[i].text);
        }

        /* somebody of whom it can't be found out who he is */
        rig->identify = -EIO;
        {
                _cleanup_message_ sd_bus_message *reply = NULL;

                reply = clear(rig, &ROOT, DEVICE);
                assert_error(reply, IOMMUD_ERROR_KERNEL_FAILED, "identifying the caller");
        }
        assert(strstr(rig->received, "PropertiesChanged") == NULL);
        assert_property(rig, "its reset failed: reset " DEVICE ": Input/output error");
}

/* What is unplugged is listed, and what nobody knows any more. */
static void test_listed(void) {
        _cleanup_rig_ BusRig *rig = rig_quarantined(PROVE_RESET_FAILED);
        _cleanup_message_ sd_bus_message *reply = NULL;

        scene_unplug(rig->scene, DEVICE);
        bus_rig_commit(rig);
        assert_listed(rig, DEVICE, "its reset failed");
        reply = clear(rig, &ROOT, DEVICE);
        assert_reply(reply, "");
        assert_listed(rig, NULL, NULL);
        rig->scene->manager->quarantine->lost = true;
        assert_listed(rig, "all", "was damaged");
}

int main(void) {
        test_announced();
        test_listed();
        test_other_user();
        test_refused();
        return 0;
}
