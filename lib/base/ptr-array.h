/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A sorted array of pointers: look-up by bisection, iteration by index, in order. It owns nothing but
 * itself. The tables here have a thousand entries at most, for which moving the tail on insertion is cheaper
 * than any tree.
 */

#include <stddef.h>

#include "base/macro.h"

typedef struct PtrArray {
        void **items;
        size_t n_items;
} PtrArray;

/* Compares a key with an item, like the function of bsearch(3). */
typedef int (*PtrArrayCompare)(const void *key, const void *item);

/* The item that compares equal to @key, or NULL. */
void *ptr_array_find(const PtrArray *array, const void *key, PtrArrayCompare compare);

/*
 * Puts @item, whose key is @key, where it belongs. Returns 0, -EEXIST when there is an equal one, or
 * -ENOMEM; the array is unchanged then.
 */
int ptr_array_insert(PtrArray *array, const void *key, void *item, PtrArrayCompare compare) _must_check_;

/* Takes @item out, if it is in. */
void ptr_array_remove(PtrArray *array, const void *item);

/* Frees the array itself. */
void ptr_array_done(PtrArray *array);
