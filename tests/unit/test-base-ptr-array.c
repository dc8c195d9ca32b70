/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The sorted array: against a plain list of what is in it, over all orders of insertion. */

#include <stdbool.h>

#include "base/ptr-array.h"
#include "fake/assert.h"

static int compare(const void *key, const void *item) {
        return *(const int *) key - *(const int *) item;
}

static void assert_contents(const PtrArray *array, const int *values, const bool *present, size_t n) {
        size_t n_present = 0;

        for (size_t i = 0; i < n; i++) {
                void *found = ptr_array_find(array, &values[i], compare);

                assert(found == (present[i] ? &values[i] : NULL));
                n_present += present[i];
        }

        assert_eq_int(array->n_items, n_present);
        for (size_t i = 1; i < array->n_items; i++)
                assert(*(int *) array->items[i - 1] < *(int *) array->items[i]);
}

/* Inserts five values in the order that @order is the number of, then removes them in the same. */
static void try_order(unsigned order) {
        int values[] = { 10, 20, 30, 40, 50 };
        bool present[ELEMENTSOF(values)] = {};
        size_t sequence[ELEMENTSOF(values)];
        bool used[ELEMENTSOF(values)] = {};
        PtrArray array = {};

        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                size_t nth = order % (ELEMENTSOF(values) - i), j;

                order /= (unsigned) (ELEMENTSOF(values) - i);
                for (j = 0; used[j] || nth-- > 0; j++)
                        ;
                used[j] = true;
                sequence[i] = j;
        }

        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                int *value = &values[sequence[i]], twin = *value;

                assert_ok(ptr_array_insert(&array, value, value, compare));
                assert_eq_int(ptr_array_insert(&array, &twin, &twin, compare), -EEXIST);
                present[sequence[i]] = true;
                assert_contents(&array, values, present, ELEMENTSOF(values));
        }

        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                ptr_array_remove(&array, &values[sequence[i]]);
                ptr_array_remove(&array, &values[sequence[i]]);
                present[sequence[i]] = false;
                assert_contents(&array, values, present, ELEMENTSOF(values));
        }

        ptr_array_done(&array);
        ptr_array_done(&array);
}

int main(void) {
        for (unsigned order = 0; order < 5 * 4 * 3 * 2; order++)
                try_order(order);

        return 0;
}
