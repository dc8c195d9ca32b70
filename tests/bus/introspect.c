/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Prints what the server says of itself: the introspection of one object of each type. */

#include "bus-rig.h"
#include "fake/assert.h"
#include "names.h"

int main(void) {
        static const char *const paths[] = {
                IOMMUD_PATH,
                IOMMUD_PATH_DEVICE "/_30000_3a01_3a00_2e0",
                IOMMUD_PATH_GROUP "/1",
                IOMMUD_PATH_LEASE "/1",
        };
        _cleanup_rig_ BusRig *rig = bus_rig_new();

        scene_add(rig->scene, "0000:01:00.0", 1, "vfio-pci");
        scene_grant(rig->scene, &ALICE, "01:00.0");
        bus_rig_commit(rig);

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_message_ sd_bus_message *reply = NULL;
                const char *xml;

                reply = bus_rig_call(rig, paths[i], "org.freedesktop.DBus.Introspectable", "Introspect",
                                     NULL);
                assert_reply(reply, "s");
                assert_ok(sd_bus_message_read(reply, "s", &xml));
                puts(xml);
        }

        return 0;
}
