/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A selector: how people and programs name devices. The forms stand in dbus/org.iommud1.Manager.xml.
 */

#include "core/forward.h"

typedef enum SelectorKind {
        /* the kernel's name, PCI addresses in its spelling; or one that the administrator gave */
        SELECTOR_NAME,
        SELECTOR_IDS,
        SELECTOR_GROUP,
        SELECTOR_VF,
        SELECTOR_SERIAL,
        SELECTOR_TAG,
} SelectorKind;

struct Selector {
        SelectorKind kind;
        char name[KERNEL_NAME_MAX];          /* NAME, SERIAL, TAG; VF: the physical function's address */
        uint16_t vendor, device;
        uint32_t number;                     /* GROUP; VF: the index */
};

/* Returns 0, or OUTCOME_INVALID_SELECTOR with the reason. */
int selector_parse(const char *text, Selector *ret, Refusal *reterr) _must_check_;

/*
 * Whether the selector names the device; @catalog, which may be NULL, has the administrator's names. A
 * bridge is named by its own address only: it can't be handed out, and "group:7" means what can.
 */
bool selector_matches(const Selector *selector, const DeviceFacts *device, const Catalog *catalog);
