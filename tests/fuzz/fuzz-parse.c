/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Strings that users write: whatever is accepted has one spelling, which is accepted again and means the
 * same.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "config/device-match.h"
#include "core/catalog.h"
#include "fuzz.h"

static void check_pci_address(const char *s) {
        char address[PCI_ADDRESS_MAX] = "", again[PCI_ADDRESS_MAX] = "";

        if (parse_pci_address(s, address) < 0) {
                assert(strcmp(address, "") == 0);
                return;
        }

        assert(strlen(address) < PCI_ADDRESS_MAX);
        assert(strspn(address, "0123456789abcdef:.") == strlen(address));
        assert(parse_pci_address(address, again) == 0);
        assert(strcmp(address, again) == 0);
}

static void check_pci_ids(const char *s) {
        uint16_t vendor, device, v, d;
        char text[16];

        if (parse_pci_ids(s, &vendor, &device) < 0)
                return;

        snprintf(text, sizeof(text), "%04x:%04x", vendor, device);
        assert(strcasecmp(text, s) == 0);
        assert(parse_pci_ids(text, &v, &d) == 0 && v == vendor && d == device);
}

static void check_numbers(const char *s) {
        uint64_t large = 0;
        uint32_t small = 0, hex = 0;
        char text[32];
        int r, q;

        r = parse_u64(s, &large);
        q = parse_u32(s, &small);
        assert(r != 0 || q == (large > UINT32_MAX ? -ERANGE : 0));
        assert(r == 0 || q == r);
        assert(q != 0 || small == large);

        if (r == 0) {
                /* But for zeros in front */
                while (*s == '0' && s[1])
                        s++;
                snprintf(text, sizeof(text), "%" PRIu64, large);
                assert(strcmp(text, s) == 0);
        }

        if (parse_hex_u32(s, &hex) == 0) {
                uint32_t again;

                snprintf(text, sizeof(text), "%#" PRIx32, hex);
                assert(parse_hex_u32(text, &again) == 0 && again == hex);
        }
}

static void check_device_match(const char *s) {
        DeviceMatch match = {};

        if (device_match_parse(s, &match) < 0) {
                assert(!match.any && match.keys == 0);
                return;
        }

        assert(match.any == (match.keys == 0));
        assert(((match.keys & 1U << DEVICE_KEY_ADDRESS) != 0) == (match.address[0] != '\0'));
        assert(((match.keys & 1U << DEVICE_KEY_NAME) != 0) == (match.name[0] != '\0'));
        assert(((match.keys & 1U << DEVICE_KEY_TAG) != 0) == (match.tag[0] != '\0'));
        assert(((match.keys & 1U << DEVICE_KEY_CLASS) != 0) == (match.class_mask != 0));
        assert((match.class & ~match.class_mask) == 0 && match.class_mask <= 0xffffff);
        assert(!match.name[0] || stable_name_is_valid(match.name));
        assert(!match.tag[0] || stable_name_is_valid(match.tag));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *s = NULL;

        s = strndup((const char *) data, size);
        assert(s);

        check_pci_address(s);
        check_pci_ids(s);
        check_numbers(s);
        check_device_match(s);
        return 0;
}
