/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The library against the fake: see fake-iommud.c. */

#include "base/macro.h"
#include "iommud.h"

DEFINE_CLEANUP_FUNC(iommud_client, iommud_client_free);
DEFINE_CLEANUP_FUNC(iommud_request, iommud_request_free);
DEFINE_CLEANUP_FUNC(iommud_lease, iommud_lease_free);
DEFINE_CLEANUP_FUNC(iommud_plan, iommud_plan_free);
DEFINE_CLEANUP_FUNC(iommud_device *, iommud_devices_free);
DEFINE_CLEANUP_FUNC(iommud_group *, iommud_groups_free);
DEFINE_CLEANUP_FUNC(iommud_lease_info *, iommud_lease_infos_free);
DEFINE_CLEANUP_FUNC(char *, iommud_strings_free);

/* A client of a fake of its own. */
iommud_client *client_of(const char *scenario);

/* A request for the device @selector. */
iommud_request *request_for(const char *selector);

/* The number of open file descriptors of this process. */
unsigned count_fds(void);
