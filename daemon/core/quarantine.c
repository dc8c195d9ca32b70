/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "core/change.h"
#include "core/device.h"
#include "core/kernel.h"
#include "core/manager.h"
#include "core/quarantine.h"
#include "core/record-text.h"
#include "core/refusal.h"
#include "core/selector.h"
#include "core/store.h"
#include "core/subject.h"

#define RECORD_BEGIN "version=1\n"
#define RECORD_LOST "lost"

#define LOST_REASON                                                                                         \
        "the record of what is in quarantine was damaged: whether it was reset after its last tenant is "   \
        "not known"

const char quarantine_lost_reason[] = LOST_REASON;

static const char *const quarantine_kind_table[] = {
        [QUARANTINE_RESET_FAILED] = "reset-failed",
        [QUARANTINE_NO_RESET] = "no-reset",
        [QUARANTINE_NO_PROOF] = "no-proof",
        [QUARANTINE_UNKNOWN] = "unknown",
        [QUARANTINE_CLEARED] = "cleared",
};

DEFINE_STRING_TABLE(quarantine_kind, QuarantineKind, _QUARANTINE_KIND_MAX);

int quarantine_new(Quarantine **ret) {
        Quarantine *quarantine;

        quarantine = calloc(1, sizeof(*quarantine));
        if (!quarantine)
                return -ENOMEM;

        *ret = quarantine;
        return 0;
}

Quarantine *quarantine_free(Quarantine *quarantine) {
        if (!quarantine)
                return NULL;

        free(quarantine->entries);
        free(quarantine);
        return NULL;
}

const QuarantineEntry *quarantine_find(const Quarantine *quarantine, const char *device) {
        static const QuarantineEntry unknown = { .kind = QUARANTINE_UNKNOWN, .reason = LOST_REASON };

        for (size_t i = 0; i < quarantine->n_entries; i++)
                if (strcmp(quarantine->entries[i].device, device) == 0)
                        return quarantine->entries[i].kind == QUARANTINE_CLEARED ? NULL
                                                                                 : &quarantine->entries[i];

        return quarantine->lost ? &unknown : NULL;
}

static bool quarantine_has_entry(const Quarantine *quarantine, const char *device) {
        for (size_t i = 0; i < quarantine->n_entries; i++)
                if (strcmp(quarantine->entries[i].device, device) == 0)
                        return true;

        return false;
}

/* A container's root shares its number with the host's, but not what it may have. */
bool quarantine_entry_admits(const QuarantineEntry *entry, const Subject *subject) {
        if (entry->kind == QUARANTINE_RESET_FAILED || entry->kind == QUARANTINE_UNKNOWN)
                return false;

        return subject_is_root(subject) ||
               (subject->uid == entry->uid && subject->own_userns == entry->own_userns);
}

static int quarantine_append(Quarantine *quarantine, const QuarantineEntry *entry) {
        QuarantineEntry *entries;

        entries = reallocarray(quarantine->entries, quarantine->n_entries + 1, sizeof(*entries));
        if (!entries)
                return -ENOMEM;

        quarantine->entries = entries;
        entries[quarantine->n_entries++] = *entry;
        return 0;
}

int quarantine_write(const Quarantine *quarantine, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *f;

        f = open_memstream(&text, &size);
        if (!f)
                return -errno;

        fputs(RECORD_BEGIN, f);
        if (quarantine->lost)
                fputs(RECORD_LOST "\n", f);
        for (size_t i = 0; i < quarantine->n_entries; i++) {
                const QuarantineEntry *entry = &quarantine->entries[i];

                /* the reason is the rest of the line: it has spaces, but being printable no line breaks */
                fprintf(f, "device=%s kind=%s uid=%u own-userns=%u reason=%s\n", entry->device,
                        quarantine_kind_to_string(entry->kind), entry->uid, entry->own_userns,
                        entry->reason);
        }

        if (fclose(f) != 0)
                return -ENOMEM;

        *ret = TAKE_PTR(text);
        return 0;
}

static int read_line(char *line, QuarantineEntry *ret) {
        const char *device, *kind, *uid;
        QuarantineEntry entry = {};

        if (record_read_word(&line, "device", &device) < 0 || record_read_word(&line, "kind", &kind) < 0 ||
                record_read_word(&line, "uid", &uid) < 0 ||
                record_read_flag(&line, "own-userns", &entry.own_userns) < 0)
                return -EBADMSG;
        if (!line || strncmp(line, "reason=", strlen("reason=")) != 0)
                return -EBADMSG;

        entry.kind = quarantine_kind_from_string(kind);
        if ((int) entry.kind < 0 || !device[0] || parse_u32(uid, &entry.uid) < 0 ||
                copy_string(entry.device, sizeof(entry.device), device) < 0 ||
                copy_string(entry.reason, sizeof(entry.reason), line + strlen("reason=")) < 0)
                return -EBADMSG;

        make_printable(entry.reason);
        *ret = entry;
        return 0;
}

/* Puts @next in the place of @quarantine, whose contents it gets to free. */
static void quarantine_swap(Quarantine *quarantine, Quarantine *next) {
        Quarantine before = *quarantine;

        *quarantine = *next;
        *next = before;
}

static int read_record_line(char *line, void *userdata) {
        Quarantine *quarantine = userdata;
        QuarantineEntry entry;
        int r;

        if (strcmp(line, RECORD_LOST) == 0) {
                quarantine->lost = true;
                return 0;
        }

        r = read_line(line, &entry);
        if (r < 0)
                return r;
        if (quarantine_has_entry(quarantine, entry.device))
                return -EBADMSG;

        return quarantine_append(quarantine, &entry);
}

int quarantine_read(Quarantine *quarantine, const char *text) {
        _cleanup_(quarantine_freep) Quarantine *next = NULL;
        int r;

        r = quarantine_new(&next);
        if (r < 0)
                return r;

        r = record_read_lines(text, RECORD_BEGIN, read_record_line, next);
        if (r < 0)
                return r;

        quarantine_swap(quarantine, next);
        return 0;
}

/* On record first, and only then in force: what could not be written has not happened. */
static int manager_replace_quarantine(Manager *manager, Quarantine *next, KernelFailure *reterr) {
        const Store *store = manager->store;
        int r;

        r = store ? store->ops->save_quarantine(store->userdata, next, reterr) : 0;
        if (r < 0)
                return r;

        quarantine_swap(manager->quarantine, next);
        return 0;
}

static void entry_explain(QuarantineEntry *entry, const KernelFailure *failure) {
        if (entry->kind == QUARANTINE_NO_RESET)
                snprintf(entry->reason, sizeof(entry->reason),
                        "it can't be reset: only uid %u, who had it last, and root may have it", entry->uid);
        else if (entry->kind == QUARANTINE_NO_PROOF)
                snprintf(entry->reason, sizeof(entry->reason),
                        "it can't be unbound, which alone would prove that no copy of its descriptor is "
                        "left: only uid %u, who had it last, and root may have it", entry->uid);
        else
                snprintf(entry->reason, sizeof(entry->reason), "its reset failed: %s: %s", failure->call,
                        strerrordesc_np(-failure->error) ?: "unknown error");

        make_printable(entry->reason);
}

int manager_quarantine(Manager *manager, const Subject *tenant, const char *device, QuarantineKind kind,
        const KernelFailure *failure, KernelFailure *reterr, ChangeSet *changes) {
        QuarantineEntry entry = { .kind = kind, .uid = tenant->uid, .own_userns = tenant->own_userns };
        _cleanup_(quarantine_freep) Quarantine *next = NULL;
        const QuarantineEntry *known;
        int r;

        assert(strlen(device) < sizeof(entry.device));
        strcpy(entry.device, device);
        entry_explain(&entry, failure);

        known = quarantine_find(manager->quarantine, device);
        if (known && known->kind == kind && known->uid == entry.uid &&
                known->own_userns == entry.own_userns && strcmp(known->reason, entry.reason) == 0)
                return 0;                    /* and nobody needs to hear of it again */

        r = quarantine_new(&next);
        if (r >= 0)
                next->lost = manager->quarantine->lost;
        for (size_t i = 0; r >= 0 && i < manager->quarantine->n_entries; i++)
                if (strcmp(manager->quarantine->entries[i].device, device) != 0)
                        r = quarantine_append(next, &manager->quarantine->entries[i]);
        if (r >= 0)
                r = quarantine_append(next, &entry);
        if (r < 0)
                return kernel_failure(reterr, r, "putting it into quarantine");

        r = manager_replace_quarantine(manager, next, reterr);
        if (r < 0)
                return r;

        change_set_device(changes, CHANGE_DEVICE_QUARANTINED, device);
        return 0;
}

/* What is unplugged is known by its name alone. */
static bool entry_matches(const QuarantineEntry *entry, const Manager *manager, const Selector *selector) {
        DeviceFacts facts = DEVICE_FACTS_INIT;
        const Device *device;

        device = manager_find_device(manager, entry->device);
        if (device)
                return manager_selects(manager, selector, device);

        strcpy(facts.name, entry->device);
        return selector->kind == SELECTOR_NAME && selector_matches(selector, &facts, NULL);
}

/* Puts a device into @next as one that is not in quarantine, where otherwise nobody would know. */
static int quarantine_append_cleared(Quarantine *next, const char *device) {
        QuarantineEntry entry = { .kind = QUARANTINE_CLEARED };

        if (quarantine_has_entry(next, device))
                return 0;

        strcpy(entry.device, device);
        return quarantine_append(next, &entry);
}

/* What is left of the quarantine when the devices of @selector are out of it; NULL: all are. */
static int quarantine_without(const Manager *manager, const Selector *selector, Quarantine **ret) {
        const Quarantine *quarantine = manager->quarantine;
        _cleanup_(quarantine_freep) Quarantine *next = NULL;
        int r;

        r = quarantine_new(&next);
        if (r < 0)
                return r;

        next->lost = quarantine->lost && selector;
        for (size_t i = 0; r >= 0 && selector && i < quarantine->n_entries; i++) {
                const QuarantineEntry *entry = &quarantine->entries[i];

                if (entry->kind == QUARANTINE_CLEARED || !entry_matches(entry, manager, selector))
                        r = quarantine_append(next, entry);
                else if (next->lost)
                        r = quarantine_append_cleared(next, entry->device);
        }

        /* of the others nothing is known but what is plugged in */
        for (size_t i = 0; r >= 0 && next->lost && i < manager->devices.n_items; i++) {
                const Device *device = manager->devices.items[i];

                if (manager_selects(manager, selector, device) &&
                    quarantine_find(quarantine, device->facts.name))
                        r = quarantine_append_cleared(next, device->facts.name);
        }
        if (r < 0)
                return r;

        *ret = TAKE_PTR(next);
        return 0;
}

/* Says so of every device that is in @before and not in @now. Returns how many there are. */
static unsigned manager_announce_cleared(
        const Manager *manager, const Quarantine *before, const Quarantine *now, ChangeSet *changes) {
        unsigned n = 0;

        for (size_t i = 0; i < before->n_entries; i++) {
                const char *device = before->entries[i].device;

                if (!quarantine_find(before, device) || quarantine_find(now, device))
                        continue;
                change_set_device(changes, CHANGE_DEVICE_CLEARED, device);
                n++;
        }

        for (size_t i = 0; before->lost && i < manager->devices.n_items; i++) {
                const char *device = ((const Device *) manager->devices.items[i])->facts.name;

                if (quarantine_has_entry(before, device) || quarantine_find(now, device))
                        continue;
                change_set_device(changes, CHANGE_DEVICE_CLEARED, device);
                n++;
        }

        return n;
}

int manager_clear_quarantine(Manager *manager, const Subject *subject, const char *text, Refusal *reterr,
        ChangeSet *changes) {
        bool all = strcmp(text, QUARANTINE_ALL) == 0;
        _cleanup_(quarantine_freep) Quarantine *next = NULL;
        KernelFailure failure;
        Selector selector;
        int r;

        if (!subject_is_root(subject))
                return refuse(reterr, OUTCOME_DENIED, "Only root can take a device out of quarantine%s",
                              subject_root_doubt(subject));

        r = all ? 0 : selector_parse(text, &selector, reterr);
        if (r > 0)
                return r;

        r = quarantine_without(manager, all ? NULL : &selector, &next);
        if (r < 0)
                return r;

        if (manager_announce_cleared(manager, manager->quarantine, next, /* changes= */ NULL) == 0 &&
            next->lost == manager->quarantine->lost)
                return refuse(reterr, OUTCOME_NO_SUCH_DEVICE,
                        "No device in quarantine answers to \"%.64s\": see \"iommuctl quarantine\"", text);

        r = manager_replace_quarantine(manager, next, &failure);
        if (r < 0)
                return refuse_kernel(reterr, &failure);

        /* those that were in it are what was swapped out */
        (void) manager_announce_cleared(manager, next, manager->quarantine, changes);
        return 0;
}
