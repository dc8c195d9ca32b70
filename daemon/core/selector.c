/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "core/catalog.h"
#include "core/device.h"
#include "core/refusal.h"
#include "core/selector.h"

/* Names go into sysfs paths and messages: what no kernel name has is no name. */
static bool name_is_valid(const char *name) {
        size_t n = strlen(name);

        if (n == 0 || n >= KERNEL_NAME_MAX || name[0] == '.')
                return false;

        for (size_t i = 0; i < n; i++)
                if (name[i] <= ' ' || name[i] == '/' || name[i] >= 0x7f)
                        return false;

        return true;
}

/* "pf=0000:01:00.0,vf=3", of which @text is what follows the first "=". */
static int parse_vf(const char *text, Selector *selector) {
        char address[KERNEL_NAME_MAX];
        const char *comma;
        size_t n;

        comma = strchr(text, ',');
        if (!comma || strncmp(comma, ",vf=", 4) != 0)
                return -EINVAL;

        n = (size_t) (comma - text);
        if (n >= sizeof(address))
                return -EINVAL;
        memcpy(address, text, n);
        address[n] = '\0';

        if (parse_pci_address(address, selector->name) < 0)
                return -EINVAL;

        return parse_u32(comma + 4, &selector->number);
}

int selector_parse(const char *text, Selector *ret, Refusal *reterr) {
        Selector selector = {};

        if (parse_pci_address(text, selector.name) >= 0)
                selector.kind = SELECTOR_NAME;
        else if (parse_pci_ids(text, &selector.vendor, &selector.device) >= 0)
                selector.kind = SELECTOR_IDS;
        else if (strncmp(text, "group:", 6) == 0) {
                selector.kind = SELECTOR_GROUP;
                if (parse_u32(text + 6, &selector.number) < 0)
                        return refuse(reterr, OUTCOME_INVALID_SELECTOR,
                                "\"%.64s\" names no group: write group: and its number, as in group:12",
                                text);
        } else if (strncmp(text, "pf=", 3) == 0) {
                selector.kind = SELECTOR_VF;
                if (parse_vf(text + 3, &selector) < 0)
                        return refuse(reterr, OUTCOME_INVALID_SELECTOR,
                                "\"%.64s\" names no virtual function: write pf=0000:01:00.0,vf=3", text);
        } else if (strncmp(text, "serial=", 7) == 0) {
                selector.kind = SELECTOR_SERIAL;
                if (!name_is_valid(text + 7))
                        return refuse(
                                reterr, OUTCOME_INVALID_SELECTOR, "\"%.64s\" holds no serial number", text);
                strcpy(selector.name, text + 7);
        } else if (strncmp(text, "tag:", 4) == 0) {
                selector.kind = SELECTOR_TAG;
                if (!stable_name_is_valid(text + 4))
                        return refuse(reterr, OUTCOME_INVALID_SELECTOR,
                                "\"%.64s\" holds no tag: it is a letter, then letters, digits, - and _",
                                text);
                strcpy(selector.name, text + 4);
        } else if (name_is_valid(text)) {
                selector.kind = SELECTOR_NAME;
                strcpy(selector.name, text);
        } else
                return refuse(reterr, OUTCOME_INVALID_SELECTOR,
                        "\"%.64s\" is no device selector: write a PCI address (0000:01:00.0), "
                        "vendor:device, "
                        "group:N, pf=ADDRESS,vf=N, serial=NUMBER, tag:TAG, or a name of the device",
                        text);

        *ret = selector;
        return 0;
}

bool selector_matches(const Selector *selector, const DeviceFacts *device, const Catalog *catalog) {
        if (selector->kind == SELECTOR_NAME)
                return strcmp(selector->name, device->name) == 0 ||
                       catalog_has_name(catalog, device, selector->name) == MATCH_YES;

        if (device->bridge)
                return false;

        switch (selector->kind) {

        case SELECTOR_IDS:
                return strcmp(device->subsystem, "pci") == 0 && selector->vendor == device->vendor &&
                       selector->device == device->device;

        case SELECTOR_GROUP:
                return selector->number == device->group;

        case SELECTOR_VF:
                return device->vf_index >= 0 && selector->number == (uint32_t) device->vf_index &&
                       strcmp(selector->name, device->physfn) == 0;

        case SELECTOR_SERIAL:
                return strcmp(selector->name, device->serial) == 0;

        case SELECTOR_TAG:
                return catalog_has_tag(catalog, device, selector->name) == MATCH_YES;

        case SELECTOR_NAME:
                break;
        }

        return false;
}
