/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/parse.h"
#include "config/device-match.h"
#include "core/catalog.h"
#include "core/refusal.h"
#include "core/selector.h"

#define CLASS_PREFIX "class:"
#define CLASS_DIGITS 6U

#define KEY(name) (1U << DEVICE_KEY_##name)

static_assert(PCI_ADDRESS_MAX <= KERNEL_NAME_MAX, "every PCI address is a name of the kernel's");
static_assert(KERNEL_NAME_MAX == STABLE_NAME_MAX, "a selector has room for either");

/* Base class; base class and subclass; or these and the programming interface: each of two digits. */
int device_class_parse(const char *digits, DeviceMatch *match) {
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
        match->keys |= KEY(CLASS);
        match->class = class << shift;
        match->class_mask = 0xffffff >> shift << shift;
        return 0;
}

/* What clients can select devices by, rules can too; but the kernel's names only when they are addresses. */
static int match_from_selector(const char *s, DeviceMatch *match) {
        Selector selector;
        Refusal refusal;

        if (selector_parse(s, &selector, &refusal) > 0)
                return -EINVAL;

        switch (selector.kind) {

        case SELECTOR_NAME:
                if (stable_name_is_valid(s)) {
                        match->keys = KEY(NAME);
                        strcpy(match->name, selector.name);
                        return 0;
                }
                if (parse_pci_address(s, match->address) < 0)
                        return -EINVAL;
                match->keys = KEY(ADDRESS);
                return 0;

        case SELECTOR_IDS:
                match->keys = KEY(VENDOR) | KEY(DEVICE);
                match->vendor = selector.vendor;
                match->device = selector.device;
                return 0;

        case SELECTOR_GROUP:
                match->keys = KEY(IOMMU_GROUP);
                match->group = selector.number;
                return 0;

        case SELECTOR_VF:
                match->keys = KEY(PF) | KEY(VF);
                strcpy(match->pf, selector.name);
                match->vf = selector.number;
                return 0;

        case SELECTOR_SERIAL:
                match->keys = KEY(SERIAL);
                strcpy(match->serial, selector.name);
                return 0;

        case SELECTOR_TAG:
                match->keys = KEY(TAG);
                strcpy(match->tag, selector.name);
                return 0;
        }

        return -EINVAL;
}

int device_match_parse(const char *s, DeviceMatch *ret) {
        DeviceMatch match = {};
        int r = 0;

        if (strcmp(s, "any") == 0)
                match.any = true;
        else if (strncmp(s, CLASS_PREFIX, strlen(CLASS_PREFIX)) == 0)
                r = device_class_parse(s + strlen(CLASS_PREFIX), &match);
        else
                r = match_from_selector(s, &match);
        if (r < 0)
                return -EINVAL;

        *ret = match;
        return 0;
}
