/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/parse.h"
#include "config/device-match.h"

#define CLASS_PREFIX "class:"
#define CLASS_DIGITS 6U

static_assert(PCI_ADDRESS_MAX <= KERNEL_NAME_MAX, "every PCI address is a name of the kernel's");

/* Base class; base class and subclass; or these and the programming interface: each of two digits. */
static int parse_class(const char *digits, DeviceMatch *ret) {
        size_t n = strlen(digits);
        uint32_t class;
        unsigned shift;
        int r;

        if (n == 0 || n > CLASS_DIGITS || n % 2 != 0)
                return -EINVAL;

        r = parse_hex_digits(digits, (unsigned) n, &class);
        if (r < 0)
                return r;

        shift = 4 * (CLASS_DIGITS - (unsigned) n);
        *ret = (DeviceMatch) {
                .kind = DEVICE_MATCH_CLASS,
                .class = class << shift,
                .class_mask = 0xffffff >> shift << shift,
        };
        return 0;
}

int device_match_parse(const char *s, DeviceMatch *ret) {
        DeviceMatch match = {};

        if (strcmp(s, "any") == 0)
                match.kind = DEVICE_MATCH_ANY;
        else if (strncmp(s, CLASS_PREFIX, strlen(CLASS_PREFIX)) == 0)
                return parse_class(s + strlen(CLASS_PREFIX), ret);
        else if (parse_pci_ids(s, &match.vendor, &match.device) == 0)
                match.kind = DEVICE_MATCH_IDS;
        else if (parse_pci_address(s, match.name) == 0)
                match.kind = DEVICE_MATCH_NAME;
        else
                return -EINVAL;

        *ret = match;
        return 0;
}
