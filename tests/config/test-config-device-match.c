/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "config/device-match.h"

#define KEY(name) (1U << DEVICE_KEY_##name)
#define ADDRESS(s) { .keys = KEY(ADDRESS), .address = (s) }
#define IDS(v, d) { .keys = KEY(VENDOR) | KEY(DEVICE), .vendor = (v), .device = (d) }
#define CLASS(c, mask) { .keys = KEY(CLASS), .class = (c), .class_mask = (mask) }

static void test_good(void) {
        static const struct {
                const char *s;
                DeviceMatch match;
        } cases[] = {
                { "any", { .any = true } },
                { "0000:01:00.0", ADDRESS("0000:01:00.0") },
                { "01:00.0", ADDRESS("0000:01:00.0") },
                { "ABCD:EF:00.7", ADDRESS("abcd:ef:00.7") },
                { "10000:e1:00.0", ADDRESS("10000:e1:00.0") },
                { "8086:10d3", IDS(0x8086, 0x10d3) },
                { "8086:10D3", IDS(0x8086, 0x10d3) },
                { "class:01", CLASS(0x010000, 0xff0000) },
                { "class:0108", CLASS(0x010800, 0xffff00) },
                { "class:010802", CLASS(0x010802, 0xffffff) },
                { "class:FF", CLASS(0xff0000, 0xff0000) },
                { "class:000000", CLASS(0, 0xffffff) },
                { "group:12", { .keys = KEY(IOMMU_GROUP), .group = 12 } },
                { "pf=01:00.0,vf=3", { .keys = KEY(PF) | KEY(VF), .pf = "0000:01:00.0", .vf = 3 } },
                { "serial=A-1", { .keys = KEY(SERIAL), .serial = "A-1" } },
                { "tag:lab", { .keys = KEY(TAG), .tag = "lab" } },
                { "gpu0", { .keys = KEY(NAME), .name = "gpu0" } },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const DeviceMatch *expected = &cases[i].match;
                DeviceMatch match;

                assert(device_match_parse(cases[i].s, &match) == 0);
                assert(match.any == expected->any && match.keys == expected->keys);
                assert(strcmp(match.address, expected->address) == 0);
                assert(strcmp(match.pf, expected->pf) == 0 && match.vf == expected->vf);
                assert(strcmp(match.serial, expected->serial) == 0);
                assert(strcmp(match.name, expected->name) == 0 && strcmp(match.tag, expected->tag) == 0);
                assert(match.vendor == expected->vendor && match.device == expected->device);
                assert(match.class == expected->class && match.class_mask == expected->class_mask);
                assert(match.group == expected->group);
        }
}

static void test_bad(void) {
        static const char *const cases[] = {
                "",
                "any ",
                "*",
                "8086:*",
                "8086",
                "class:",
                "class:1",
                "class:010",
                "class:01080",
                "class:0108020",
                "class:01080200",
                "class:0x01",
                "class:zz",
                "class: 01",
                "class:01 ",
                "CLASS:01",
                "0000:01:00.8",
                "0000:01:00",
                "0000:01:00.0 ",
                "gpu 0",
                "0gpu",
                "fe200000.dma",
                "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
                "a3b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
                "/dev/vfio/devices/vfio0",
                "group:",
                "group:x",
                "pf=01:00.0",
                "serial=",
                "tag:",
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                DeviceMatch match = { .keys = 77, .name = "untouched" };

                assert(device_match_parse(cases[i], &match) == -EINVAL);
                assert(match.keys == 77 && strcmp(match.name, "untouched") == 0);
        }
}

int main(void) {
        test_good();
        test_bad();
        return 0;
}
