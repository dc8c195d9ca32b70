/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/macro.h"
#include "fake-iommud.h"
#include "names.h"

#define PATH IOMMUD_PATH_DEVICE "/"

typedef struct FakeDevice {
        const char *name;
        const char *path;
        const char *driver;
        unsigned group;
        unsigned vendor;
        unsigned device;
        unsigned class;
} FakeDevice;

static const FakeDevice devices[] = {
        { "0000:01:00.0", PATH "_30000_3a01_3a00_2e0", "nvme",     12, 0x8086, 0x5845, 0x010802 },
        { "0000:02:00.0", PATH "_30000_3a02_3a00_2e0", "vfio-pci", 13, 0x8086, 0x10d3, 0x020000 },
        { "0000:02:00.1", PATH "_30000_3a02_3a00_2e1", "",         13, 0x8086, 0x10d3, 0x020000 },
};

static void append_string(sd_bus_message *m, const char *key, const char *value) {
        check(sd_bus_message_append(m, "{sv}", key, "s", value));
}

/* Known of devices that are leased alone; and one that nobody has heard of. */
static void append_features(sd_bus_message *m, bool known) {
        check(sd_bus_message_open_container(m, 'e', "sv"));
        check(sd_bus_message_append(m, "s", "IommuFeatures"));
        check(sd_bus_message_open_container(m, 'v', "a{sv}"));
        if (known)
                check(sd_bus_message_append(
                        m, "a{sv}", 10, "driver", "s", "intel-vtd", "hitless", "b", 0, "nesting", "b", 1,
                        "viommu", "b", 0, "pasids", "u", 1023, "pasid_execute", "b", 1, "aperture", "(tt)",
                        UINT64_C(0), UINT64_C(0xffffffffffff), "page_size", "t", UINT64_C(4096),
                        "page_sizes", "t", UINT64_C(0x40201000), "coffee", "b", 1));
        else
                check(sd_bus_message_append(m, "a{sv}", 0));
        check(sd_bus_message_close_container(m));
        check(sd_bus_message_close_container(m));
}

static void append_device(sd_bus_message *m, const FakeDevice *d) {
        bool leased = d->group == 13;

        check(sd_bus_message_open_container(m, 'r', "oa{sv}"));
        check(sd_bus_message_append(m, "o", d->path));
        check(sd_bus_message_open_container(m, 'a', "{sv}"));

        append_string(m, "Name", scenario_is("bad-name") ? "0000:01:00.0 --help" : d->name);
        append_string(m, "Subsystem", "pci");
        check(sd_bus_message_append(m, "{sv}", "Vendor", "q", d->vendor));
        check(sd_bus_message_append(m, "{sv}", "DeviceId", "q", d->device));
        check(sd_bus_message_append(m, "{sv}", "SubsystemVendor", "q", 0x1af4));
        check(sd_bus_message_append(m, "{sv}", "SubsystemDevice", "q", 0x1100));
        if (scenario_is("wrong-type"))
                check(sd_bus_message_append(m, "{sv}", "Class", "t", (uint64_t) d->class));
        else
                check(sd_bus_message_append(m, "{sv}", "Class", "u", d->class));
        append_string(m, "Serial", "S1\033[2J");
        if (!scenario_is("missing-property"))
                append_string(m, "Driver", d->driver);
        if (scenario_is("repeated-property"))
                append_string(m, "Driver", d->driver);
        if (scenario_is("unknown-property"))
                check(sd_bus_message_append(m, "{sv}", "Colour", "(sa{su})", "blue", 1, "depth", 24));
        append_string(m, "DriverOverride", "");
        append_string(m, "OriginalDriver", leased ? "e1000e" : "");
        check(sd_bus_message_append(m, "{sv}", "Group", "o", leased ? "/org/iommud1/group/13"
                                                                    : "/org/iommud1/group/12"));
        check(sd_bus_message_append(m, "{sv}", "Lease", "o", scenario_is("bad-path") ? "/org/iommud1/lease/x"
                                                             : leased                ? "/org/iommud1/lease/7"
                                                                                     : "/"));
        append_string(m, "Cdev", leased ? "vfio0" : "");
        check(sd_bus_message_append(m, "{sv}", "NumaNode", "i", -1));
        check(sd_bus_message_append(m, "{sv}", "ResetMethods", "as", 2, "flr", "bus"));
        check(sd_bus_message_append(m, "{sv}", "Tags", "as", 1, "lab"));
        append_string(m, "Iommu", "dmar0");
        append_features(m, leased);
        append_string(m, "PhysicalFunction", "");
        append_string(m, "Quarantine", leased ? "" : "it can't be reset\033");

        check(sd_bus_message_close_container(m));
        check(sd_bus_message_close_container(m));
}

static sd_bus_message *answer(sd_bus_message *m) {
        sd_bus_message *reply;

        check(sd_bus_message_new_method_return(m, &reply));
        return reply;
}

static int send(sd_bus_message *reply) {
        int r;

        r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r;
}

int reply_devices(sd_bus_message *m) {
        sd_bus_message *reply;

        if (scenario_is("wrong-signature"))
                return sd_bus_reply_method_return(m, "s", "no devices today");

        reply = answer(m);
        check(sd_bus_message_open_container(reply, 'a', "(oa{sv})"));
        for (size_t i = 0; i < ELEMENTSOF(devices) && !scenario_is("empty"); i++)
                append_device(reply, &devices[i]);
        check(sd_bus_message_close_container(reply));
        return send(reply);
}

int reply_groups(sd_bus_message *m) {
        sd_bus_message *reply = answer(m);

        check(sd_bus_message_append(
                        reply, "a(oa{sv})", 2,
                        "/org/iommud1/group/12", 11,
                        "Id", "u", 12, "Type", "s", "DMA-FQ", "DmaOwner", "s", "kernel", "Viable", "b", 0,
                        "Blockers", "a(ss)", 1, "0000:01:00.0", "nvme",
                        "Devices", "ao", 1, devices[0].path, "Lease", "o", "/",
                        "Claim", "s", "none", "ClaimPersistent", "b", 0, "ClaimReason", "s", "",
                        "ReservedRegions", "a(tts)", 2,
                        UINT64_C(0xfee00000), UINT64_C(0xfeefffff), "msi",
                        UINT64_C(0), UINT64_C(0xfff), "direct",
                        "/org/iommud1/group/13", 11,
                        "Id", "u", 13, "Type", "s", "DMA", "DmaOwner", "s", "leased", "Viable", "b", 1,
                        "Blockers", "a(ss)", 0,
                        "Devices", "ao", 2, devices[1].path, devices[2].path,
                        "Lease", "o", "/org/iommud1/lease/7",
                        "Claim", "s", "lent", "ClaimPersistent", "b", 1,
                        "ClaimReason", "s", "it has grown\033",
                        "ReservedRegions", "a(tts)", 0));
        return send(reply);
}

static void append_lease(
                sd_bus_message *m,
                uint64_t id,
                const char *path,
                const char *state,
                const char *reason) {

        check(sd_bus_message_append(
                        m, "(oa{sv})", path, 12,
                        "Id", "t", id, "Uid", "u", 1000, "Pid", "u", 4711,
                        "Mode", "s", scenario_is("confined") ? "confined" : "vmm",
                        "State", "s", state, "StateReason", "s", reason,
                        "Holders", "a(usss)", 2,
                        (unsigned) (100 * id), "qemu\033", "vm.service", "/system.slice/vm.service",
                        (unsigned) (100 * id + 1), "sh", "", "",
                        "Devices", "as", 1, "0000:02:00.0", "Companions", "as", 1, "0000:02:00.1",
                        "Groups", "au", 1, 13, "Since", "t", UINT64_C(1700000000000000),
                        "Until", "t", UINT64_C(1700003600000000)));
}

int reply_leases(sd_bus_message *m, const char *state, bool gone) {
        sd_bus_message *reply = answer(m);

        check(sd_bus_message_open_container(reply, 'a', "(oa{sv})"));
        if (!gone)
                append_lease(reply, 7, "/org/iommud1/lease/7", state,
                             strcmp(state, "draining") == 0 ? "somebody has 0000:02:00.0 open" : "");
        append_lease(reply, 9, "/org/iommud1/lease/9", "stuck", "the reset failed");
        check(sd_bus_message_close_container(reply));
        return send(reply);
}

int reply_find(sd_bus_message *m) {
        const char *selector;

        check(sd_bus_message_read(m, "s", &selector));
        if (scenario_is("foreign-path"))
                return sd_bus_reply_method_return(m, "ao", 1, "/org/example/device/a");
        if (strcmp(selector, "group:13") == 0)
                return sd_bus_reply_method_return(m, "ao", 2, devices[1].path, devices[2].path);
        for (size_t i = 0; i < ELEMENTSOF(devices); i++)
                if (strcmp(devices[i].name, selector) == 0)
                        return sd_bus_reply_method_return(m, "ao", 1, devices[i].path);

        return sd_bus_reply_method_errorf(m, IOMMUD_ERROR_NO_SUCH_DEVICE, "there is no %s", selector);
}

int reply_plan(sd_bus_message *m) {
        const char *selector;

        check(sd_bus_message_enter_container(m, 'a', "s"));
        check(sd_bus_message_read(m, "s", &selector));
        if (scenario_is("stepless"))
                return sd_bus_reply_method_return(m, "baa{sv}", 1, 0);
        if (strcmp(selector, "0000:01:00.0") == 0)
                return sd_bus_reply_method_return(
                                m, "baa{sv}", 0, 2,
                                4, "action", "s", "rebind", "device", "s", selector, "driver", "s", "nvme",
                                "target", "s", "vfio-pci",
                                6, "action", "s", "blocked", "device", "s", selector, "driver", "s", "nvme",
                                "reason", "s", "HostInUse", "text", "s", "/dev/nvme0n1 is mounted at /",
                                "use", "s", "disk");

        /* facts have keys that nobody here knows, and values of types that nobody knows yet */
        if (strcmp(selector, "0000:02:00.1") == 0)
                return sd_bus_reply_method_return(
                                m, "baa{sv}", 1, 1,
                                9, "action", "s", "fact", "topic", "s", "memory", "grade", "s", "note",
                                "text", "s", "It may fail", "ram", "t", UINT64_MAX,
                                "accounting", "s", "process", "known", "b", 1, "group", "u", UINT32_MAX,
                                "window", "(tt)", UINT64_C(1), UINT64_C(2));

        return sd_bus_reply_method_return(
                        m, "baa{sv}", 1, 1,
                        3, "action", "s", "open", "device", "s", selector, "driver", "s", "vfio-pci");
}
