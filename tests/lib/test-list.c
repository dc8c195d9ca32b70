/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "harness.h"

#define _cleanup_client_ _cleanup_(iommud_client_freep)

/* What is known, and what nothing is known of. */
static void test_features(const iommud_hw_info *info, const iommud_hw_info *nothing) {
        uint64_t first = 7, last = 7;
        uint32_t n = 7, type = 7;
        bool there = true;
        size_t size = 7;

        assert(strcmp(iommud_hw_info_driver(info), "intel-vtd") == 0);
        assert(strcmp(iommud_hw_info_iommu(info), "") == 0);
        assert(iommud_hw_info_has(info, "viommu", &there) == 0 && !there);
        assert(iommud_hw_info_has(info, "nesting", &there) == 0 && there);
        assert(iommud_hw_info_has(info, "coffee", &there) == 0 && there);
        assert(iommud_hw_info_has(info, "dirty_tracking", &there) == -ENODATA);
        assert(iommud_hw_info_has(info, NULL, &there) == -EINVAL);
        assert(iommud_hw_info_pasids(info, &n) == 0 && n == 1023);
        assert(iommud_hw_info_aperture(info, &first, &last) == 0);
        assert(first == 0 && last == UINT64_C(0xffffffffffff));
        assert(iommud_hw_info_page_size(info) == 4096);
        assert(iommud_hw_info_page_sizes(info) == 0x40201000);
        assert(!iommud_hw_info_data(info, &type, &size) && type == 0 && size == 0);

        assert(nothing);
        assert(strcmp(iommud_hw_info_driver(nothing), "") == 0);
        assert(iommud_hw_info_has(nothing, "nesting", &there) == -ENODATA && there);
        assert(iommud_hw_info_pasids(nothing, &n) == -ENODATA && n == 1023);
        assert(iommud_hw_info_aperture(nothing, &first, &last) == -ENODATA);
        assert(iommud_hw_info_page_size(nothing) == 0);
        assert(iommud_hw_info_page_sizes(nothing) == 0);
        assert(iommud_hw_info_has(NULL, "nesting", &there) == -ENODATA);
}

static void test_devices(const char *scenario) {
        _cleanup_(iommud_devices_freep) iommud_device **devices = NULL;
        _cleanup_client_ iommud_client *client = client_of(scenario);
        const iommud_device *d;

        assert(iommud_list_devices(client, &devices) == 0);
        assert(devices[0] && devices[1] && devices[2] && !devices[3]);

        d = devices[1];
        assert(strcmp(iommud_device_name(d), "0000:02:00.0") == 0);
        assert(strcmp(iommud_device_subsystem(d), "pci") == 0);
        assert(iommud_device_vendor(d) == 0x8086);
        assert(iommud_device_device_id(d) == 0x10d3);
        assert(iommud_device_subsystem_vendor(d) == 0x1af4);
        assert(iommud_device_subsystem_device(d) == 0x1100);
        assert(iommud_device_class(d) == 0x020000);
        assert(strcmp(iommud_device_serial(d), "S1?[2J") == 0);
        assert(strcmp(iommud_device_driver(d), "vfio-pci") == 0);
        assert(strcmp(iommud_device_driver_override(d), "") == 0);
        assert(strcmp(iommud_device_original_driver(d), "e1000e") == 0);
        assert(strcmp(iommud_device_cdev(d), "vfio0") == 0);
        assert(strcmp(iommud_device_iommu(d), "dmar0") == 0);
        assert(strcmp(iommud_device_physical_function(d), "") == 0);
        assert(strcmp(iommud_device_reset_methods(d)[0], "flr") == 0);
        assert(strcmp(iommud_device_reset_methods(d)[1], "bus") == 0);
        assert(!iommud_device_reset_methods(d)[2]);
        assert(strcmp(iommud_device_tags(d)[0], "lab") == 0 && !iommud_device_tags(d)[1]);
        assert(strcmp(iommud_device_stable_name(d), "") == 0);
        assert(iommud_device_numa_node(d) == -1);
        assert(iommud_device_group(d) == 13);
        assert(iommud_device_lease(d) == 7);
        assert(strcmp(iommud_device_quarantine(d), "") == 0);
        assert(strcmp(iommud_device_quarantine(devices[0]), "it can't be reset?") == 0);
        assert(iommud_device_lease(devices[0]) == 0);
        test_features(iommud_device_hw_info(d), iommud_device_hw_info(devices[0]));
}

static void test_groups(void) {
        _cleanup_(iommud_groups_freep) iommud_group **groups = NULL;
        _cleanup_client_ iommud_client *client = client_of("ok");
        const char *device = "untouched", *driver, *kind;
        uint64_t first, last;

        assert(iommud_list_groups(client, &groups) == 0);
        assert(groups[0] && groups[1] && !groups[2]);

        assert(iommud_group_id(groups[0]) == 12);
        assert(strcmp(iommud_group_type(groups[0]), "DMA-FQ") == 0);
        assert(strcmp(iommud_group_dma_owner(groups[0]), "kernel") == 0);
        assert(!iommud_group_viable(groups[0]) && iommud_group_viable(groups[1]));
        assert(strcmp(iommud_group_devices(groups[1])[1], "0000:02:00.1") == 0);
        assert(!iommud_group_devices(groups[1])[2]);
        assert(iommud_group_lease(groups[0]) == 0 && iommud_group_lease(groups[1]) == 7);

        assert(iommud_group_blocker(groups[0], 1, &device, &driver) == -ENOENT);
        assert(strcmp(device, "untouched") == 0);
        assert(iommud_group_blocker(groups[0], 0, &device, &driver) == 0);
        assert(strcmp(device, "0000:01:00.0") == 0 && strcmp(driver, "nvme") == 0);
        assert(iommud_group_blocker(groups[0], 0, NULL, &driver) == -EINVAL);

        assert(iommud_group_reserved_region(groups[0], 0, &first, &last, &kind) == 0);
        assert(first == 0xfee00000 && last == 0xfeefffff && strcmp(kind, "msi") == 0);
        assert(iommud_group_reserved_region(groups[0], 1, &first, &last, &kind) == 0);
        assert(first == 0 && last == 0xfff && strcmp(kind, "direct") == 0);
        assert(iommud_group_reserved_region(groups[0], 2, &first, &last, &kind) == -ENOENT);
        assert(iommud_group_reserved_region(groups[1], 0, &first, &last, &kind) == -ENOENT);
        assert(iommud_group_reserved_region(groups[0], 0, &first, NULL, &kind) == -EINVAL);
}

static void test_leases(void) {
        _cleanup_(iommud_lease_infos_freep) iommud_lease_info **leases = NULL;
        _cleanup_client_ iommud_client *client = client_of("ok");
        const char *command, *unit, *cgroup;
        const uint32_t *groups;
        pid_t pid;
        size_t n;

        assert(iommud_list_leases(client, &leases) == 0);
        assert(leases[0] && leases[1] && !leases[2]);
        assert(iommud_lease_info_id(leases[0]) == 7);
        assert(iommud_lease_info_uid(leases[0]) == 1000);
        assert(iommud_lease_info_pid(leases[0]) == 4711);
        assert(strcmp(iommud_lease_info_mode(leases[0]), "vmm") == 0);
        assert(strcmp(iommud_lease_info_state(leases[1]), "stuck") == 0);
        assert(strcmp(iommud_lease_info_state_reason(leases[1]), "the reset failed") == 0);
        assert(strcmp(iommud_lease_info_devices(leases[0])[0], "0000:02:00.0") == 0);
        assert(strcmp(iommud_lease_info_companions(leases[0])[0], "0000:02:00.1") == 0);
        assert(iommud_lease_info_since(leases[0]) == UINT64_C(1700000000000000));
        assert(iommud_lease_info_until(leases[0]) == UINT64_C(1700003600000000));
        assert(iommud_lease_info_holder(leases[0], 0, &pid, &command, &unit, &cgroup) == 0);
        assert(pid == 700 && strcmp(command, "qemu?") == 0 && strcmp(unit, "vm.service") == 0);
        assert(strcmp(cgroup, "/system.slice/vm.service") == 0);
        assert(iommud_lease_info_holder(leases[1], 1, &pid, &command, &unit, &cgroup) == 0);
        assert(pid == 901 && strcmp(unit, "") == 0 && strcmp(cgroup, "") == 0);
        assert(iommud_lease_info_holder(leases[1], 2, &pid, &command, &unit, &cgroup) == -ENOENT);
        assert(iommud_lease_info_holder(leases[1], 0, &pid, NULL, &unit, &cgroup) == -EINVAL);
        assert(iommud_lease_info_holder(NULL, 0, &pid, &command, &unit, &cgroup) == -ENOENT);
        groups = iommud_lease_info_groups(leases[0], &n);
        assert(n == 1 && groups[0] == 13);
}

static void test_malformed(void) {
        static const char *const scenarios[] = {
                "wrong-signature", "wrong-type", "missing-property", "repeated-property",
                "bad-name", "bad-path",
        };

        for (size_t i = 0; i < ELEMENTSOF(scenarios); i++) {
                _cleanup_client_ iommud_client *client = client_of(scenarios[i]);
                iommud_device **devices = NULL;

                assert(iommud_list_devices(client, &devices) == -EBADMSG);
                assert(!devices);
                assert(strstr(iommud_error_text(client), "ListDevices"));

                /* What was wrong once is not wrong for ever */
                assert(iommud_reload(client) == 0);
                assert(strcmp(iommud_error_text(client), "") == 0);
        }
}

static void test_empty(void) {
        _cleanup_(iommud_devices_freep) iommud_device **devices = NULL;
        _cleanup_client_ iommud_client *client = client_of("empty");

        assert(iommud_list_devices(client, &devices) == 0);
        assert(devices && !devices[0]);
}

static void test_nothing(void) {
        size_t n = 1;

        assert(strcmp(iommud_device_name(NULL), "") == 0);
        assert(!iommud_device_reset_methods(NULL)[0]);
        assert(iommud_device_numa_node(NULL) == -1);
        assert(iommud_lease_info_uid(NULL) == (uid_t) -1);
        assert(!iommud_lease_info_groups(NULL, &n) && n == 0);
        assert(!iommud_group_viable(NULL));
        assert(!iommud_group_devices(NULL)[0]);
        iommud_devices_free(NULL);
        iommud_groups_free(NULL);
        iommud_lease_infos_free(NULL);
}

int main(void) {
        unsigned before = count_fds();

        test_devices("ok");
        test_devices("unknown-property");
        test_groups();
        test_leases();
        test_malformed();
        test_empty();
        test_nothing();
        assert(count_fds() == before);
        return EXIT_SUCCESS;
}
