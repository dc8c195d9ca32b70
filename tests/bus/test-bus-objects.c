/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The objects: what their properties say, and that the lists, GetAll and Get all say the same. */

#include "bus-rig.h"
#include "core/policy.h"
#include "fake/assert.h"
#include "message-text.h"
#include "names.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"

/* Two entries of the administrator's that are about one device. */
static void give_names(BusRig *rig) {
        Catalog *catalog = &rig->scene->manager->policy->catalog;
        CatalogEntry *entry;

        assert_ok(catalog_append(catalog, &entry));
        strcpy(entry->name, "disk0");
        entry->match = (DeviceMatch) { .keys = 1U << DEVICE_KEY_SERIAL, .serial = "S4EW" };
        assert_ok(catalog_entry_add_tag(entry, "lab"));

        assert_ok(catalog_append(catalog, &entry));
        entry->match = (DeviceMatch) { .keys = 1U << DEVICE_KEY_ADDRESS, .address = "0000:01:00.0" };
        assert_ok(catalog_entry_add_tag(entry, "lab"));
        assert_ok(catalog_entry_add_tag(entry, "fast"));
}

static BusRig *rig_with_everything(void) {
        BusRig *rig = bus_rig_new();
        DeviceFacts *facts;
        Group *group;

        scene_add(rig->scene, "0000:01:00.0", 12, "nvme");
        facts = scene_facts(rig->scene, "0000:01:00.0");
        strcpy(facts->serial, "S4EW");
        strcpy(facts->driver_override, "nvme");
        strcpy(fake_kernel_find(rig->scene->kernel, "0000:01:00.0")->override, "nvme");
        strcpy(facts->physfn, "0000:01:00.7");
        facts->subsystem_vendor = 0x1028;
        facts->subsystem_device = 0x2000;
        facts->numa_node = 1;
        group = manager_find_group(rig->scene->manager, 12);
        group->facts.n_regions = 2;
        group->facts.regions[0] = (ReservedRegion) { 0xfee00000, 0xfeefffff, "msi" };
        group->facts.regions[1] = (ReservedRegion) { 0, UINT64_MAX, "reserved" };

        scene_add(rig->scene, "0000:01:00.1", 12, "nvme");
        scene_add(rig->scene, "0000:00:1c.0", 3, "pcieport");
        scene_facts(rig->scene, "0000:00:1c.0")->reset_methods[0] = '\0';
        scene_add(rig->scene, "0000:02:00.0", 20, "vfio-pci");
        strcpy(scene_facts(rig->scene, "0000:02:00.0")->cdev, "vfio3");
        give_names(rig);
        bus_rig_commit(rig);
        return rig;
}

static char *get(BusRig *rig, const char *path, const char *interface, const char *name) {
        _cleanup_message_ sd_bus_message *reply = NULL;

        reply = bus_rig_call(rig, path, PROPERTIES, "Get", "ss", interface, name);
        assert_reply(reply, "v");
        return message_text(reply);
}

static char *get_all(BusRig *rig, const char *path, const char *interface) {
        _cleanup_message_ sd_bus_message *reply = NULL;

        reply = bus_rig_call(rig, path, PROPERTIES, "GetAll", "s", interface);
        assert_reply(reply, "a{sv}");
        return message_text(reply);
}

typedef struct Expected {
        const char *name, *value;
} Expected;

static void assert_properties(BusRig *rig, const char *path, const char *interface, const Expected *expected,
                              size_t n) {
        _cleanup_free_ char *all = get_all(rig, path, interface);
        size_t length = 2;

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *value = get(rig, path, interface, expected[i].name);

                assert_eq_str(value, expected[i].value);
                assert_has(all, expected[i].name);
                assert_has(all, expected[i].value);
                length += strlen(expected[i].name) + strlen(expected[i].value) + 4 + (i > 0 ? 2 : 0);
        }

        assert_eq_int(strlen(all), length);  /* and there is nothing more */
}

static void test_device(void) {
        static const Expected expected[] = {
                { "Name", "<s \"0000:01:00.0\">" },
                { "Subsystem", "<s \"pci\">" },
                { "Vendor", "<q 32902>" },
                { "DeviceId", "<q 4307>" },
                { "SubsystemVendor", "<q 4136>" },
                { "SubsystemDevice", "<q 8192>" },
                { "Class", "<u 67586>" },
                { "Serial", "<s \"S4EW\">" },
                { "Driver", "<s \"vfio-pci\">" },
                { "DriverOverride", "<s \"vfio-pci\">" },
                { "OriginalDriver", "<s \"nvme\">" },
                { "Group", "<o \"/org/iommud1/group/12\">" },
                { "Lease", "<o \"/org/iommud1/lease/1\">" },
                { "Cdev", "<s \"\">" },
                { "NumaNode", "<i 1>" },
                { "StableName", "<s \"disk0\">" },
                { "Tags", "<as [\"lab\", \"fast\"]>" },
                { "ResetMethods", "<as [\"flr\", \"bus\"]>" },
                { "Iommu", "<s \"dmar0\">" },
                { "IommuFeatures", "<a{sv} {}>" },
                { "PhysicalFunction", "<s \"0000:01:00.7\">" },
                { "Quarantine", "<s \"\">" },
        };
        _cleanup_free_ char *none = NULL, *unknown = NULL, *lease = NULL, *cdev = NULL;
        _cleanup_rig_ BusRig *rig = rig_with_everything();

        scene_grant(rig->scene, &ALICE, "01:00.0");
        assert_properties(rig, "/org/iommud1/device/_30000_3a01_3a00_2e0", IOMMUD_INTERFACE_DEVICE, expected,
                          ELEMENTSOF(expected));

        /* what is not known, or not there */
        none = get(rig, "/org/iommud1/device/_30000_3a00_3a1c_2e0", IOMMUD_INTERFACE_DEVICE, "ResetMethods");
        assert_eq_str(none, "<as []>");
        unknown = get(rig, "/org/iommud1/device/_30000_3a00_3a1c_2e0", IOMMUD_INTERFACE_DEVICE, "NumaNode");
        assert_eq_str(unknown, "<i -1>");
        lease = get(rig, "/org/iommud1/device/_30000_3a00_3a1c_2e0", IOMMUD_INTERFACE_DEVICE, "Lease");
        assert_eq_str(lease, "<o \"/\">");
        cdev = get(rig, "/org/iommud1/device/_30000_3a02_3a00_2e0", IOMMUD_INTERFACE_DEVICE, "Cdev");
        assert_eq_str(cdev, "<s \"vfio3\">");
}

static void test_group(void) {
        static const Expected expected[] = {
                { "Id", "<u 12>" },
                { "Type", "<s \"DMA-FQ\">" },
                { "DmaOwner", "<s \"kernel\">" },
                { "Viable", "<b false>" },
                { "Blockers", "<a(ss) [(\"0000:01:00.0\", \"nvme\"), (\"0000:01:00.1\", \"nvme\")]>" },
                { "Devices", "<ao [\"/org/iommud1/device/_30000_3a01_3a00_2e0\", "
                             "\"/org/iommud1/device/_30000_3a01_3a00_2e1\"]>" },
                { "Lease", "<o \"/\">" },
                { "Claim", "<s \"none\">" },
                { "ClaimPersistent", "<b false>" },
                { "ClaimReason", "<s \"\">" },
                { "ReservedRegions", "<a(tts) [(4276092928, 4277141503, \"msi\"), "
                                     "(0, 18446744073709551615, \"reserved\")]>" },
        };
        static const Expected leased[] = {
                { "Id", "<u 20>" },
                { "Type", "<s \"DMA-FQ\">" },
                { "DmaOwner", "<s \"leased\">" },
                { "Viable", "<b true>" },
                { "Blockers", "<a(ss) []>" },
                { "Devices", "<ao [\"/org/iommud1/device/_30000_3a02_3a00_2e0\"]>" },
                { "Lease", "<o \"/org/iommud1/lease/1\">" },
                { "Claim", "<s \"none\">" },
                { "ClaimPersistent", "<b false>" },
                { "ClaimReason", "<s \"\">" },
                { "ReservedRegions", "<a(tts) []>" },
        };
        _cleanup_rig_ BusRig *rig = rig_with_everything();

        assert_properties(rig, "/org/iommud1/group/12", IOMMUD_INTERFACE_GROUP, expected,
                          ELEMENTSOF(expected));
        scene_grant(rig->scene, &ALICE, "02:00.0");
        assert_properties(rig, "/org/iommud1/group/20", IOMMUD_INTERFACE_GROUP, leased, ELEMENTSOF(leased));
}

static void test_lease(void) {
        static const Expected expected[] = {
                { "Id", "<t 1>" },
                { "Uid", "<u 1000>" },
                { "Pid", "<u 4711>" },
                { "Mode", "<s \"vmm\">" },
                { "State", "<s \"active\">" },
                { "StateReason", "<s \"\">" },
                { "Devices", "<as [\"0000:02:00.0\", \"0000:01:00.1\"]>" },
                { "Companions", "<as [\"0000:01:00.0\"]>" },
                { "Groups", "<au [20, 12]>" },
                { "Revoked", "<b false>" },
                { "Since", "<t 1700000000000000>" },
                { "Until", "<t 0>" },
                { "Holders", "<a(usss) []>" },
        };
        _cleanup_rig_ BusRig *rig = rig_with_everything();

        scene_grant(rig->scene, &ALICE, "02:00.0", "01:00.1");
        assert_properties(rig, "/org/iommud1/lease/1", IOMMUD_INTERFACE_LEASE, expected,
                          ELEMENTSOF(expected));
}

static void test_manager(void) {
        static const Expected expected[] = {
                { "Version", "<s \"" IOMMUD_VERSION "\">" },
                { "Features", "<as [\"iommufd\", \"mode:vmm\"]>" },
        };
        _cleanup_rig_ BusRig *rig = bus_rig_new();

        assert_properties(rig, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, expected, ELEMENTSOF(expected));
}

/* Each object of a list, with its path, is what that object says of itself. */
static unsigned assert_list(BusRig *rig, const char *member, const char *interface) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        unsigned n = 0;

        reply = bus_rig_call(rig, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, member, NULL);
        assert_reply(reply, "a(oa{sv})");
        assert_ok(sd_bus_message_enter_container(reply, 'a', "(oa{sv})"));
        while (assert_ok(sd_bus_message_enter_container(reply, 'r', "oa{sv}")) > 0) {
                _cleanup_free_ char *listed = NULL, *own = NULL;
                const char *path;

                assert_ok(sd_bus_message_read(reply, "o", &path));
                listed = message_text(reply);
                own = get_all(rig, path, interface);
                assert_eq_str(listed, own);
                assert_ok(sd_bus_message_exit_container(reply));
                n++;
        }

        return n;
}

static void test_lists(void) {
        _cleanup_rig_ BusRig *rig = rig_with_everything();

        assert_eq_int(assert_list(rig, "ListLeases", IOMMUD_INTERFACE_LEASE), 0);
        scene_grant(rig->scene, &ALICE, "01:00.1");
        assert_eq_int(scene_acquire(rig->scene, &BOB, "02:00.0"), OUTCOME_GRANTED);
        assert_eq_int(assert_list(rig, "ListDevices", IOMMUD_INTERFACE_DEVICE), 4);
        assert_eq_int(assert_list(rig, "ListGroups", IOMMUD_INTERFACE_GROUP), 3);
        assert_eq_int(assert_list(rig, "ListLeases", IOMMUD_INTERFACE_LEASE), 2);
}

static void test_find(void) {
        static const struct {
                const char *selector, *expected;
        } table[] = {
                { "01:00.0", "[\"/org/iommud1/device/_30000_3a01_3a00_2e0\"]" },
                { "serial=S4EW", "[\"/org/iommud1/device/_30000_3a01_3a00_2e0\"]" },
                { "group:12", "[\"/org/iommud1/device/_30000_3a01_3a00_2e0\", "
                              "\"/org/iommud1/device/_30000_3a01_3a00_2e1\"]" },
        };
        _cleanup_rig_ BusRig *rig = rig_with_everything();

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_message_ sd_bus_message *reply = NULL;
                _cleanup_free_ char *text = NULL;

                reply = bus_rig_call(rig, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "Find", "s",
                                     table[i].selector);
                assert_reply(reply, "ao");
                text = message_text(reply);
                assert_eq_str(text, table[i].expected);
        }
}

/* ObjectManager and introspection know the same objects as the lists. */
static void test_managed_objects(void) {
        static const char *const paths[] = {
                "/org/iommud1/device/_30000_3a00_3a1c_2e0",
                "/org/iommud1/device/_30000_3a01_3a00_2e0",
                "/org/iommud1/device/_30000_3a01_3a00_2e1",
                "/org/iommud1/device/_30000_3a02_3a00_2e0",
                "/org/iommud1/group/3",
                "/org/iommud1/group/12",
                "/org/iommud1/group/20",
                "/org/iommud1/lease/1",
        };
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_rig_ BusRig *rig = rig_with_everything();
        _cleanup_free_ char *text = NULL;

        scene_grant(rig->scene, &ALICE, "02:00.0");
        reply = bus_rig_call(rig, IOMMUD_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
                             NULL);
        assert_reply(reply, "a{oa{sa{sv}}}");
        text = message_text(reply);

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                const char *interface = strstr(paths[i], "/device/") ? IOMMUD_INTERFACE_DEVICE :
                                        strstr(paths[i], "/group/")  ? IOMMUD_INTERFACE_GROUP :
                                                                       IOMMUD_INTERFACE_LEASE;
                _cleanup_free_ char *own = get_all(rig, paths[i], interface);

                assert_has(text, paths[i]);
                assert_has(text, own);
        }
}

/* A path is an object's or it is nobody's. */
static void test_no_objects(void) {
        static const char *const paths[] = {
                "/org/iommud1/device",
                "/org/iommud1/device/_30000_3a01_3a00_2e7",
                "/org/iommud1/device/nothing",
                "/org/iommud1/device/_",
                "/org/iommud1/device/_30000_3a01_3a00_2e0/x",
                "/org/iommud1/device/_30000_3a01_3a00_2e_30",   /* the same name in other letters */
                "/org/iommud1/group/1",
                "/org/iommud1/group/012",
                "/org/iommud1/group/4294967308",
                "/org/iommud1/group/_12",
                "/org/iommud1/group/12/3",
                "/org/iommud1/groups",
                "/org/iommud1/lease/2",
                "/org/iommud1/lease/01",
                "/org/iommud1/lease/18446744073709551617",
                "/org/iommud1/lease/_31",
                "/",
                "/org",
        };
        static const char *const interfaces[] = {
                IOMMUD_INTERFACE_DEVICE,
                IOMMUD_INTERFACE_GROUP,
                IOMMUD_INTERFACE_LEASE,
        };
        _cleanup_rig_ BusRig *rig = rig_with_everything();

        scene_grant(rig->scene, &ALICE, "02:00.0");
        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                for (size_t j = 0; j < ELEMENTSOF(interfaces); j++) {
                        _cleanup_message_ sd_bus_message *reply = NULL;

                        reply = bus_rig_call(rig, paths[i], PROPERTIES, "GetAll", "s", interfaces[j]);
                        if (!sd_bus_message_is_method_error(reply, NULL))
                                assert_failed(__FILE__, __LINE__, paths[i], "there is %s", interfaces[j]);
                }
}

int main(void) {
        test_device();
        test_group();
        test_lease();
        test_manager();
        test_lists();
        test_find();
        test_managed_objects();
        test_no_objects();
        return 0;
}
