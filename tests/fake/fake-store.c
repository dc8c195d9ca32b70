/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <string.h>

#include "base/fd.h"
#include "core/approved.h"
#include "core/claim-record.h"
#include "core/claim.h"
#include "core/lease-record.h"
#include "core/lease.h"
#include "fake/assert.h"
#include "fake/fake-store.h"

static FakeStoreItem *fake_store_find(FakeStore *store, uint64_t lease) {
        for (unsigned i = 0; i < store->n_items; i++)
                if (store->items[i].lease == lease)
                        return &store->items[i];

        return NULL;
}

static void item_done(FakeStoreItem *item) {
        free(item->record);
        close_fd(item->lifeline);
}

/* What survives of a lease, made on first use. */
static FakeStoreItem *fake_store_get(FakeStore *store, uint64_t lease) {
        FakeStoreItem *item;

        item = fake_store_find(store, lease);
        if (item)
                return item;

        assert(store->n_items < ELEMENTSOF(store->items));
        item = &store->items[store->n_items++];
        *item = (FakeStoreItem) { .lease = lease, .lifeline = -EBADF };
        return item;
}

static int fake_save(void *userdata, const Lease *lease, KernelFailure *reterr) {
        FakeStore *store = userdata;
        FakeStoreItem *item;
        int r;

        r = fake_kernel_call(store->kernel, /* quiet= */ true, reterr, "save %" PRIu64, lease->id);
        if (r < 0)
                return r;

        item = fake_store_get(store, lease->id);
        free(item->record);
        assert_ok(lease_record_write(lease, &item->record));
        return 0;
}

static int fake_keep_lifeline(void *userdata, uint64_t lease, int fd, KernelFailure *reterr) {
        FakeStore *store = userdata;
        FakeStoreItem *item;
        int r;

        r = fake_kernel_call(store->kernel, /* quiet= */ true, reterr, "keep_lifeline %" PRIu64, lease);
        if (r < 0)
                return r;

        assert(lease <= store->last_lease);          /* its number is on record */
        item = fake_store_get(store, lease);
        assert(item->lifeline < 0);
        item->lifeline = assert_ok(fd_dup(fd));
        return 0;
}

static void fake_drop_lifeline(void *userdata, uint64_t lease) {
        FakeStoreItem *item;

        item = fake_store_find(userdata, lease);
        if (item)
                item->lifeline = close_fd(item->lifeline);
}

static int fake_save_last_lease(void *userdata, uint64_t id, KernelFailure *reterr) {
        FakeStore *store = userdata;
        int r;

        r = fake_kernel_call(store->kernel, /* quiet= */ true, reterr, "save_last_lease %" PRIu64, id);
        if (r < 0)
                return r;

        assert(id > store->last_lease);
        store->last_lease = id;
        return 0;
}

static FakeStoreFd *fake_store_find_fd(FakeStore *store, const char *name) {
        for (unsigned i = 0; i < store->n_fds; i++)
                if (strcmp(store->fds[i].name, name) == 0)
                        return &store->fds[i];

        return NULL;
}

int fake_store_take_fd(FakeStore *store, const char *name) {
        const FakeStoreFd *kept;

        kept = fake_store_find_fd(store, name);
        return kept ? assert_ok(fd_dup(kept->fd)) : -EBADF;
}

void fake_store_lose_fd(FakeStore *store, const char *name) {
        FakeStoreFd *kept;

        kept = fake_store_find_fd(store, name);
        assert(kept);
        close_fd(kept->fd);
        *kept = store->fds[--store->n_fds];
}

static int fake_keep_fd(void *userdata, const char *name, int fd, KernelFailure *reterr) {
        FakeStore *store = userdata;
        FakeStoreFd *kept;
        int r;

        r = fake_kernel_call(store->kernel, /* quiet= */ true, reterr, "keep_fd %s", name);
        if (r < 0)
                return r;

        assert(!strchr(name, ':') && !fake_store_find_fd(store, name));
        assert(store->n_fds < ELEMENTSOF(store->fds) && strlen(name) < sizeof(kept->name));
        kept = &store->fds[store->n_fds++];
        strcpy(kept->name, name);
        kept->fd = assert_ok(fd_dup(fd));
        return 0;
}

static void fake_drop_fd(void *userdata, const char *name) {
        FakeStore *store = userdata;
        FakeStoreFd *kept;

        kept = fake_store_find_fd(store, name);
        if (!kept)
                return;

        /* the service manager would wait for a reset, and perhaps for ever */
        for (unsigned i = 0; i < store->kernel->n_devices; i++)
                if (fake_device_is_fd(&store->kernel->devices[i], kept->fd))
                        assert(fake_device_n_open(&store->kernel->devices[i]) > 1);

        close_fd(kept->fd);
        *kept = store->fds[--store->n_fds];
}

static void fake_forget(void *userdata, const Lease *lease) {
        FakeStore *store = userdata;
        FakeStoreItem *item;

        item = fake_store_find(store, lease->id);
        if (!item)
                return;

        item_done(item);
        *item = store->items[--store->n_items];
}

static int fake_save_quarantine(void *userdata, const Quarantine *quarantine, KernelFailure *reterr) {
        FakeStore *store = userdata;

        return fake_kernel_call(store->kernel, /* quiet= */ true, reterr, "save_quarantine");
}

static FakeStoreItem *fake_store_find_claim(FakeStore *store, uint64_t claim) {
        for (unsigned i = 0; i < store->n_claims; i++)
                if (store->claims[i].lease == claim)
                        return &store->claims[i];

        return NULL;
}

static int fake_save_claim(void *userdata, const Claim *claim, KernelFailure *reterr) {
        FakeStore *store = userdata;
        FakeStoreItem *item;
        int r;

        r = fake_kernel_call(store->kernel, /* quiet= */ true, reterr, "save_claim %" PRIu64, claim->id);
        if (r < 0)
                return r;

        item = fake_store_find_claim(store, claim->id);
        if (!item) {
                assert(store->n_claims < ELEMENTSOF(store->claims));
                item = &store->claims[store->n_claims++];
                *item = (FakeStoreItem) { .lease = claim->id, .lifeline = -EBADF };
        }

        free(item->record);
        assert_ok(claim_record_write(claim, &item->record));
        return 0;
}

static void fake_forget_claim(void *userdata, const Claim *claim) {
        FakeStore *store = userdata;
        FakeStoreItem *item;

        item = fake_store_find_claim(store, claim->id);
        if (!item)
                return;

        item_done(item);
        *item = store->claims[--store->n_claims];
}

static int fake_save_approved(void *userdata, const Approved *approved, KernelFailure *reterr) {
        FakeStore *store = userdata;
        int r;

        r = fake_kernel_call(store->kernel, /* quiet= */ true, reterr, "save_approved");
        if (r < 0)
                return r;

        free(store->approved);
        assert_ok(approved_write(approved, &store->approved));
        return 0;
}

FakeStore *fake_store_new(FakeKernel *kernel) {
        FakeStore *store;

        store = calloc(1, sizeof(*store));
        assert(store);
        store->kernel = kernel;
        return store;
}

FakeStore *fake_store_free(FakeStore *store) {
        for (unsigned i = 0; store && i < store->n_items; i++)
                item_done(&store->items[i]);
        for (unsigned i = 0; store && i < store->n_claims; i++)
                item_done(&store->claims[i]);
        for (unsigned i = 0; store && i < store->n_fds; i++)
                close_fd(store->fds[i].fd);
        if (store)
                free(store->approved);

        free(store);
        return NULL;
}

Store fake_store_port(FakeStore *store) {
        static const StoreOps ops = {
                .save = fake_save,
                .keep_lifeline = fake_keep_lifeline,
                .drop_lifeline = fake_drop_lifeline,
                .save_last_lease = fake_save_last_lease,
                .keep_fd = fake_keep_fd,
                .drop_fd = fake_drop_fd,
                .forget = fake_forget,
                .save_claim = fake_save_claim,
                .forget_claim = fake_forget_claim,
                .save_approved = fake_save_approved,
                .save_quarantine = fake_save_quarantine,
        };

        return (Store) { .ops = &ops, .userdata = store };
}

int fake_store_take_lifeline(void *userdata, uint64_t lease) {
        FakeStoreItem *item;

        item = fake_store_find(userdata, lease);
        return item && item->lifeline >= 0 ? assert_ok(fd_dup(item->lifeline)) : -EBADF;
}
