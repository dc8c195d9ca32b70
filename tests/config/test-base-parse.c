/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/parse.h"

typedef struct NumberCase {
        const char *s;
        int r;
        uint64_t value;
} NumberCase;

#define UNTOUCHED 0x5a5a5a5aU

static void test_parse_u64(void) {
        static const NumberCase cases[] = {
                { "0", 0, 0 },
                { "7", 0, 7 },
                { "0010", 0, 10 },
                { "18446744073709551615", 0, UINT64_MAX },
                { "18446744073709551616", -ERANGE },
                { "99999999999999999999999", -ERANGE },
                { "", -EINVAL },
                { "-1", -EINVAL },
                { "+1", -EINVAL },
                { " 1", -EINVAL },
                { "1 ", -EINVAL },
                { "1\n", -EINVAL },
                { "0x10", -EINVAL },
                { "1e3", -EINVAL },
                { "\xd9\xa1", -EINVAL },     /* an Arabic one */
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t value = UNTOUCHED;

                assert(parse_u64(cases[i].s, &value) == cases[i].r);
                assert(value == (cases[i].r == 0 ? cases[i].value : UNTOUCHED));
        }
}

static void test_parse_u32(void) {
        static const NumberCase cases[] = {
                { "0", 0, 0 },
                { "4294967295", 0, UINT32_MAX },
                { "4294967296", -ERANGE },
                { "18446744073709551616", -ERANGE },
                { "", -EINVAL },
                { "12a", -EINVAL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint32_t value = UNTOUCHED;

                assert(parse_u32(cases[i].s, &value) == cases[i].r);
                assert(value == (cases[i].r == 0 ? cases[i].value : UNTOUCHED));
        }
}

static void test_parse_hex(void) {
        static const NumberCase cases[] = {
                { "0", 0, 0 },
                { "0x8086", 0, 0x8086 },
                { "0X8086", 0, 0x8086 },
                { "8086", 0, 0x8086 },
                { "aBcDeF", 0, 0xabcdef },
                { "ffffffff", 0, UINT32_MAX },
                { "0xffffffff", 0, UINT32_MAX },
                { "100000000", -ERANGE },
                { "", -EINVAL },
                { "0x", -EINVAL },
                { "x1", -EINVAL },
                { "0x0x1", -EINVAL },
                { "g", -EINVAL },
                { "1 ", -EINVAL },
                { "-1", -EINVAL },
        };
        static const NumberCase long_cases[] = {
                { "0x100000000", 0, UINT64_C(0x100000000) },
                { "ffffFFFFffffFFFF", 0, UINT64_MAX },
                { "0x0000000000000000f", -ERANGE },
                { "0x", -EINVAL },
                { "0x1 ", -EINVAL },
                { "", -EINVAL },
        };
        uint64_t long_value = UNTOUCHED;
        uint32_t value = UNTOUCHED;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                value = UNTOUCHED;
                assert(parse_hex_u32(cases[i].s, &value) == cases[i].r);
                assert(value == (cases[i].r == 0 ? cases[i].value : UNTOUCHED));
        }

        for (size_t i = 0; i < ELEMENTSOF(long_cases); i++) {
                long_value = UNTOUCHED;
                assert(parse_hex_u64(long_cases[i].s, &long_value) == long_cases[i].r);
                assert(long_value == (long_cases[i].r == 0 ? long_cases[i].value : UNTOUCHED));
        }

        assert(parse_hex_digits("12345", 4, &value) == 0 && value == 0x1234);
        assert(parse_hex_digits("ffffffff", 8, &value) == 0 && value == UINT32_MAX);

        value = UNTOUCHED;
        assert(parse_hex_digits("123", 4, &value) == -EINVAL && value == UNTOUCHED);
        assert(parse_hex_digits("", 1, &value) == -EINVAL && value == UNTOUCHED);
        assert(parse_hex_digits("12g4", 4, &value) == -EINVAL && value == UNTOUCHED);
}

static void test_parse_pci_address(void) {
        static const struct {
                const char *s;
                const char *canonical;       /* NULL: it is none */
        } cases[] = {
                { "0000:01:00.0", "0000:01:00.0" },
                { "01:00.0", "0000:01:00.0" },
                { "ABCD:EF:1F.7", "abcd:ef:1f.7" },
                { "10000:e1:00.0", "10000:e1:00.0" },
                { "00010000:e1:00.0", "10000:e1:00.0" },
                { "ffffffff:ff:1f.7", "ffffffff:ff:1f.7" },
                { "00000001:00:00.0", "0001:00:00.0" },
                { "" },
                { ":" },
                { "::" },
                { "." },
                { "000:01:00.0" }, /* a domain has four digits at least */
                { "123456789:01:00.0" }, /* and eight at most */
                { "0000:01:20.0" },
                { "0000:01:ff.0" },
                { "0000:01:00.8" },
                { "0000:01:00.a" },
                { "0000:1:00.0" },
                { "0000:01:0.0" },
                { "0000:01:00." },
                { "0000:01:00" },
                { "0000:01:00.00" },
                { "0000:01:00.0 " },
                { " 0000:01:00.0" },
                { "0000:01:00.0\n" },
                { "0000:01:00:0" },
                { "0000.01:00.0" },
                { "0x00:01:00.0" },
                { "gggg:01:00.0" },
                { "0000:g1:00.0" },
                { "0000:01:0g.0" },
                { ":01:00.0" },
                { "0000:0000:01:00.0" },
                { "../0000:01:00.0" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char address[PCI_ADDRESS_MAX] = "untouched", again[PCI_ADDRESS_MAX];

                if (cases[i].canonical) {
                        assert(parse_pci_address(cases[i].s, address) == 0);
                        assert(strcmp(address, cases[i].canonical) == 0);
                        assert(parse_pci_address(address, again) == 0);
                        assert(strcmp(address, again) == 0);
                } else {
                        assert(parse_pci_address(cases[i].s, address) == -EINVAL);
                        assert(strcmp(address, "untouched") == 0);
                }
        }
}

static void test_parse_pci_ids(void) {
        static const char *const bad[] = {
                "",           ":",         "8086",      "8086:",     ":10d3",      "8086:10d",  "808:10d3f",
                "8086:10d3 ", "8086-10d3", "8086:10g3", "g086:10d3", "8086:10d3:", "0x8086:10", "8086:*",
        };
        uint16_t vendor = 1, device = 2;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert(parse_pci_ids(bad[i], &vendor, &device) == -EINVAL && vendor == 1 && device == 2);

        assert(parse_pci_ids("8086:10d3", &vendor, &device) == 0 && vendor == 0x8086 && device == 0x10d3);
        assert(parse_pci_ids("FFFF:ffff", &vendor, &device) == 0 && vendor == 0xffff && device == 0xffff);
        assert(parse_pci_ids("0000:0000", &vendor, &device) == 0 && vendor == 0 && device == 0);
}

static void test_copy_string(void) {
        char buffer[4] = "old";

        assert(copy_string(buffer, sizeof(buffer), "abc") == 0 && strcmp(buffer, "abc") == 0);
        assert(copy_string(buffer, sizeof(buffer), "") == 0 && strcmp(buffer, "") == 0);
        assert(copy_string(buffer, sizeof(buffer), "abcd") == -E2BIG && strcmp(buffer, "") == 0);
        assert(copy_string(buffer, 1, "") == 0);
        assert(copy_string(buffer, 1, "a") == -E2BIG);
}

int main(void) {
        test_parse_u64();
        test_parse_u32();
        test_parse_hex();
        test_parse_pci_address();
        test_parse_pci_ids();
        test_copy_string();
        return 0;
}
