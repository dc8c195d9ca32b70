/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The face of the daemon on one bus connection: puts the objects there, answers what had to wait, publishes
 * changes.
 */

#include <systemd/sd-bus.h>

#include "bus/polkit.h"
#include "core/forward.h"

typedef struct BusServer BusServer;

/*
 * Finds out who sent a message. Returns 1 with *ret set; 0 when that has to be asked for first, and the same
 * message is dispatched again when the answer is there; or a negative errno. The real one is bus/identity.h.
 */
typedef int (*IdentifyFunc)(void *userdata, sd_bus_message *message, Subject *ret);

/* What the server needs of the rest of the daemon. */
typedef struct BusServerFuncs {
        IdentifyFunc identify;

        /*
         * Called when a handler has changed the state: publishes, watches lifelines, starts tasks. Empties
         * @changes.
         */
        void (*commit)(void *userdata, ChangeSet *changes);

        /*
         * Loads the policy again, on the word of @subject, and says so in the journal. On failure returns a
         * negative errno, and the reason in *reterr, which the caller frees; NULL: memory ran out.
         */
        int (*reload)(void *userdata, const Subject *subject, char **reterr);

        /*
         * The pidfd of the process that has sent a message, whose sender was identified. Borrowed until the
         * next message. -EBADF: the bus has none.
         */
        int (*pidfd)(void *userdata, sd_bus_message *message);
} BusServerFuncs;

typedef struct PendingCall PendingCall;

struct BusServer {
        sd_bus *bus;                         /* a reference */
        Manager *manager;                    /* borrowed */
        const char *const *features;         /* borrowed, NULL-terminated */
        const BusServerFuncs *funcs;         /* borrowed */
        void *userdata;                      /* of the funcs */
        Polkit *polkit;                      /* calls that wait for polkit; owned */
        PendingCall *pending;                /* calls that wait for what they have begun; owned */
};

int bus_server_new(sd_bus *bus, Manager *manager, const char *const *features, const BusServerFuncs *funcs,
                   void *userdata, BusServer **ret) _must_check_;
BusServer *bus_server_free(BusServer *server);
DEFINE_CLEANUP_FUNC(BusServer, bus_server_free);

/*
 * Answers the calls whose leases are ready, then emits the signals for all changes. To be called after every
 * call into the core, before manager_reap(). What comes of an answer that can't be sent is in @more.
 */
void bus_server_publish(BusServer *server, const ChangeSet *changes, ChangeSet *more);

/* Keeps a call of Acquire until CHANGE_LEASE_ANSWERED of that lease. Takes a reference of the message. */
int bus_server_defer(BusServer *server, sd_bus_message *call, uint64_t lease) _must_check_;

/* The same of Claim and Release of a group until CHANGE_CLAIM_ANSWERED. */
int bus_server_defer_claim(BusServer *server, sd_bus_message *call, uint64_t claim) _must_check_;

/* The same of any other method until CHANGE_OPERATION_DONE of that operation. */
int bus_server_defer_operation(BusServer *server, sd_bus_message *call, uint64_t operation) _must_check_;

/* Identifies the sender with the func above. */
int bus_server_identify(BusServer *server, sd_bus_message *message, Subject *ret) _must_check_;
