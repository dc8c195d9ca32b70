/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/parse.h"

int parse_u64(const char *s, uint64_t *ret) {
        uint64_t value = 0;

        if (!*s)
                return -EINVAL;

        for (; *s; s++) {
                if (*s < '0' || *s > '9')
                        return -EINVAL;
                if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
                    __builtin_add_overflow(value, (uint64_t) (*s - '0'), &value))
                        return -ERANGE;
        }

        *ret = value;
        return 0;
}

int parse_u32(const char *s, uint32_t *ret) {
        uint64_t value;
        int r;

        r = parse_u64(s, &value);
        if (r < 0)
                return r;
        if (value > UINT32_MAX)
                return -ERANGE;

        *ret = (uint32_t) value;
        return 0;
}

static int hex_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -EINVAL;
}

int parse_hex_digits(const char *s, unsigned digits, uint32_t *ret) {
        uint32_t value = 0;

        assert(digits > 0 && digits <= 8);

        for (unsigned i = 0; i < digits; i++) {
                int digit;

                digit = hex_value(s[i]);
                if (digit < 0)
                        return -EINVAL;
                value = value << 4 | (uint32_t) digit;
        }

        *ret = value;
        return 0;
}

/* @max digits at most, with or without "0x" before them */
static int parse_hex(const char *s, size_t max, uint64_t *ret) {
        uint64_t value = 0;
        size_t n;

        if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
                s += 2;

        n = strspn(s, "0123456789abcdefABCDEF");
        if (n == 0 || s[n])
                return -EINVAL;
        if (n > max)
                return -ERANGE;

        for (; *s; s++)
                value = value << 4 | (uint64_t) hex_value(*s);

        *ret = value;
        return 0;
}

int parse_hex_u32(const char *s, uint32_t *ret) {
        uint64_t value;
        int r;

        r = parse_hex(s, 8, &value);
        if (r < 0)
                return r;

        *ret = (uint32_t) value;
        return 0;
}

int parse_hex_u64(const char *s, uint64_t *ret) {
        return parse_hex(s, 16, ret);
}

int parse_pci_address(const char *s, char *ret) {
        uint32_t domain = 0, bus, device, function;
        const char *colon, *rest = s;
        size_t n;

        colon = strchr(s, ':');
        if (!colon)
                return -EINVAL;

        if (strchr(colon + 1, ':')) {
                n = (size_t) (colon - s);
                if (n < 4 || n > 8 || parse_hex_digits(s, (unsigned) n, &domain) < 0)
                        return -EINVAL;
                rest = colon + 1;
        }

        /* BB:DD.F, nothing before and nothing after */
        if (strlen(rest) != 7 || rest[2] != ':' || rest[5] != '.')
                return -EINVAL;
        if (parse_hex_digits(rest, 2, &bus) < 0 || parse_hex_digits(rest + 3, 2, &device) < 0 ||
            parse_hex_digits(rest + 6, 1, &function) < 0)
                return -EINVAL;
        if (device > 0x1f || function > 7)
                return -EINVAL;

        snprintf(ret, PCI_ADDRESS_MAX, "%04x:%02x:%02x.%x", domain, bus, device, function);
        return 0;
}

int parse_pci_ids(const char *s, uint16_t *ret_vendor, uint16_t *ret_device) {
        uint32_t vendor, device;

        if (strlen(s) != 9 || s[4] != ':')
                return -EINVAL;
        if (parse_hex_digits(s, 4, &vendor) < 0 || parse_hex_digits(s + 5, 4, &device) < 0)
                return -EINVAL;

        *ret_vendor = (uint16_t) vendor;
        *ret_device = (uint16_t) device;
        return 0;
}

int copy_string(char *buffer, size_t size, const char *s) {
        size_t n = strlen(s);

        assert(size > 0);

        if (n >= size) {
                buffer[0] = '\0';
                return -E2BIG;
        }

        memcpy(buffer, s, n + 1);
        return 0;
}
