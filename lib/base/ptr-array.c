/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdbool.h>
#include <string.h>

#include "base/ptr-array.h"

/* Where @key is or would be; *ret_found says which. */
static size_t ptr_array_position(
        const PtrArray *array, const void *key, PtrArrayCompare compare, bool *ret_found) {
        size_t low = 0, high = array->n_items;

        *ret_found = false;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int c;

                c = compare(key, array->items[middle]);
                if (c == 0) {
                        *ret_found = true;
                        return middle;
                }
                if (c < 0)
                        high = middle;
                else
                        low = middle + 1;
        }

        return low;
}

void *ptr_array_find(const PtrArray *array, const void *key, PtrArrayCompare compare) {
        size_t position;
        bool found;

        position = ptr_array_position(array, key, compare, &found);
        return found ? array->items[position] : NULL;
}

int ptr_array_insert(PtrArray *array, const void *key, void *item, PtrArrayCompare compare) {
        size_t position;
        void **items;
        bool found;

        position = ptr_array_position(array, key, compare, &found);
        if (found)
                return -EEXIST;

        items = reallocarray(array->items, array->n_items + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;

        memmove(items + position + 1, items + position, (array->n_items - position) * sizeof(*items));
        items[position] = item;
        array->items = items;
        array->n_items++;
        return 0;
}

void ptr_array_remove(PtrArray *array, const void *item) {
        for (size_t i = 0; i < array->n_items; i++)
                if (array->items[i] == item) {
                        array->n_items--;
                        memmove(array->items + i, array->items + i + 1,
                                (array->n_items - i) * sizeof(*array->items));
                        return;
                }
}

void ptr_array_done(PtrArray *array) {
        free(array->items);
        *array = (PtrArray) {};
}
