/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Calls of methods of a lease.
 */

#include <systemd/sd-bus.h>

#include "client.h"

/* A call of @member, to be filled with arguments. */
int lease_prepare(
                iommud_client *client, uint64_t lease, const char *member,
                sd_bus_message **ret) _must_check_;

/*
 * Sends what was prepared, if the result of filling it, @r, is no failure, and expects an answer of these
 * types. Returns as public functions do.
 */
int lease_call(
                iommud_client *client, uint64_t lease, int r, sd_bus_message *m, const char *types,
                sd_bus_message **ret_reply) _must_check_;

/* The descriptor of @role in an a{sh}, if there is one: a copy, for the caller to close. */
int message_read_fd(sd_bus_message *m, const char *role, int *ret_fd) _must_check_;

/* An entry of an open a{sv}, of the type ay. */
int message_append_bytes(sd_bus_message *m, const char *key, const void *data, size_t size) _must_check_;
