/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a selector may look like, and which devices it names. */

#include "core/device.h"
#include "core/refusal.h"
#include "core/selector.h"
#include "fake/assert.h"

static void test_parse(void) {
        static const struct {
                const char *text;
                Selector expected;
        } table[] = {
                { "0000:01:00.0", { .kind = SELECTOR_NAME, .name = "0000:01:00.0" } },
                { "01:00.0", { .kind = SELECTOR_NAME, .name = "0000:01:00.0" } },
                { "0000:AB:1F.7", { .kind = SELECTOR_NAME, .name = "0000:ab:1f.7" } },
                { "10000:e1:00.0", { .kind = SELECTOR_NAME, .name = "10000:e1:00.0" } },
                { "8086:10d3", { .kind = SELECTOR_IDS, .vendor = 0x8086, .device = 0x10d3 } },
                { "8086:10D3", { .kind = SELECTOR_IDS, .vendor = 0x8086, .device = 0x10d3 } },
                { "group:0", { .kind = SELECTOR_GROUP, .number = 0 } },
                { "group:4294967295", { .kind = SELECTOR_GROUP, .number = UINT32_MAX } },
                { "pf=0000:01:00.0,vf=3", { .kind = SELECTOR_VF, .name = "0000:01:00.0", .number = 3 } },
                { "pf=01:00.0,vf=0", { .kind = SELECTOR_VF, .name = "0000:01:00.0", .number = 0 } },
                { "serial=S4EW-NX0", { .kind = SELECTOR_SERIAL, .name = "S4EW-NX0" } },
                { "tag:lab", { .kind = SELECTOR_TAG, .name = "lab" } },
                { "gpu0", { .kind = SELECTOR_NAME, .name = "gpu0" } },
                { "fd0c0000.dma-controller", { .kind = SELECTOR_NAME, .name = "fd0c0000.dma-controller" } },
                { "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
                  { .kind = SELECTOR_NAME, .name = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001" } },
                /* near misses are names, of devices that there are none of */
                { "0000:01:00.8", { .kind = SELECTOR_NAME, .name = "0000:01:00.8" } },
                { "8086:10d33", { .kind = SELECTOR_NAME, .name = "8086:10d33" } },
                { "pf:1", { .kind = SELECTOR_NAME, .name = "pf:1" } },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                const Selector *expected = &table[i].expected;
                Refusal refusal = {};
                Selector selector;

                if (selector_parse(table[i].text, &selector, &refusal) != 0)
                        assert_failed(__FILE__, __LINE__, table[i].text, "refused: %s", refusal.text);

                assert_eq_int(selector.kind, expected->kind);
                assert_eq_str(selector.name, expected->name);
                assert_eq_int(selector.vendor, expected->vendor);
                assert_eq_int(selector.device, expected->device);
                assert_eq_int(selector.number, expected->number);
        }
}

static void test_parse_refuses(void) {
        static const char *const table[] = {
                "",
                " ",
                " 01:00.0",
                "01:00.0 ",
                "a b",
                "a\nb",
                "a\tb",
                "../../etc/passwd",
                "a/b",
                ".hidden",
                "..",
                "na\xc3\xafve",
                "\x7f",
                "tag:",
                "tag:0",
                "tag:a b",
                "tag:any",
                "group:",
                "group:-1",
                "group:+1",
                "group: 1",
                "group:0x1",
                "group:1 ",
                "group:4294967296",
                "pf=",
                "pf=,vf=0",
                "pf=0000:01:00.0",
                "pf=0000:01:00.0,vf=",
                "pf=0000:01:00.0,vf=-1",
                "pf=0000:01:00.0,vf=1,vf=2",
                "pf=0000:01:00.0,VF=1",
                "pf=eth0,vf=1",
                "pf=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,vf=1",
                "serial=",
                "serial=a b",
                "serial=/",
                /* one more than a name may have */
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "serial=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Selector selector = { .number = 77 };
                Refusal refusal = {};

                if (selector_parse(table[i], &selector, &refusal) != OUTCOME_INVALID_SELECTOR)
                        assert_failed(__FILE__, __LINE__, "selector_parse", "\"%s\" was taken", table[i]);
                assert_eq_int(refusal.outcome, OUTCOME_INVALID_SELECTOR);
                assert(refusal.text[0]);
                assert_eq_int(selector.number, 77);              /* untouched on failure */
        }
}

static DeviceFacts facts(const char *subsystem, const char *name) {
        DeviceFacts device = DEVICE_FACTS_INIT;

        strcpy(device.subsystem, subsystem);
        strcpy(device.name, name);
        strcpy(device.physfn, "0000:01:00.0");
        strcpy(device.serial, "S4EW");
        device.group = 12;
        device.vendor = 0x8086;
        device.device = 0x10d3;
        device.vf_index = 3;
        return device;
}

static void test_matches(void) {
        enum { DEVICE, PLATFORM, BRIDGE, ORPHAN, _MAX };
        DeviceFacts devices[_MAX] = {
                [DEVICE] = facts("pci", "0000:01:00.4"),
                [PLATFORM] = facts("platform", "fd0c0000.dma"),
                [BRIDGE] = facts("pci", "0000:00:1c.0"),
                [ORPHAN] = DEVICE_FACTS_INIT,
        };
        static const struct {
                const char *text;
                bool expected[_MAX];
        } table[] = {
                { "01:00.4", { [DEVICE] = true } },
                { "fd0c0000.dma", { [PLATFORM] = true } },
                { "8086:10d3", { [DEVICE] = true } },                 /* ids are PCI's alone */
                { "8086:10d4", {} },
                { "8087:10d3", {} },
                { "group:12", { [DEVICE] = true, [PLATFORM] = true } },
                { "group:1", {} },
                { "pf=01:00.0,vf=3", { [DEVICE] = true, [PLATFORM] = true } },
                { "pf=01:00.0,vf=2", {} },
                { "pf=01:00.1,vf=3", {} },
                { "serial=S4EW", { [DEVICE] = true, [PLATFORM] = true } },
                { "serial=S4E", {} },
                { "serial=s4ew", {} },
                { "00:1c.0", { [BRIDGE] = true } },                   /* by its own address only */
                { "pf=00:00.0,vf=4294967295", {} },                   /* -1 is no index */
        };

        devices[BRIDGE].bridge = true;
        strcpy(devices[ORPHAN].name, "orphan");

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Selector selector;
                Refusal refusal;

                assert_eq_int(selector_parse(table[i].text, &selector, &refusal), 0);
                for (size_t j = 0; j < _MAX; j++)
                        if (selector_matches(&selector, &devices[j], NULL) != table[i].expected[j])
                                assert_failed(__FILE__, __LINE__, table[i].text, "%s %s", devices[j].name,
                                              table[i].expected[j] ? "was not matched" : "was matched");
        }
}

int main(void) {
        test_parse();
        test_parse_refuses();
        test_matches();
        return 0;
}
