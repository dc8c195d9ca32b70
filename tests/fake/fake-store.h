/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What survives the manager: records, lifelines and other descriptors, in memory. Its calls are counted with
 * those of the made kernel, and fail with them.
 */

#include "core/store.h"
#include "fake/fake-kernel.h"

typedef struct FakeStoreItem {
        uint64_t lease;
        char *record;                        /* owned; NULL: there is none (yet) */
        int lifeline;                        /* a duplicate; owned; -EBADF: none was kept */
} FakeStoreItem;

/* What the service manager has. */
typedef struct FakeStoreFd {
        char name[64];
        int fd;                              /* a duplicate; owned */
} FakeStoreFd;

typedef struct FakeStore {
        FakeKernel *kernel;                  /* borrowed */
        FakeStoreItem items[8];
        unsigned n_items;
        uint64_t last_lease;
        FakeStoreItem claims[4];             /* by the claim's id, without lifeline */
        unsigned n_claims;
        char *approved;                      /* owned; NULL: nothing */
        FakeStoreFd fds[32];
        unsigned n_fds;
} FakeStore;

FakeStore *fake_store_new(FakeKernel *kernel);
FakeStore *fake_store_free(FakeStore *store);
DEFINE_CLEANUP_FUNC(FakeStore, fake_store_free);

/* The descriptor that comes back under this name, which is the caller's; -EBADF: none does. */
int fake_store_take_fd(FakeStore *store, const char *name);

/* It does not come back. */
void fake_store_lose_fd(FakeStore *store, const char *name);

Store fake_store_port(FakeStore *store);

/* A TakeLifelineFunc: what was kept stays here too. @userdata is the store. */
int fake_store_take_lifeline(void *userdata, uint64_t lease);
