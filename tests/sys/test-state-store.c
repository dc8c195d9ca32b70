/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The files that outlive the daemon: what was written is read back, and what is damaged is not believed. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/kernel.h"
#include "core/manager.h"
#include "core/quarantine.h"
#include "core/refusal.h"
#include "core/subject.h"
#include "sys/state-file.h"
#include "sys/state-store.h"
#include "tree.h"

#define DEVICE "0000:00:06.0"

/* The process before has ended, and this is the next. */
static Manager *start(StateStore *state, Store *store) {
        StoredFds stored = {};
        Manager *manager;

        assert(manager_new(/* kernel= */ NULL, /* host= */ NULL, &manager) >= 0);
        *store = state_store_port(state);
        manager_set_store(manager, store);
        assert(state_store_load(state, &stored, manager, /* changes= */ NULL) >= 0);
        return manager;
}

static void put(Manager *manager, const char *device) {
        const Subject tenant = { .uid = 1501, .own_userns = true };
        const KernelFailure why = { .call = "reset it", .error = -EIO };
        KernelFailure failure;

        assert(manager_quarantine(manager, &tenant, device, QUARANTINE_RESET_FAILED, &why, &failure,
                       /* changes= */ NULL) >= 0);
}

static void clear(Manager *manager, const char *device) {
        const Subject root = { .uid = 0, .own_userns = true };
        Refusal refusal;

        assert(manager_clear_quarantine(manager, &root, device, &refusal, /* changes= */ NULL) == 0);
}

static bool exists(const Tree *tree, const char *name) {
        return faccessat(tree->fd, name, F_OK, 0) >= 0;
}

static void test_quarantine(void) {
        _cleanup_tree_ Tree *tree = tree_new();
        StateStore state = { tree->fd, tree->fd };
        const QuarantineEntry *entry;
        Manager *manager;
        Store store;

        manager = start(&state, &store);
        put(manager, DEVICE);
        put(manager, "0000:00:07.0");
        manager_free(manager);

        manager = start(&state, &store);
        assert(manager->quarantine->n_entries == 2);
        entry = quarantine_find(manager->quarantine, DEVICE);
        assert(entry && entry->kind == QUARANTINE_RESET_FAILED && entry->uid == 1501 && entry->own_userns);
        assert(strcmp(entry->reason, "its reset failed: reset it: Input/output error") == 0);
        clear(manager, DEVICE);
        manager_free(manager);

        manager = start(&state, &store);
        assert(manager->quarantine->n_entries == 1);
        clear(manager, "0000:00:07.0");
        assert(!exists(tree, "quarantine"));
        manager_free(manager);

        manager = start(&state, &store);
        assert(manager->quarantine->n_entries == 0);
        manager_free(manager);
}

/* Nothing of it is believed, but it is there for the administrator to look at. */
static void test_damaged(void) {
        static const char *const damaged[] = {
                "",
                "version=1\n",
                "version=1\nchecksum=00000000\n",
                "version=1\nchecksum=zzzzzzzz\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(damaged); i++) {
                _cleanup_tree_ Tree *tree = tree_new();
                StateStore state = { tree->fd, tree->fd };
                Manager *manager;
                Store store;

                tree_file(tree, damaged[i], "quarantine");
                manager = start(&state, &store);
                assert(manager->quarantine->n_entries == 0);
                assert(exists(tree, "damaged-quarantine") && exists(tree, "quarantine"));
                assert(quarantine_find(manager->quarantine, DEVICE)->kind == QUARANTINE_UNKNOWN);
                clear(manager, "all");
                manager_free(manager);

                /* nor is it forgotten by the next that starts, whatever the one before could write */
                tree_file(tree, damaged[i], "quarantine");
                tree_dir(tree, ".new");
                manager = start(&state, &store);
                assert(manager->quarantine->lost);
                manager_free(manager);
                assert(unlinkat(tree->fd, ".new", AT_REMOVEDIR) == 0);
                manager_free(start(&state, &store));
                manager = start(&state, &store);
                assert(manager->quarantine->lost);
                clear(manager, "all");
                manager_free(manager);

                manager = start(&state, &store);
                assert(!manager->quarantine->lost && !exists(tree, "quarantine"));
                manager_free(manager);
        }
}

/* The number of a lease is not used again, whatever has become of the lease and of the file. */
static void test_last_lease(void) {
        static const char *const damaged[] = {
                "",
                "version=1\nlast=7\n",
                "version=1\nlast=7\nchecksum=00000000\n",
        };
        _cleanup_tree_ Tree *tree = tree_new();
        StateStore state = { tree->fd, tree->fd };
        KernelFailure failure;
        Manager *manager;
        Store store;

        manager = start(&state, &store);
        assert(manager->last_lease == 0);
        assert(store.ops->save_last_lease(store.userdata, 41, &failure) == 0);
        assert(store.ops->save_last_lease(store.userdata, 42, &failure) == 0);
        manager_free(manager);

        manager = start(&state, &store);
        assert(manager->last_lease == 42);
        manager_free(manager);

        for (size_t i = 0; i < ELEMENTSOF(damaged); i++) {
                uint64_t last;

                tree_file(tree, damaged[i], "last-lease");
                manager = start(&state, &store);
                last = manager->last_lease;
                assert(last > 42);           /* a host is not up in less than that many milliseconds */
                assert(exists(tree, "damaged-last-lease") && !exists(tree, "last-lease"));
                assert(store.ops->save_last_lease(store.userdata, last + 1, &failure) == 0);
                manager_free(manager);

                manager = start(&state, &store);
                assert(manager->last_lease == last + 1);
                manager_free(manager);
        }

        tree_dir(tree, ".new");
        assert(store.ops->save_last_lease(store.userdata, 7, &failure) == -EISDIR);
        assert(strcmp(failure.call, "writing the state file last-lease") == 0);
}

static void test_file(void) {
        _cleanup_tree_ Tree *tree = tree_new();
        _cleanup_free_ char *text = NULL, *large = NULL;

        assert(state_file_read(tree->fd, "a", &text) == -ENOENT);
        assert(state_file_write(tree->fd, "a", "one\n") == 0);
        assert(state_file_write(tree->fd, "a", "two\nlines\n") == 0);
        assert(state_file_read(tree->fd, "a", &text) == 0);
        assert(strcmp(text, "two\nlines\n") == 0);
        assert(!exists(tree, ".new"));

        /* one that fails leaves what was there */
        large = malloc(100000);
        assert(large);
        memset(large, 'x', 99999);
        large[99999] = '\0';
        assert(state_file_write(tree->fd, "a", large) == -EFBIG);
        tree_dir(tree, ".new");
        assert(state_file_write(tree->fd, "a", "three\n") == -EISDIR);
        free(TAKE_PTR(text));
        assert(state_file_read(tree->fd, "a", &text) == 0);
        assert(strcmp(text, "two\nlines\n") == 0);

        assert(state_file_remove(tree->fd, "a") == 0);
        assert(state_file_remove(tree->fd, "a") == 0);
        assert(state_file_remove(tree->fd, ".new") == -EISDIR);
}

int main(void) {
        test_quarantine();
        test_damaged();
        test_last_lease();
        test_file();
        return 0;
}
