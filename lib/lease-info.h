/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is known of a lease of anybody. */

#include "record.h"

typedef struct LeaseHolder {
        uint32_t pid;
        char *command;
        char *unit;
        char *cgroup;
} LeaseHolder;

typedef struct LeaseHolders {
        LeaseHolder *items;
        size_t n_items;
} LeaseHolders;

struct iommud_lease_info {
        uint64_t id;
        uint32_t uid;
        uint32_t pid;
        char *mode;
        char *state;
        char *state_reason;
        LeaseHolders holders;
        char **devices;
        char **companions;
        Numbers groups;
        uint64_t since;
        uint64_t until;
};
