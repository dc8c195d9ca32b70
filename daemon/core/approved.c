/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "core/approved.h"
#include "core/claim.h"
#include "core/device.h"
#include "core/group.h"
#include "core/kernel.h"
#include "core/manager.h"
#include "core/record-text.h"
#include "core/refusal.h"
#include "core/store.h"

/* Version 1 is the same without drivers. */
#define RECORD_BEGIN "version=2\n"
#define RECORD_BEGIN_OLD "version=1\n"

static void approved_group_done(ApprovedGroup *group) {
        free(group->devices);
        *group = (ApprovedGroup) {};
}

int approved_new(Approved **ret) {
        Approved *approved;

        approved = calloc(1, sizeof(*approved));
        if (!approved)
                return -ENOMEM;

        *ret = approved;
        return 0;
}

Approved *approved_free(Approved *approved) {
        if (!approved)
                return NULL;

        for (size_t i = 0; i < approved->n_groups; i++)
                approved_group_done(&approved->groups[i]);
        free(approved->groups);
        free(approved);
        return NULL;
}

static const ApprovedDevice *find_name(const ApprovedGroup *approved, const char *name) {
        for (size_t i = 0; i < approved->n_devices; i++)
                if (strcmp(approved->devices[i].name, name) == 0)
                        return &approved->devices[i];

        return NULL;
}

static bool approved_group_concerns(const ApprovedGroup *approved, const Group *group) {
        for (const Device *device = group->devices; device; device = device->next)
                if (find_name(approved, device->facts.name))
                        return true;

        return false;
}

const ApprovedGroup *approved_find(const Approved *approved, const Group *group) {
        for (size_t i = 0; i < approved->n_groups; i++)
                if (approved_group_concerns(&approved->groups[i], group))
                        return &approved->groups[i];

        return NULL;
}

const ApprovedDevice *approved_group_find(const ApprovedGroup *approved, const Device *device) {
        const ApprovedDevice *known;

        known = find_name(approved, device->facts.name);
        return known && known->vendor == device->facts.vendor && known->device == device->facts.device
                       ? known
                       : NULL;
}

static int append_device(ApprovedGroup *group, const ApprovedDevice *device) {
        ApprovedDevice *devices;

        devices = reallocarray(group->devices, group->n_devices + 1, sizeof(*devices));
        if (!devices)
                return -ENOMEM;

        group->devices = devices;
        devices[group->n_devices++] = *device;
        return 0;
}

/* Takes over what is in @group, on success. */
static int append_group(Approved *approved, ApprovedGroup *group) {
        ApprovedGroup *groups;

        groups = reallocarray(approved->groups, approved->n_groups + 1, sizeof(*groups));
        if (!groups)
                return -ENOMEM;

        approved->groups = groups;
        groups[approved->n_groups++] = *group;
        *group = (ApprovedGroup) {};
        return 0;
}

/* A driver that is called like no word is better not remembered than in nobody's way. */
static void write_device(FILE *f, const ApprovedDevice *device) {
        fprintf(f, " %s=%04x:%04x", device->name, device->vendor, device->device);
        if (device->has_driver && !strpbrk(device->driver, " \n/") &&
            !strpbrk(device->driver_override, " \n/"))
                fprintf(f, "/%s/%s", device->driver, device->driver_override);
}

int approved_write(const Approved *approved, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *f;

        /* the words of a line end with a space */
        for (size_t i = 0; i < approved->n_groups; i++)
                for (size_t j = 0; j < approved->groups[i].n_devices; j++)
                        if (strpbrk(approved->groups[i].devices[j].name, " \n"))
                                return -EINVAL;

        f = open_memstream(&text, &size);
        if (!f)
                return -errno;

        fputs(RECORD_BEGIN, f);
        for (size_t i = 0; i < approved->n_groups; i++) {
                const ApprovedGroup *group = &approved->groups[i];

                fprintf(f, "persistent=%u", group->persistent);
                for (size_t j = 0; j < group->n_devices; j++)
                        write_device(f, &group->devices[j]);
                fputc('\n', f);
        }

        if (fclose(f) != 0)
                return -ENOMEM;

        *ret = TAKE_PTR(text);
        return 0;
}

/* "nvme/": what follows the ids, with the driver and the override */
static int read_drivers(ApprovedDevice *device, char *text) {
        char *override;

        override = strchr(text, '/');
        if (!override || strchr(override + 1, '/'))
                return -EBADMSG;

        *override++ = '\0';
        device->has_driver = true;
        return copy_string(device->driver, sizeof(device->driver), text) < 0 ||
                               copy_string(device->driver_override, sizeof(device->driver_override),
                                       override) < 0
                       ? -EBADMSG
                       : 0;
}

/* "0000:01:00.0=8086:10d3/nvme/", where the part from the slash on need not be there. Cuts @word. */
static int read_device(ApprovedGroup *group, char *word) {
        ApprovedDevice device = {};
        char *drivers, *ids, *colon;
        uint32_t vendor, id;

        drivers = strchr(word, '/');
        if (drivers) {
                *drivers++ = '\0';
                if (read_drivers(&device, drivers) < 0)
                        return -EBADMSG;
        }

        ids = strrchr(word, '=');
        colon = ids ? strchr(ids, ':') : NULL;
        if (!colon || ids == word)
                return -EBADMSG;

        *ids++ = *colon++ = '\0';
        if (strlen(ids) != 4 || strlen(colon) != 4 || parse_hex_u32(ids, &vendor) < 0 ||
            parse_hex_u32(colon, &id) < 0 || find_name(group, word) ||
            copy_string(device.name, sizeof(device.name), word) < 0)
                return -EBADMSG;

        device.vendor = (uint16_t) vendor;
        device.device = (uint16_t) id;
        return append_device(group, &device);
}

static int read_group(char *line, void *userdata) {
        Approved *approved = userdata;
        _cleanup_(approved_group_done) ApprovedGroup group = {};
        char *word;
        int r;

        if (record_read_flag(&line, "persistent", &group.persistent) < 0)
                return -EBADMSG;

        while ((word = strsep(&line, " "))) {
                r = read_device(&group, word);
                if (r < 0)
                        return r;
                for (size_t i = 0; i < approved->n_groups; i++)
                        if (find_name(&approved->groups[i], word))
                                return -EBADMSG;
        }

        return group.n_devices > 0 ? append_group(approved, &group) : -EBADMSG;
}

static void approved_swap(Approved *approved, Approved *next) {
        Approved before = *approved;

        *approved = *next;
        *next = before;
}

int approved_read(Approved *approved, const char *text) {
        bool old = strncmp(text, RECORD_BEGIN_OLD, strlen(RECORD_BEGIN_OLD)) == 0;
        _cleanup_(approved_freep) Approved *next = NULL;
        int r;

        r = approved_new(&next);
        if (r < 0)
                return r;

        r = record_read_lines(text, old ? RECORD_BEGIN_OLD : RECORD_BEGIN, read_group, next);
        if (r < 0)
                return r;

        approved_swap(approved, next);
        return 0;
}

static int copy_group(Approved *approved, const ApprovedGroup *group, bool persistent) {
        _cleanup_(approved_group_done) ApprovedGroup copy = { .persistent = persistent };
        int r;

        for (size_t i = 0; i < group->n_devices; i++) {
                r = append_device(&copy, &group->devices[i]);
                if (r < 0)
                        return r;
        }

        return append_group(approved, &copy);
}

/* What the claim gives it back to is worth remembering, unless that is the kernel's choice. */
static void remember_driver(ApprovedDevice *device, const Claim *claim) {
        const ClaimDevice *claimed;

        claimed = claim ? claim_find_device(claim, device->name) : NULL;
        if (!claimed || claimed->gone || claim_device_gets_any(claimed))
                return;

        device->has_driver = true;
        strcpy(device->driver, claimed->driver);
        strcpy(device->driver_override, claimed->driver_override);
}

static int add_group(Approved *approved, const Group *group, bool persistent) {
        _cleanup_(approved_group_done) ApprovedGroup copy = { .persistent = persistent };
        int r;

        for (const Device *device = group->devices; device; device = device->next) {
                ApprovedDevice added = { .vendor = device->facts.vendor, .device = device->facts.device };

                strcpy(added.name, device->facts.name);
                remember_driver(&added, group->claim);
                r = append_device(&copy, &added);
                if (r < 0)
                        return r;
        }

        return append_group(approved, &copy);
}

/* On record first, and only then in force. */
static int manager_replace_approved(Manager *manager, Approved *next, KernelFailure *reterr) {
        const Store *store = manager->store;
        int r;

        r = store ? store->ops->save_approved(store->userdata, next, reterr) : 0;
        if (r < 0)
                return r;

        approved_swap(manager->approved, next);
        return 0;
}

int manager_approve(Manager *manager, const Group *group, bool persistent, KernelFailure *reterr) {
        _cleanup_(approved_freep) Approved *next = NULL;
        int r;

        r = approved_new(&next);
        for (size_t i = 0; r >= 0 && i < manager->approved->n_groups; i++) {
                const ApprovedGroup *known = &manager->approved->groups[i];

                if (!approved_group_concerns(known, group))
                        r = copy_group(next, known, known->persistent);
        }
        if (r >= 0)
                r = add_group(next, group, persistent);
        if (r < 0)
                return kernel_failure(reterr, r, "remembering what the group has");

        return manager_replace_approved(manager, next, reterr);
}

int manager_set_persistent(Manager *manager, const Group *group, bool persistent, KernelFailure *reterr) {
        _cleanup_(approved_freep) Approved *next = NULL;
        bool any = false;
        int r;

        r = approved_new(&next);
        for (size_t i = 0; r >= 0 && i < manager->approved->n_groups; i++) {
                const ApprovedGroup *known = &manager->approved->groups[i];
                bool meant = known->persistent != persistent && approved_group_concerns(known, group);

                any = any || meant;
                r = copy_group(next, known, meant ? persistent : known->persistent);
        }
        if (r < 0)
                return kernel_failure(reterr, r, "remembering what is claimed");

        return any ? manager_replace_approved(manager, next, reterr) : 0;
}

int manager_check_approved(const Manager *manager, const Group *group, Refusal *reterr) {
        const ApprovedGroup *approved;
        char added[192] = "";

        approved = approved_find(manager->approved, group);
        if (!approved)
                return 0;

        for (const Device *device = group->devices; device; device = device->next) {
                size_t n = strlen(added);

                if (!approved_group_find(approved, device))
                        snprintf(added + n, sizeof(added) - n, "%s%s (%04x:%04x)", n > 0 ? ", " : "",
                                device->facts.name, device->facts.vendor, device->facts.device);
        }
        if (!added[0])
                return 0;

        return refuse(reterr, OUTCOME_NOT_VIABLE,
                "Group %u has grown since it was approved: %s. If that is as it should be, \"iommuctl claim "
                "--accept group:%u\" says so",
                group->facts.id, added, group->facts.id);
}
