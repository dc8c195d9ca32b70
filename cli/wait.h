/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the verbs have in common that stay and wait. */

#include "cli.h"

/* When iommud_dispatch() is to be called at the latest: in milliseconds for poll(2), rounded up. */
int client_poll_timeout(iommud_client *client);

/* A descriptor of SIGINT, SIGTERM and SIGHUP, which do nothing else from here on. */
int signals_open(void) _must_check_;
