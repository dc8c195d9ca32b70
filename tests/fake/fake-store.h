/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What survives the manager: records and lifelines, in memory. Its calls are counted with those of the made
 * kernel, and fail with them.
 */

#include "core/store.h"
#include "fake/fake-kernel.h"

typedef struct FakeStoreItem {
        uint64_t lease;
        char *record;                        /* owned */
        int lifeline;                        /* a duplicate; owned; -EBADF: none was kept */
} FakeStoreItem;

typedef struct FakeStore {
        FakeKernel *kernel;                  /* borrowed */
        FakeStoreItem items[8];
        unsigned n_items;
        uint64_t last_lease;
} FakeStore;

FakeStore *fake_store_new(FakeKernel *kernel);
FakeStore *fake_store_free(FakeStore *store);
DEFINE_CLEANUP_FUNC(FakeStore, fake_store_free);

Store fake_store_port(FakeStore *store);
