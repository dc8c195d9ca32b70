/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * "run --supervise": stays the parent of the command, to pass on to it what iommud asks.
 */

#include "cli.h"

/* Only returns when it fails. The lease lives in what is inherited, and ends with us if there is no heir. */
Status execute(const iommud_lease *lease, char *const *command);

/*
 * Listens to iommud from before the lease is there, so that nothing is missed: *asked becomes true when the
 * devices are asked for. It is there as long as the client.
 */
Status supervise_prepare(iommud_client *client, bool *asked);

/*
 * Runs the command with the lease. Frees the client and the lease, which then lives in the command alone.
 * SIGTERM and SIGHUP are passed on; SIGTERM is what the command gets, too, when *asked. Returns when it has
 * ended, with its status, or 128 and the number of the signal that has ended it.
 */
Status supervise(iommud_client *client, iommud_lease *lease, bool *asked, char *const *command);
