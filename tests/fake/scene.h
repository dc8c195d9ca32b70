/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A manager over a made host, with everything round it that the daemon has, so that a test reads as a story:
 *
 *         scene_add(s, "0000:01:00.0", 1, "nvme");
 *         assert_eq_int(scene_acquire(s, &ALICE, "0000:01:00.0"), OUTCOME_GRANTED);
 *         scene_run(s);
 *         scene_hand_over(s, s->lease, &client);
 *         client_close(&client);
 *         scene_watch(s);
 *         scene_run(s);
 */

#include "core/change.h"
#include "core/claim.h"
#include "core/device.h"
#include "core/group.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/operation.h"
#include "core/plan.h"
#include "core/refusal.h"
#include "core/subject.h"
#include "fake/fake-host.h"
#include "fake/fake-kernel.h"
#include "fake/fake-store.h"
#include "fake/mirror.h"
#include "fake/task-runner.h"

/* The policy: nobody may have FORBIDDEN, ALICE and BOB may have everything else, and root of course. */
extern const Subject ROOT, ALICE, BOB, STRANGER, CONTAINER_ROOT;
#define FORBIDDEN "0000:66:00.0"

#define SCENE_NOW_USEC UINT64_C(1700000000000000)
#define SCENE_BOOTTIME_USEC UINT64_C(3600000000)

typedef struct Scene {
        FakeKernel *kernel;
        FakeHost host;
        Kernel kernel_port;
        Host host_port;
        FakeStore *fake_store;               /* NULL: nothing survives */
        Store store_port;
        Manager *manager;
        TaskRunner tasks;
        ChangeSet changes;                   /* of all that was called since scene_commit() */
        Mirror mirror;
        /* of the next requests */
        Mode mode;
        IoasOptions ioas_options;
        DomainOptions domain_options;
        char client[CLIENT_MAX];             /* whom the next requests come from */
        int holder;                          /* pidfd for the next requests, borrowed; -EBADF: none */

        uint64_t lease;                      /* that an Acquire has made last */
        Refusal refusal;                     /* of the Acquire that made none last */
        unsigned n_answers;                  /* that were given to callers whose Acquire made a lease */
        Refusal answer;                      /* the last of these answers */
} Scene;

Scene *scene_new(void);
Scene *scene_free(Scene *scene);
DEFINE_CLEANUP_FUNC(Scene, scene_free);
#define _cleanup_scene_ _cleanup_(scene_freep)

/* Plugs in a PCI device, and its group when that is new. The manager knows of both then. */
FakeDevice *scene_add(Scene *scene, const char *name, uint32_t group, const char *driver);

/* What the manager knows of a device, to be changed by the test. */
DeviceFacts *scene_facts(Scene *scene, const char *name);

/* Unplugs a device. */
void scene_unplug(Scene *scene, const char *name);

/*
 * Acquire for @subject; the rest are selectors. Returns OUTCOME_GRANTED with scene->lease, or else
 * scene->refusal is set.
 */
#define scene_acquire(scene, subject, ...)                                                                  \
        scene_acquire_strv(scene, subject, (const char *const[]) { __VA_ARGS__, NULL })
int scene_acquire_strv(Scene *scene, const Subject *subject, const char *const *selectors);

/* The dry run of the same. */
#define scene_plan(scene, subject, ret, ...)                                                                \
        scene_plan_strv(scene, subject, ret, (const char *const[]) { __VA_ARGS__, NULL })
void scene_plan_strv(Scene *scene, const Subject *subject, Plan *ret, const char *const *selectors);

/*
 * What the daemon does after each call into the core: the changes are published, which is to take them into
 * the mirror here, and leases that have ended are forgotten.
 */
void scene_commit(Scene *scene);

/* Runs one task, or all; commits before and after each. */
bool scene_step(Scene *scene);
void scene_run(Scene *scene);

/* What the manager writes down is kept from here on. */
void scene_keep(Scene *scene);

/*
 * The daemon is killed and started again: what it had open is closed, what it had asked for is not known any
 * more, and what was kept is gone on with.
 */
void scene_restart(Scene *scene);

/* Tells the manager what drivers there are, as the monitor does when nobody has asked. */
void scene_monitor(Scene *scene);

/* Like scene_acquire(), and runs all tasks: the lease must be active then. */
#define scene_grant(scene, subject, ...)                                                                    \
        scene_grant_strv(scene, subject, (const char *const[]) { __VA_ARGS__, NULL })
Lease *scene_grant_strv(Scene *scene, const Subject *subject, const char *const *selectors);

/*
 * Has an operation done in scene->lease, with all tasks: it comes back, done or refused, and the caller
 * frees it.
 */
Operation *scene_operate(Scene *scene, const Subject *subject, Operation *operation);

/* Ends leases whose lifeline has been closed, as the daemon does. */
void scene_watch(Scene *scene);

/* Says that the task for a device, which must be waiting, has passed its deadline. */
void scene_overdue(Scene *scene, const char *device);

/* NULL: there is none. */
Lease *scene_lease(Scene *scene, uint64_t id);

/* All changes: "lease-added 1, device-changed 0000:01:00.0". Static, overwritten by the next call. */
const char *scene_changes(const Scene *scene);
unsigned scene_count_changes(const Scene *scene, ChangeKind kind);

/*
 * Claim and Release of a group by root, and all tasks that come of it. Returns OUTCOME_GRANTED, or else
 * scene->refusal is set: at once, or as the answer.
 */
int scene_claim(Scene *scene, uint32_t group, const ClaimRequest *request);
int scene_unclaim(Scene *scene, uint32_t group);

/* The state of the claim on a group, "none" for none. */
const char *scene_claim_state(const Scene *scene, uint32_t group);

/* What a client has got. */
typedef struct Client {
        int lifeline, iommufd, devices[LIMIT_LEASE_DEVICES];
        unsigned n_devices;
} Client;

/* Hands a lease over, as the reply of Acquire does. */
void scene_hand_over(Scene *scene, uint64_t lease, Client *ret);
void client_close(Client *client);

/* What must be as it was when a lease has come and gone. */
typedef struct Before {
        char drivers[2048];
        PowerControl power[FAKE_DEVICES_MAX];
        unsigned n_fds;
} Before;

void scene_remember(const Scene *scene, Before *ret);

/* The host's drivers with power/control, our descriptors, and nothing reserved or charged. Commits. */
void scene_assert_as_before(Scene *scene, const Before *before);
