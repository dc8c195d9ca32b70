/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/dir.h"
#include "base/fault.h"
#include "base/parse.h"
#include "core/approved.h"
#include "core/claim-record.h"
#include "core/claim.h"
#include "core/kernel.h"
#include "core/lease-record.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/quarantine.h"
#include "core/record-text.h"
#include "sys/journal.h"
#include "sys/state-file.h"
#include "sys/state-store.h"

#define FILE_PREFIX "lease-"
#define CLAIM_PREFIX "claim-"
#define APPROVED_FILE "approved-groups"
#define QUARANTINE_FILE "quarantine"
#define LAST_LEASE_FILE "last-lease"
#define LAST_LEASE_BEGIN "version=1\nlast="

static void file_name(char *buffer, size_t size, uint64_t lease) {
        snprintf(buffer, size, FILE_PREFIX "%" PRIu64, lease);
}

static int store_save(void *userdata, const Lease *lease, KernelFailure *reterr) {
        FAULT_SPAN_RECORD;
        _cleanup_free_ char *text = NULL;
        StateStore *store = userdata;
        char name[32];
        int r;

        file_name(name, sizeof(name), lease->id);

        r = lease_record_write(lease, &text);
        if (r >= 0)
                r = state_file_write(store->dir, name, text);
        if (r < 0)
                return kernel_failure(reterr, r, "writing the state file %s", name);

        return 0;
}

static int store_save_quarantine(void *userdata, const Quarantine *quarantine, KernelFailure *reterr) {
        FAULT_SPAN_RECORD;
        _cleanup_free_ char *text = NULL;
        StateStore *store = userdata;
        int r;

        if (quarantine->n_entries == 0 && !quarantine->lost) {
                r = fault_point();
                if (r >= 0)
                        r = state_file_remove(store->dir, QUARANTINE_FILE);
                return r < 0 ? kernel_failure(reterr, r, "removing the state file " QUARANTINE_FILE) : 0;
        }

        r = quarantine_write(quarantine, &text);
        if (r >= 0)
                r = state_file_write(store->dir, QUARANTINE_FILE, text);
        if (r < 0)
                return kernel_failure(reterr, r, "writing the state file " QUARANTINE_FILE);

        return 0;
}

static void lifeline_name(char *buffer, size_t size, uint64_t lease) {
        snprintf(buffer, size, FILE_PREFIX "%" PRIu64 "-lifeline", lease);
}

static int store_keep_fd(void *userdata, const char *name, int fd, KernelFailure *reterr) {
        FAULT_SPAN_RECORD;
        StateStore *store = userdata;
        int r;

        r = fault_point();
        if (r >= 0)
                r = fd_store_put(store->manager, name, fd);
        if (r < 0)
                return kernel_failure(reterr, r, "giving %s to the service manager", name);

        return 0;
}

static void store_drop_fd(void *userdata, const char *name) {
        (void) fault_point();                /* a test can only kill */
        fd_store_remove(name);
}

static int store_keep_lifeline(void *userdata, uint64_t lease, int fd, KernelFailure *reterr) {
        char name[48];

        lifeline_name(name, sizeof(name), lease);
        return store_keep_fd(userdata, name, fd, reterr);
}

static void store_drop_lifeline(void *userdata, uint64_t lease) {
        char name[48];

        lifeline_name(name, sizeof(name), lease);
        store_drop_fd(userdata, name);
}

static int store_save_last_lease(void *userdata, uint64_t id, KernelFailure *reterr) {
        FAULT_SPAN_RECORD;
        StateStore *store = userdata;
        char text[64];
        int r;

        snprintf(text, sizeof(text), LAST_LEASE_BEGIN "%" PRIu64 "\n", id);
        r = state_file_write(store->dir, LAST_LEASE_FILE, text);
        if (r < 0)
                return kernel_failure(reterr, r, "writing the state file " LAST_LEASE_FILE);

        return 0;
}

static void store_forget(void *userdata, const Lease *lease) {
        StateStore *store = userdata;
        char name[48];
        int r;

        /* here and below a test can only kill: what fails here is only noted */
        (void) fault_point();
        lifeline_name(name, sizeof(name), lease->id);
        fd_store_remove(name);

        (void) fault_point();
        file_name(name, sizeof(name), lease->id);
        r = state_file_remove(store->dir, name);
        if (r < 0)
                log_warning("The state file %s can't be removed: %s. It is looked at again at the next "
                            "start",
                        name, strerrordesc_np(-r));
}

static void claim_file_name(char *buffer, size_t size, uint64_t claim) {
        snprintf(buffer, size, CLAIM_PREFIX "%" PRIu64, claim);
}

static int store_save_claim(void *userdata, const Claim *claim, KernelFailure *reterr) {
        _cleanup_free_ char *text = NULL;
        StateStore *store = userdata;
        char name[32];
        int r;

        claim_file_name(name, sizeof(name), claim->id);

        r = claim_record_write(claim, &text);
        if (r >= 0)
                r = state_file_write(store->dir, name, text);
        if (r < 0)
                return kernel_failure(reterr, r, "writing the state file %s", name);

        return 0;
}

static void store_forget_claim(void *userdata, const Claim *claim) {
        StateStore *store = userdata;
        char name[32];
        int r;

        (void) fault_point();                /* a test can only kill */
        claim_file_name(name, sizeof(name), claim->id);
        r = state_file_remove(store->dir, name);
        if (r < 0)
                log_warning("The state file %s can't be removed: %s. It is looked at again at the next "
                            "start",
                        name, strerrordesc_np(-r));
}

static int store_save_approved(void *userdata, const Approved *approved, KernelFailure *reterr) {
        _cleanup_free_ char *text = NULL;
        StateStore *store = userdata;
        int r;

        r = approved_write(approved, &text);
        if (r >= 0)
                r = state_file_write(store->lasting, APPROVED_FILE, text);
        if (r < 0)
                return kernel_failure(reterr, r, "writing " IOMMUD_LASTING_DIR "/" APPROVED_FILE);

        return 0;
}

Store state_store_port(StateStore *store) {
        static const StoreOps ops = {
                .save = store_save,
                .keep_lifeline = store_keep_lifeline,
                .drop_lifeline = store_drop_lifeline,
                .save_last_lease = store_save_last_lease,
                .keep_fd = store_keep_fd,
                .drop_fd = store_drop_fd,
                .forget = store_forget,
                .save_claim = store_save_claim,
                .forget_claim = store_forget_claim,
                .save_approved = store_save_approved,
                .save_quarantine = store_save_quarantine,
        };

        return (Store) { .ops = &ops, .userdata = store };
}

static int load_lease(StateStore *store, const char *name, Manager *manager) {
        _cleanup_free_ char *text = NULL;
        char expected[48];
        Lease *lease;
        int r;

        r = state_file_read(store->dir, name, &text);
        if (r < 0)
                return r;

        r = lease_record_read(manager, text, &lease);
        if (r < 0)
                return r;

        file_name(expected, sizeof(expected), lease->id);
        if (strcmp(name, expected) != 0) {
                lease_free(lease);           /* it says that it is another lease's file */
                return -EBADMSG;
        }

        return 0;
}

static int take_lifeline(void *userdata, uint64_t lease) {
        StoredFds *stored = userdata;
        char name[48];

        lifeline_name(name, sizeof(name), lease);
        return stored_fds_take(stored, name);
}

static int load_claim(StateStore *store, const char *name, Manager *manager) {
        _cleanup_free_ char *text = NULL;
        char expected[32];
        Claim *claim;
        int r;

        r = state_file_read(store->dir, name, &text);
        if (r < 0)
                return r;

        r = claim_record_read(manager, text, &claim);
        if (r < 0)
                return r;

        claim_file_name(expected, sizeof(expected), claim->id);
        if (strcmp(name, expected) != 0) {
                claim_free(claim);
                return -EBADMSG;
        }

        return 0;
}

static int take_fd(void *userdata, const char *name) {
        return stored_fds_take(userdata, name);
}

static int load_approved(StateStore *store, Manager *manager) {
        _cleanup_free_ char *text = NULL;
        int r;

        if (store->lasting < 0)
                return 0;

        r = state_file_read(store->lasting, APPROVED_FILE, &text);
        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = approved_read(manager->approved, text);
        if (r < 0 && r != -ENOMEM) {
                state_file_set_aside(store->lasting, APPROVED_FILE, r,
                        "no group is claimed at start, and none is known to have grown");
                return 0;
        }

        return r;
}

static int read_quarantine(StateStore *store, Manager *manager) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = state_file_read(store->dir, QUARANTINE_FILE, &text);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;

        return quarantine_read(manager->quarantine, text);
}

/*
 * What can't be read may have had any device in it. It stays where it is until something is there that says
 * so: whenever we end, the next of us finds the one or the other.
 */
static int load_quarantine(StateStore *store, Manager *manager) {
        KernelFailure failure;
        int r;

        r = read_quarantine(store, manager);
        if (r == -ENOMEM || r >= 0)
                return r;

        state_file_keep_aside(store->dir, QUARANTINE_FILE, r,
                "nobody gets a device that root has not cleared: \"iommuctl quarantine\"");
        manager->quarantine->lost = true;
        if (store_save_quarantine(store, manager->quarantine, &failure) < 0)
                log_error("%s: %s. It is tried again at the next start", failure.call,
                          strerrordesc_np(-failure.error));
        return 0;
}

static int read_last_lease(StateStore *store, uint64_t *ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = state_file_read(store->dir, LAST_LEASE_FILE, &text);
        if (r < 0)
                return r;

        if (strncmp(text, LAST_LEASE_BEGIN, strlen(LAST_LEASE_BEGIN)) != 0)
                return record_not_known(text);

        text[strcspn(text + strlen(LAST_LEASE_BEGIN), "\n") + strlen(LAST_LEASE_BEGIN)] = '\0';
        return parse_u64(text + strlen(LAST_LEASE_BEGIN), ret) < 0 ? -EBADMSG : 0;
}

/* A number that no lease of this boot has reached: there was not one in every millisecond. */
static uint64_t beyond_all_leases(void) {
        struct timespec up;

        (void) clock_gettime(CLOCK_BOOTTIME, &up);             /* can't fail for this clock */
        return (uint64_t) up.tv_sec * 1000 + (uint64_t) up.tv_nsec / 1000000;
}

static int load_last_lease(StateStore *store, Manager *manager) {
        char consequence[64];
        int r;

        r = read_last_lease(store, &manager->last_lease);
        if (r == -ENOENT)
                return 0;                    /* there was none since the host came up */
        if (r == -ENOMEM || r >= 0)
                return r;

        manager->last_lease = beyond_all_leases();
        snprintf(consequence, sizeof(consequence), "leases are numbered from %" PRIu64 " on",
                 manager->last_lease + 1);
        state_file_set_aside(store->dir, LAST_LEASE_FILE, r, consequence);
        return 0;
}

/*
 * Nothing is lost without a word. Whether their holders have ended, for which the service manager drops a
 * lifeline, or it has kept none, can't be told from here.
 */
static void tell_lost(const StoredFds *stored, const Manager *manager) {
        unsigned n = 0;

        for (size_t i = 0; i < manager->leases.n_items; i++)
                n += ((const Lease *) manager->leases.items[i])->state == LEASE_ACTIVE;

        if (stored->n == 0 && n > 0)
                log_warning("No descriptor has come back for %u leases: their holders have ended, or iommud "
                            "was stopped, and not restarted, by a service manager that keeps nothing over "
                            "that (systemd before 254). The leases end when their devices are closed",
                            n);
}

/* The other end of a pipe is closed: nobody waits for anything that is about it. */
static bool has_hung_up(int fd) {
        struct pollfd poll_fd = { .fd = fd };
        struct stat st;

        return fstat(fd, &st) >= 0 && S_ISFIFO(st.st_mode) && poll(&poll_fd, 1, 0) == 1 &&
               poll_fd.revents & POLLHUP;
}

/* What came back and is nobody's. */
static void close_strays(StoredFds *stored, Manager *manager) {
        const char *name;
        int fd;

        while ((fd = stored_fds_take_any(stored, &name)) >= 0) {
                /* such as the lifeline of a lease that was never granted */
                if (has_hung_up(fd)) {
                        close_fd(fd);
                        continue;
                }

                log_warning("The service manager kept \"%s\" for us, which belongs to no lease and no "
                            "claim: closing it",
                            name);
                manager_close_stray_consume(manager, name, fd);
        }
}

int state_store_load(StateStore *store, StoredFds *stored, Manager *manager, ChangeSet *changes) {
        _cleanup_dir_ Dir *dir = NULL;
        const char *name;
        int r;

        /* first: a lease that is gone on with can add to it */
        r = load_quarantine(store, manager);
        if (r < 0)
                return r;

        r = load_last_lease(store, manager);
        if (r < 0)
                return r;

        r = load_approved(store, manager);
        if (r < 0)
                return r;

        r = dir_open_at(store->dir, ".", &dir);
        if (r < 0)
                return r;

        while ((r = dir_next(dir, &name)) == DIR_ENTRY) {
                int q;

                if (strncmp(name, CLAIM_PREFIX, strlen(CLAIM_PREFIX)) == 0) {
                        q = load_claim(store, name, manager);
                        if (q == -ENOMEM)
                                return q;
                        if (q < 0)
                                state_file_set_aside(store->dir, name, q,
                                        "a device that was claimed may have to be given back to its driver "
                                        "by hand");
                }

                if (strncmp(name, FILE_PREFIX, strlen(FILE_PREFIX)) != 0)
                        continue;

                q = load_lease(store, name, manager);
                if (q == -ENOMEM)
                        return q;
                if (q < 0)
                        state_file_set_aside(store->dir, name, q,
                                "a device that its lease had may have to be given back to its driver by "
                                "hand");
        }
        if (r < 0)
                return r;

        tell_lost(stored, manager);
        manager_attach_claims(manager, changes);
        manager_adopt_leases(manager, take_lifeline, take_fd, stored, changes);
        manager_adopt_claims(manager, take_fd, stored, changes);
        manager_claim_persistent(manager, changes);
        close_strays(stored, manager);
        return 0;
}
