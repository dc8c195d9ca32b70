/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The files that outlive the daemon: what was written is read back, and what is damaged is not believed. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/approved.h"
#include "core/claim.h"
#include "core/dma.h"
#include "core/kernel.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/quarantine.h"
#include "core/refusal.h"
#include "core/subject.h"
#include "core/task.h"
#include "sys/state-file.h"
#include "sys/state-store.h"
#include "tree.h"

#define DEVICE "0000:00:06.0"

/* The process before has ended, and this is the next, with what came back of its descriptors. */
static Manager *start_with(StateStore *state, Store *store, StoredFds *stored) {
        Manager *manager;

        assert(manager_new(/* kernel= */ NULL, /* host= */ NULL, &manager) >= 0);
        *store = state_store_port(state);
        manager_set_store(manager, store);
        assert(state_store_load(state, stored, manager, /* changes= */ NULL) >= 0);
        return manager;
}

static Manager *start(StateStore *state, Store *store) {
        StoredFds stored = {};

        return start_with(state, store, &stored);
}

/* The service manager: what it is told. */
static int listen_as_manager(Tree *tree) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert(fd >= 0);
        assert(snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", tree->path) <
               (int) sizeof(address.sun_path));
        assert(bind(fd, (struct sockaddr *) &address, sizeof(address)) >= 0);
        assert(setenv("NOTIFY_SOCKET", address.sun_path, /* overwrite= */ true) >= 0);
        return fd;
}

static const char *told(int fd) {
        static char text[256];
        ssize_t n;

        n = recv(fd, text, sizeof(text) - 1, 0);
        text[n > 0 ? n : 0] = '\0';
        return text;
}

/* A descriptor comes back under this name; the caller's as well. */
static int give_back(StoredFds *stored, const char *name, int fd) {
        stored->fds = reallocarray(stored->fds, stored->n + 1, sizeof(*stored->fds));
        stored->stray = reallocarray(stored->stray, stored->n + 1, sizeof(*stored->stray));
        stored->names = reallocarray(stored->names, stored->n + 1, sizeof(*stored->names));
        assert(stored->fds && stored->stray && stored->names);
        stored->fds[stored->n] = fd_dup(fd);
        stored->stray[stored->n] = false;
        stored->names[stored->n] = strdup(name);
        assert(stored->names[stored->n]);
        return stored->fds[stored->n++];
}

/*
 * What came back and is nobody's is closed, and out of the store before that, but not here: its last close
 * may wait for a device. Nor is a lease's own put out for another one of its name.
 */
static void test_strays(void) {
        _cleanup_tree_ Tree *tree = tree_new();
        _cleanup_(stored_fds_done) StoredFds stored = {};
        _cleanup_close_ int manager_fd = listen_as_manager(tree), file = -EBADF;
        StateStore state = { tree->fd, tree->fd };
        int strays[3], pipes[2], never_granted[2], held[2], lifeline;
        char record[512];
        Manager *manager;
        struct stat st;
        Store store;
        Task task;

        assert(pipe2(pipes, O_CLOEXEC) >= 0 && fstat(pipes[0], &st) >= 0);
        snprintf(record, sizeof(record),
                 "version=1 id=5 state=active mode=vmm accounting=process uid=1501 own-userns=1 "
                 "pid=1 since=1 lifeline=pipe:%llu\ndevice=" DEVICE " subsystem=pci driver= override= "
                 "target= given=1 handed=1 recycle=1 dirty=1\n",
                 (unsigned long long) st.st_ino);
        assert(state_file_write(tree->fd, "lease-5", record) == 0);

        file = memfd_create("what", MFD_CLOEXEC);
        assert(file >= 0);
        strays[0] = give_back(&stored, "what", file);
        lifeline = give_back(&stored, "lease-5-lifeline", pipes[0]);
        strays[1] = give_back(&stored, "lease-5-lifeline", file);
        strays[2] = give_back(&stored, "claim-7-device-0", file);
        manager = start_with(&state, &store, &stored);
        assert(manager_find_lease(manager, 5)->lifeline == lifeline);

        for (unsigned i = 0; i < ELEMENTSOF(strays); i++) {
                assert(manager_next_task(manager, &task));
                assert(task.kind == TASK_CLOSE && task.n_fds == 1 && task.fds[0] == strays[i]);
                assert(fcntl(strays[i], F_GETFD) >= 0);
                task_done(&task);
        }
        assert(!manager_next_task(manager, &task));
        assert(strcmp(told(manager_fd), "FDSTOREREMOVE=1\nFDNAME=what") == 0);
        assert(strcmp(told(manager_fd), "FDSTOREREMOVE=1\nFDNAME=claim-7-device-0") == 0);
        assert(strcmp(told(manager_fd), "") == 0);
        manager_free(manager);

        /* one that is not what it is called is a stray as well, and out of the store */
        lifeline = give_back(&stored, "lease-5-lifeline", file);
        manager = start_with(&state, &store, &stored);
        assert(manager_find_lease(manager, 5)->lifeline == -EBADF);
        while (manager_next_task(manager, &task)) {
                assert(task.kind != TASK_CLOSE || task.fds[0] == lifeline);
                lifeline = task.kind == TASK_CLOSE ? -EBADF : lifeline;
                task_done(&task);
        }
        assert(lifeline == -EBADF);
        assert(strcmp(told(manager_fd), "FDSTOREREMOVE=1\nFDNAME=lease-5-lifeline") == 0);
        manager_free(manager);

        /* of a lease that was never granted nobody has the other end; one that somebody has is a stray */
        assert(pipe2(never_granted, O_CLOEXEC) >= 0 && pipe2(held, O_CLOEXEC) >= 0);
        lifeline = give_back(&stored, "lease-6-lifeline", never_granted[0]);
        close_fd(never_granted[0]);
        close_fd(never_granted[1]);
        strays[0] = give_back(&stored, "lease-7-lifeline", held[0]);
        manager = start_with(&state, &store, &stored);
        assert(fcntl(lifeline, F_GETFD) < 0);
        do
                assert(manager_next_task(manager, &task));
        while (task.kind != TASK_CLOSE);
        assert(task.n_fds == 1 && task.fds[0] == strays[0]);
        task_done(&task);
        assert(strcmp(told(manager_fd), "FDSTOREREMOVE=1\nFDNAME=lease-6-lifeline") == 0);
        assert(strcmp(told(manager_fd), "FDSTOREREMOVE=1\nFDNAME=lease-7-lifeline") == 0);
        close_fd(held[0]);
        close_fd(held[1]);
        manager_free(manager);

        close_fd(pipes[0]);
        close_fd(pipes[1]);
        assert(unsetenv("NOTIFY_SOCKET") >= 0);
}

/* A start that fails takes nothing from the store: the next one needs it. */
static void test_start_fails(void) {
        _cleanup_tree_ Tree *tree = tree_new();
        _cleanup_close_ int manager_fd = listen_as_manager(tree);
        StoredFds stored = {};

        (void) give_back(&stored, "lease-5-lifeline", STDERR_FILENO);
        stored_fds_done(&stored);
        assert(strcmp(told(manager_fd), "") == 0);
        assert(unsetenv("NOTIFY_SOCKET") >= 0);
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
        StateStore state = { tree->fd, tree->fd, -EBADF };
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
                StateStore state = { tree->fd, tree->fd, -EBADF };
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

/* Everything as the first iommud that kept state wrote it: its successor goes on with it. */
static void test_oldest(void) {
        static const char approved[] = "version=1\npersistent=0 0000:00:07.0=8086:10d3\n",
                          claim[] = "version=1 claim=3 state=parked persistent=0\n"
                                    "device=0000:00:07.0 subsystem=pci driver=e1000e override= "
                                    "target=vfio-pci dirty=1\n",
                          quarantine[] = "version=1\ndevice=0000:00:08.0 kind=no-reset uid=1501 "
                                         "own-userns=1 reason=no way\n",
                          last[] = "version=1\nlast=5\n";
        _cleanup_(stored_fds_done) StoredFds stored = {};
        _cleanup_tree_ Tree *tree = tree_new();
        StateStore state = { tree->fd, tree->fd, -EBADF };
        const LeaseDevice *device;
        const Claim *parked;
        const Lease *lease;
        char record[512];
        Manager *manager;
        struct stat st;
        int pipes[2];
        Store store;

        assert(pipe2(pipes, O_CLOEXEC) >= 0 && fstat(pipes[0], &st) >= 0);
        snprintf(record, sizeof(record),
                 "version=1 id=5 state=active mode=vmm accounting=process uid=1501 own-userns=1 "
                 "pid=9 since=7 lifeline=pipe:%llu\ndevice=" DEVICE " subsystem=pci driver=nvme "
                 "override= target=vfio-pci given=1 handed=1 recycle=1 dirty=1\n",
                 (unsigned long long) st.st_ino);
        assert(state_file_write(tree->fd, "lease-5", record) == 0);
        assert(state_file_write(tree->fd, "claim-3", claim) == 0);
        assert(state_file_write(tree->fd, "approved-groups", approved) == 0);
        assert(state_file_write(tree->fd, "quarantine", quarantine) == 0);
        assert(state_file_write(tree->fd, "last-lease", last) == 0);
        (void) give_back(&stored, "lease-5-lifeline", pipes[0]);
        manager = start_with(&state, &store, &stored);

        lease = manager_find_lease(manager, 5);
        assert(lease && lease->mode == MODE_VMM && lease->subject.uid == 1501 && lease->since_usec == 7);
        assert(lease->features == (1U << _DOMAIN_FEATURE_MAX) - 1 && lease->until_usec == 0 && !lease->kill);
        device = &lease->devices[0];
        assert(lease->n_devices == 1 && device->handed && device->dirty);
        assert(device->power == POWER_CONTROL_NONE);
        assert(strcmp(device->driver, "nvme") == 0 && strcmp(device->target, "vfio-pci") == 0);
        parked = manager_find_claim(manager, 3);
        assert(parked && parked->n_devices == 1 && strcmp(parked->devices[0].driver, "e1000e") == 0);
        assert(!parked->devices[0].guessed && parked->devices[0].power == POWER_CONTROL_NONE);
        assert(manager->approved->n_groups == 1 && !manager->approved->groups[0].devices[0].has_driver);
        assert(quarantine_find(manager->quarantine, "0000:00:08.0")->kind == QUARANTINE_NO_RESET);
        assert(manager->last_lease == 5);
        manager_free(manager);
        close_fd(pipes[0]);
        close_fd(pipes[1]);
}

/* What a later iommud wrote, in a form that is not known, is as good as damaged; and that is said. */
static void test_newer(void) {
        static const char text_of_9[] = "version=9 id=5 claim=3\nlast=5 and more\n";
        static const char *const files[] = {
                "lease-5", "claim-3", "approved-groups", "quarantine", "last-lease",
        };
        _cleanup_tree_ Tree *tree = tree_new();
        StateStore state = { tree->fd, tree->fd, -EBADF };
        int said, saved_stderr;
        char text[8192] = "";
        Manager *manager;
        Store store;

        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                assert(state_file_write(tree->fd, files[i], text_of_9) == 0);

        said = memfd_create("said", MFD_CLOEXEC);
        saved_stderr = fd_dup(STDERR_FILENO);
        assert(said >= 0 && saved_stderr >= 0 && dup2(said, STDERR_FILENO) >= 0);
        manager = start(&state, &store);
        assert(dup2(saved_stderr, STDERR_FILENO) >= 0);
        close_fd(saved_stderr);
        assert(pread(said, text, sizeof(text) - 1, 0) > 0);
        close_fd(said);

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                char aside[64], line[160];

                snprintf(aside, sizeof(aside), "damaged-%s", files[i]);
                snprintf(line, sizeof(line),
                         "The state file %s is not usable (another version of iommud wrote it", files[i]);
                assert(exists(tree, aside) && strstr(text, line));
                assert(!exists(tree, files[i]) || strcmp(files[i], "quarantine") == 0);
        }
        assert(manager->leases.n_items == 0 && manager->claims.n_items == 0);
        assert(manager->approved->n_groups == 0);
        assert(manager->quarantine->lost && manager->last_lease > 5);
        manager_free(manager);
}

/* The number of a lease is not used again, whatever has become of the lease and of the file. */
static void test_last_lease(void) {
        static const char *const damaged[] = {
                "",
                "version=1\nlast=7\n",
                "version=1\nlast=7\nchecksum=00000000\n",
        };
        _cleanup_tree_ Tree *tree = tree_new();
        StateStore state = { tree->fd, tree->fd, -EBADF };
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

        /* as others compute it */
        tree_file(tree, "version=1\nlast=7\nchecksum=1cd61287\n", "other");
        assert(state_file_read(tree->fd, "other", &text) == 0);
        assert(strcmp(text, "version=1\nlast=7\n") == 0);
        free(TAKE_PTR(text));

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
        test_strays();
        test_start_fails();
        test_quarantine();
        test_damaged();
        test_oldest();
        test_newer();
        test_last_lease();
        test_file();
        return 0;
}
