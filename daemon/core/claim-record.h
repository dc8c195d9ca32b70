/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A claim as text, for the state that survives the daemon, as core/lease-record.h. Whoever stores it adds
 * the checksum.
 */

#include "core/forward.h"

/* The caller frees *ret. Returns 0 or a negative errno. */
int claim_record_write(const Claim *claim, char **ret) _must_check_;

/*
 * Makes the claim that @text was written of, in the manager's table but without its group: claim_adopt()
 * goes on. Returns 0; -EBADMSG when this is no such text; -EPROTONOSUPPORT when it is of a version that is
 * not known; -EEXIST when there is a claim of that number.
 */
int claim_record_read(Manager *manager, const char *text, Claim **ret) _must_check_;
