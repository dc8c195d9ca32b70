/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Object paths: /org/iommud1/group/12, /org/iommud1/lease/7, and /org/iommud1/device/_30000_3a01_3a00_2e0,
 * as sd_bus_path_encode(3) writes 0000:01:00.0.
 */

#include "core/forward.h"

/* The caller frees *ret. */
int path_of_device(const char *name, char **ret) _must_check_;
int path_of_group(uint32_t id, char **ret) _must_check_;
int path_of_lease(uint64_t id, char **ret) _must_check_;

/* The path of a lease that may be none: "/" then. */
int path_of_lease_or_none(const Lease *lease, char **ret) _must_check_;

/* Back again; NULL, or an object that belongs to the manager. */
Device *path_to_device(const Manager *manager, const char *path);
Group *path_to_group(const Manager *manager, const char *path);
Lease *path_to_lease(const Manager *manager, const char *path);
