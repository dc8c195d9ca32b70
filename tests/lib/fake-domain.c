/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is in lease 7; lease 9 is not the caller's. */

#include <string.h>

#include "fake-iommud.h"
#include "names.h"

static bool is_denied(sd_bus_message *m) {
        return strcmp(sd_bus_message_get_path(m), IOMMUD_PATH_LEASE "/7") != 0;
}

static void append_ioases(sd_bus_message *m) {
        check(sd_bus_message_append(
                m, "aa{sv}", 2,
                /* the first */
                5, "handle", "t", UINT64_C(1), "mappings", "a(tt)", 2, UINT64_C(0x100000),
                UINT64_C(0x200000), UINT64_C(0x400000), UINT64_C(0x1000), "pinned", "t",
                UINT64_C(0x201000), "iova_windows", "a(tt)", 1, UINT64_C(0x100000),
                UINT64_C(0xffffff), "huge_pages", "b", 1,
                /* and one with nothing in it */
                5, "handle", "t", UINT64_C(3), "mappings", "a(tt)", 0, "pinned", "t", UINT64_C(0),
                "iova_windows", "a(tt)", 0, "huge_pages", "b", 0));
}

static void append_domains(sd_bus_message *m) {
        check(sd_bus_message_append(
                m, "aa{sv}", 2,
                /* what the devices are attached to */
                9, "handle", "t", UINT64_C(2), "kind", "s", "nest-parent", "ioas", "t", UINT64_C(1),
                "parent", "t", UINT64_C(0), "iommu", "s", "dmar0", "dirty_tracking", "b", 1, "pasid", "b", 1,
                "fault_queue", "b", 0, "tracking", "b", 1,
                /* and what is nested on that */
                9, "handle", "t", UINT64_C(4), "kind", "s", "nested", "ioas", "t", UINT64_C(1), "parent",
                "t", UINT64_C(2), "iommu", "s", "dmar0", "dirty_tracking", "b", 0, "pasid", "b", 0,
                "fault_queue", "b", 1, "tracking", "b", 0));
}

int reply_dma_state(sd_bus_message *m) {
        sd_bus_message *reply;
        int r;

        if (is_denied(m))
                return sd_bus_reply_method_errorf(m, IOMMUD_ERROR_DENIED, "it is bob's");
        if (scenario_is("wrong-signature"))
                return sd_bus_reply_method_return(m, "s", "nothing");

        check(sd_bus_message_new_method_return(m, &reply));
        append_ioases(reply);
        append_domains(reply);
        check(sd_bus_message_append(
                reply, "aa{sv}", 2, 3, "name", "s", "0000:02:00.0", "target", "t", UINT64_C(2), "pasids",
                "a(ut)", 1, 5, UINT64_C(4), 3, "name", "s", "0000:02:00.1", "target", "t", UINT64_C(0),
                "pasids", "a(ut)", 0));
        r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r;
}

int reply_hw_info(sd_bus_message *m) {
        sd_bus_message *reply;
        const char *device;
        int r;

        check(sd_bus_message_read(m, "s", &device));
        if (is_denied(m))
                return sd_bus_reply_method_errorf(m, IOMMUD_ERROR_DENIED, "it is bob's");
        if (strcmp(device, "0000:02:00.0") != 0)
                return sd_bus_reply_method_errorf(m, IOMMUD_ERROR_NO_SUCH_DEVICE, "there is no %s", device);

        check(sd_bus_message_new_method_return(m, &reply));
        check(sd_bus_message_append(reply, "a{sv}", 4, "iommu", "s", "dmar0", "nesting", "b", 1, "type", "u",
                                    1, "data", "ay", 3, 7, 8, 9));
        r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r;
}
