/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One object type per file: <type>-object.c has its vtable and its table of properties. They are put on the
 * bus by the server, and the Manager's lists are made of the same tables.
 */

#include <systemd/sd-bus.h>

#include "base/ptr-array.h"
#include "bus/server.h"

int manager_object_add(BusServer *server) _must_check_;
int device_object_add(BusServer *server) _must_check_;
int group_object_add(BusServer *server) _must_check_;
int lease_object_add(BusServer *server) _must_check_;

/* Append all properties of an object, a{sv}. */
int device_object_append(sd_bus_message *message, const Device *device) _must_check_;
int group_object_append(sd_bus_message *message, const Group *group) _must_check_;
int lease_object_append(sd_bus_message *message, const Lease *lease) _must_check_;

/* Acquire, Plan and ExplainPolicy, methods of the Manager. */
int method_acquire(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_plan(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_explain_policy(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* The method Release of a lease; @userdata is the server. */
int lease_method_release(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* The reply to the Acquire that made this lease: hands its descriptors over. */
int lease_object_reply(sd_bus_message *call, Lease *lease) _must_check_;

/*
 * For a fallback vtable and its node enumerator: everything of one kind in a table of the manager.
 * @path_of makes the path of an item.
 */
int enumerate_paths(
        const PtrArray *items, int (*path_of)(const void *item, char **ret), char ***ret) _must_check_;
