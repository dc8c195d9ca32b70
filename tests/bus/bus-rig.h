/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The server on one end of a socketpair, a client on the other, a scene behind: no bus and no root is
 * needed. Who the caller is the test says. Everything that the client receives is written down in the order
 * in which it came.
 */

#include <systemd/sd-bus.h>

#include "bus/server.h"
#include "core/subject.h"
#include "fake/scene.h"

typedef struct BusRig {
        Scene *scene;
        sd_bus *server_bus, *client;
        BusServer *server;

        Subject subject;                     /* who the caller is */
        int identify;                        /* what finding that out returns: 1, 0, a negative errno */
        sd_bus_message *asked;               /* the message that identify was 0 for; owned */
        int pidfd;                           /* of the caller; borrowed; -EBADF: there is none */
        int n_fds_left;                      /* so many can be opened while it publishes; -1: any number */
        bool no_worker;                      /* tasks can't be started */
        int reload;                          /* what loading the policy returns */
        unsigned n_reloads;

        /*
         * What the client has received: "reply", "error org.iommud1.Error.Denied" or
         * "/org/iommud1/lease/1 PropertiesChanged org.iommud1.Lease State StateReason", a line each.
         */
        char received[16384];
} BusRig;

BusRig *bus_rig_new(void);
BusRig *bus_rig_free(BusRig *rig);
DEFINE_CLEANUP_FUNC(BusRig, bus_rig_free);
#define _cleanup_rig_ _cleanup_(bus_rig_freep)
#define _cleanup_message_ _cleanup_(sd_bus_message_unrefp)

/* Lets both ends do what they have to do until neither has anything left. */
void bus_rig_process(BusRig *rig);

/* Runs all tasks, each followed by what the daemon does then. */
void bus_rig_run_tasks(BusRig *rig);

/* Publishes what the scene has changed. */
void bus_rig_commit(BusRig *rig);

/* The same for leases whose lifelines have been closed. */
void bus_rig_watch(BusRig *rig);

/* Forgets what was received. */
void bus_rig_forget(BusRig *rig);

/* A call that is answered later, into *ret; NULL until then. The caller frees it. */
void bus_rig_send(BusRig *rig, sd_bus_message *call, sd_bus_message **ret);

/*
 * Calls a method, with arguments as for sd_bus_message_append(). Returns the reply or the error, which the
 * caller frees.
 */
sd_bus_message *bus_rig_call(BusRig *rig, const char *path, const char *interface, const char *member,
                             const char *types, ...);

/* A call of a method of the Manager, with nothing in it yet. */
sd_bus_message *bus_rig_message(BusRig *rig, const char *member);

/* Acquire or Plan without options, to be answered at once; or later, into *ret. */
sd_bus_message *bus_rig_acquire(BusRig *rig, const char *selector);
void bus_rig_send_acquire(BusRig *rig, const char *selector, sd_bus_message **ret);

/* The reply is an error of this name, with this in its text; fit for every bus. */
void assert_error(sd_bus_message *reply, const char *name, const char *part);
void assert_reply(sd_bus_message *reply, const char *types);

/* The descriptors of a reply of Acquire by role, duplicated, into one client of the scene. */
void bus_rig_take_fds(BusRig *rig, sd_bus_message *reply, uint64_t *ret_lease, Client *ret);
