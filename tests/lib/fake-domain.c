/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is in lease 7; lease 9 is not the caller's. */

#include <string.h>
#include <sys/eventfd.h>

#include "base/fd.h"
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
                /* and what is nested on a virtual IOMMU on that */
                9, "handle", "t", UINT64_C(7), "kind", "s", "nested", "ioas", "t", UINT64_C(1), "parent",
                "t", UINT64_C(4), "iommu", "s", "dmar0", "dirty_tracking", "b", 0, "pasid", "b", 0,
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
                reply, "aa{sv}", 2, 4, "name", "s", "0000:02:00.0", "target", "t", UINT64_C(2), "pasids",
                "a(ut)", 1, 5, UINT64_C(7), "id", "u", 21, 4, "name", "s", "0000:02:00.1", "target", "t",
                UINT64_C(0), "pasids", "a(ut)", 0, "id", "u", 22));
        check(sd_bus_message_append(
                reply, "aa{sv}", 2, 7, "handle", "t", UINT64_C(4), "kind", "s", "viommu", "parent", "t",
                UINT64_C(2), "iommu", "s", "dmar0", "device", "s", "0000:02:00.0", "type", "u", 7, "number",
                "t", UINT64_C(0), 7, "handle", "t", UINT64_C(5), "kind", "s", "vdevice", "parent", "t",
                UINT64_C(4), "iommu", "s", "dmar0", "device", "s", "0000:02:00.0", "type", "u", 0, "number",
                "t", UINT64_C(0x300)));
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

/* The driver answers with what it was asked, one bit the other way round. */
static int reply_alloc_viommu(sd_bus_message *m) {
        const char *device, *key, *type_key;
        const void *data;
        uint8_t answer[4];
        uint64_t parent;
        uint32_t type;
        size_t size;

        check(sd_bus_message_read(m, "st", &device, &parent));
        check(sd_bus_message_enter_container(m, 'a', "{sv}"));
        check(sd_bus_message_read(m, "{sv}", &type_key, "u", &type));
        check(sd_bus_message_enter_container(m, 'e', "sv"));
        check(sd_bus_message_read(m, "s", &key));
        check(sd_bus_message_enter_container(m, 'v', "ay"));
        check(sd_bus_message_read_array(m, 'y', &data, &size));
        assert(strcmp(type_key, "type") == 0 && type == 7 && strcmp(key, "data") == 0 && parent == 2);
        assert(size == sizeof(answer) && strcmp(device, "0000:02:00.0") == 0);

        memcpy(answer, data, size);
        answer[0] ^= 1;
        if (scenario_is("short"))
                return sd_bus_reply_method_return(m, "ta{sv}", UINT64_C(4), 0);
        return sd_bus_reply_method_return(m, "ta{sv}", UINT64_C(4), 2, "id", "u", 11, "data", "ay", 4,
                                          answer[0], answer[1], answer[2], answer[3]);
}

static int reply_alloc_veventq(sd_bus_message *m) {
        _cleanup_close_ int fd = eventfd(0, EFD_CLOEXEC);

        check(fd);
        if (scenario_is("short"))
                return sd_bus_reply_method_return(m, "ta{sh}a{sv}", UINT64_C(6), 0, 0);
        if (scenario_is("vevents"))
                return reply_event_queue(m);
        return sd_bus_reply_method_return(
                m, "ta{sh}a{sv}", UINT64_C(6), 1, "event-queue", fd, 1, "id", "u", 13);
}

int reply_alloc_virtual(sd_bus_message *m) {
        const char *member = sd_bus_message_get_member(m);

        if (is_denied(m))
                return sd_bus_reply_method_errorf(m, IOMMUD_ERROR_DENIED, "it is bob's");
        if (scenario_is("echo"))
                return reply_operation(m);
        if (strcmp(member, "AllocViommu") == 0)
                return reply_alloc_viommu(m);
        if (strcmp(member, "AllocVeventq") == 0)
                return reply_alloc_veventq(m);

        return sd_bus_reply_method_return(m, "ta{sv}", UINT64_C(5), 1, "id", "u", 12);
}
