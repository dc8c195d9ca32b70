/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What of the host must be the same after a fault as it was before: the driver and the override of each PCI
 * device, that the service manager keeps nothing for iommud, and what has become of a claim.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <systemd/sd-bus.h>

#include "base/macro.h"

typedef struct FaultsHost {
        sd_bus *bus;                         /* owned */
        char *bindings;                      /* owned */
} FaultsHost;

/* As it is now. Returns 0, or a negative errno. */
int faults_host_init(FaultsHost *host) _must_check_;
void faults_host_done(FaultsHost *host);

bool faults_host_is_same(const FaultsHost *host);

/* What was and what is, to stderr. */
void faults_host_print(const FaultsHost *host);

/* The driver of a PCI device, "" for none; the number of its group. */
void faults_host_read_driver(const char *device, char *buffer, size_t size);
int faults_host_read_group(const char *device, uint32_t *ret) _must_check_;

/* The claim on a group, as the daemon shows it. */
typedef struct FaultsClaim {
        char *state;                         /* owned */
        char *reason;                        /* owned */
} FaultsClaim;

/* Of this group alone: all of them are a hundred times as much. -ETIMEDOUT: the daemon has died over it. */
int faults_host_read_claim(const FaultsHost *host, uint32_t group, FaultsClaim *ret) _must_check_;
void faults_claim_done(FaultsClaim *claim);

/* Whether there is a state file of a name that begins with @prefix. */
bool has_state_file(const char *prefix);

/* Never NULL: the test ends instead. */
static inline void *need(void *p) {
        if (!p)
                abort();
        return p;
}
