/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

/* Which of its faults the fake shows. */
bool scenario_is(const char *name);
bool scenario_begins_with(const char *beginning);

/* Stops the program when a result is negative. */
void check(int r);

/* Lease 7 is gone, and everybody hears of it. */
void lease_remove(sd_bus *bus);

/* Everything that iommud can tell of lease 7. */
void lease_signals(sd_bus *bus);

/* The answers. */
int reply_devices(sd_bus_message *m);
int reply_groups(sd_bus_message *m);
int reply_leases(sd_bus_message *m, const char *state, bool gone);
int reply_find(sd_bus_message *m);
int reply_plan(sd_bus_message *m);
int reply_acquire(sd_bus_message *m);
int reply_dma_state(sd_bus_message *m);
int reply_hw_info(sd_bus_message *m);
int reply_alloc_virtual(sd_bus_message *m);
int reply_operation(sd_bus_message *m);
int reply_fault_queue(sd_bus_message *m);
int reply_event_queue(sd_bus_message *m);
