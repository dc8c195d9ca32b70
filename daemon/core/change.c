/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "core/change.h"

static void change_set_append(ChangeSet *set, const Change *change) {
        Change *items;

        if (!set)
                return;

        for (size_t i = 0; i < set->n_items; i++)
                if (set->items[i].kind == change->kind && set->items[i].id == change->id &&
                    strcmp(set->items[i].name, change->name) == 0)
                        return;

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

void change_set_group(ChangeSet *set, ChangeKind kind, uint32_t id) {
        change_set_append(set, &(Change) { .kind = kind, .id = id });
}

void change_set_lease(ChangeSet *set, ChangeKind kind, uint64_t id) {
        change_set_append(set, &(Change) { .kind = kind, .id = id });
}

void change_set_done(ChangeSet *set) {
        free(set->items);
        *set = (ChangeSet) {};
}
