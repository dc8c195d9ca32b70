/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Claim and Release of a group, as root and others call them. */

#include "bus-rig.h"
#include "fake/assert.h"
#include "names.h"

#define DEVICE "0000:01:00.0"
#define GROUP_PATH IOMMUD_PATH_GROUP "/1"

static BusRig *rig_with_device(void) {
        BusRig *rig = bus_rig_new();

        scene_keep(rig->scene);
        scene_add(rig->scene, DEVICE, 1, "nvme");
        bus_rig_commit(rig);
        bus_rig_forget(rig);
        rig->subject = ROOT;
        return rig;
}

/* A call of @member with at most one option, a true boolean or a string; and the tasks that come of it. */
static sd_bus_message *call(
        BusRig *rig, const char *member, const char *option, const char *type, const char *value) {
        _cleanup_message_ sd_bus_message *message = NULL;
        sd_bus_message *reply;

        assert_ok(sd_bus_message_new_method_call(
                rig->client, &message, /* destination= */ NULL, GROUP_PATH, IOMMUD_INTERFACE_GROUP, member));
        if (!option)
                assert_ok(sd_bus_message_append(message, "a{sv}", 0));
        else if (strcmp(type, "b") == 0)
                assert_ok(sd_bus_message_append(message, "a{sv}", 1, option, type, 1));
        else
                assert_ok(sd_bus_message_append(message, "a{sv}", 1, option, type, value));

        bus_rig_send(rig, message, &reply);
        bus_rig_run_tasks(rig);
        assert(reply);
        return reply;
}

static sd_bus_message *claim(BusRig *rig) {
        return call(rig, "Claim", IOMMUD_OPTION_PERSISTENT, "b", NULL);
}

static sd_bus_message *release(BusRig *rig) {
        return call(rig, "Release", NULL, NULL, NULL);
}

static void assert_property(BusRig *rig, const char *name, const char *expected) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *text;

        reply = bus_rig_call(rig, GROUP_PATH, "org.freedesktop.DBus.Properties", "Get", "ss",
                             IOMMUD_INTERFACE_GROUP, name);
        assert_reply(reply, "v");
        assert_ok(sd_bus_message_read(reply, "v", "s", &text));
        assert_eq_str(text, expected);
}

static void test_claim(void) {
        _cleanup_rig_ BusRig *rig = rig_with_device();
        _cleanup_message_ sd_bus_message *claimed = NULL, *released = NULL, *again = NULL;

        claimed = claim(rig);
        assert_reply(claimed, "");
        assert_property(rig, "Claim", "parked");
        assert_property(rig, "DmaOwner", "parked");
        assert_has(rig->received, GROUP_PATH " PropertiesChanged " IOMMUD_INTERFACE_GROUP);
        assert(fake_device_is_bound(fake_kernel_find(rig->scene->kernel, DEVICE)));

        released = release(rig);
        assert_reply(released, "");
        assert_property(rig, "Claim", "none");
        again = release(rig);
        assert_error(again, IOMMUD_ERROR_NO_SUCH_DEVICE, "There is no claim on group 1");
}

static void test_refused(void) {
        _cleanup_rig_ BusRig *rig = rig_with_device();
        _cleanup_message_ sd_bus_message *denied = NULL, *denied_release = NULL, *option = NULL;
        _cleanup_message_ sd_bus_message *type = NULL, *none = NULL, *failed = NULL;

        rig->subject = ALICE;
        denied = claim(rig);
        assert_error(denied, IOMMUD_ERROR_DENIED, "Only root");
        denied_release = release(rig);
        assert_error(denied_release, IOMMUD_ERROR_DENIED, "Only root");

        rig->subject = ROOT;
        option = call(rig, "Claim", "forever", "b", NULL);
        assert_error(option, IOMMUD_ERROR_INVALID_OPTION, "\"forever\": there are persistent, accept");
        type = call(rig, "Claim", "accept", "s", "1");
        assert_error(type, IOMMUD_ERROR_INVALID_OPTION, "\"accept\" must be of type b");
        none = call(rig, "Release", "accept", "b", NULL);
        assert_error(none, IOMMUD_ERROR_INVALID_OPTION, "no options yet");

        /* the answer comes when everything is put back */
        rig->scene->kernel->fail_call = "bind_device";
        failed = claim(rig);
        assert_error(failed, IOMMUD_ERROR_KERNEL_FAILED, "bind_device " DEVICE);
        assert_property(rig, "Claim", "none");
        assert_eq_str(fake_kernel_find(rig->scene->kernel, DEVICE)->driver, "nvme");
}

int main(void) {
        test_claim();
        test_refused();
        return 0;
}
