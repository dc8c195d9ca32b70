/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "core/change.h"

/* The first kind of those that are about the same type of object. */
static ChangeKind change_kind_of_object(ChangeKind kind) {
        if (kind <= CHANGE_DEVICE_REMOVED)
                return CHANGE_DEVICE_ADDED;
        if (kind <= CHANGE_GROUP_REMOVED)
                return CHANGE_GROUP_ADDED;
        if (kind < CHANGE_CLAIM_CHANGED)
                return CHANGE_LEASE_ADDED;

        return kind == CHANGE_OPERATION_DONE ? CHANGE_OPERATION_DONE : CHANGE_CLAIM_CHANGED;
}

static bool change_is_of_same_object(const Change *a, const Change *b) {
        return change_kind_of_object(a->kind) == change_kind_of_object(b->kind) && a->id == b->id &&
               strcmp(a->name, b->name) == 0 && a->pid == b->pid;
}

/* It came or it went: what was said of it before is not true any more, and may have to be said again. */
static bool change_is_turn(const Change *change) {
        return change->kind == change_kind_of_object(change->kind) ||
               change->kind == CHANGE_DEVICE_REMOVED || change->kind == CHANGE_GROUP_REMOVED ||
               change->kind == CHANGE_LEASE_ENDED || change->kind == CHANGE_CLAIM_ENDED;
}

static void change_set_append(ChangeSet *set, const Change *change) {
        Change *items;

        if (!set)
                return;

        for (size_t i = set->n_items; i > 0; i--) {
                const Change *earlier = &set->items[i - 1];

                if (!change_is_of_same_object(earlier, change))
                        continue;
                if (earlier->kind == change->kind)
                        return;
                if (change_is_turn(earlier))
                        break;
        }

        items = reallocarray(set->items, set->n_items + 1, sizeof(*items));
        if (!items) {
                set->lost = true;
                return;
        }

        set->items = items;
        set->items[set->n_items++] = *change;
}

void change_set_device(ChangeSet *set, ChangeKind kind, const char *name) {
        Change change = { .kind = kind };

        assert(strlen(name) < sizeof(change.name));

        strcpy(change.name, name);
        change_set_append(set, &change);
}

void change_set_reset(ChangeSet *set, const char *name, uint64_t lease) {
        Change change = { .kind = CHANGE_DEVICE_RESET, .id = lease };

        assert(strlen(name) < sizeof(change.name));

        strcpy(change.name, name);
        change_set_append(set, &change);
}

void change_set_group(ChangeSet *set, ChangeKind kind, uint32_t id) {
        change_set_append(set, &(Change) { .kind = kind, .id = id });
}

void change_set_lease(ChangeSet *set, ChangeKind kind, uint64_t id) {
        change_set_append(set, &(Change) { .kind = kind, .id = id });
}

void change_set_lease_device(ChangeSet *set, ChangeKind kind, uint64_t id, const char *name) {
        Change change = { .kind = kind, .id = id };

        assert(strlen(name) < sizeof(change.name));

        strcpy(change.name, name);
        change_set_append(set, &change);
}

void change_set_operation(ChangeSet *set, uint64_t id) {
        change_set_append(set, &(Change) { .kind = CHANGE_OPERATION_DONE, .id = id });
}

void change_set_kill(ChangeSet *set, uint64_t id, const char *name, pid_t pid) {
        Change change = { .kind = CHANGE_LEASE_KILL, .id = id, .pid = pid };

        assert(strlen(name) < sizeof(change.name));

        strcpy(change.name, name);
        change_set_append(set, &change);
}

void change_set_claim(ChangeSet *set, ChangeKind kind, uint64_t id) {
        change_set_append(set, &(Change) { .kind = kind, .id = id });
}

bool change_set_has_come(const ChangeSet *set, size_t i) {
        const Change *change = &set->items[i];

        while (i-- > 0) {
                const Change *earlier = &set->items[i];

                if (change_is_of_same_object(earlier, change) && change_is_turn(earlier))
                        return earlier->kind == change_kind_of_object(earlier->kind);
        }

        return false;
}

void change_set_done(ChangeSet *set) {
        free(set->items);
        *set = (ChangeSet) {};
}
