/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A lease as text, for the state that survives the daemon: lines of "key=value" words. Whoever stores it
 * adds the checksum.
 */

#include "core/forward.h"

/* The caller frees *ret. Returns 0 or a negative errno. */
int lease_record_write(const Lease *lease, char **ret) _must_check_;

/*
 * Makes the lease that @text was written of, in the manager's table but without its groups:
 * manager_adopt_leases() goes on. Returns 0; -EBADMSG when this is no such text; -EPROTONOSUPPORT when it is
 * of a version that is not known; -EEXIST when there is a lease of that number.
 */
int lease_record_read(Manager *manager, const char *text, Lease **ret) _must_check_;
