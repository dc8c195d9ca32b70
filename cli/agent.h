/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli.h"

/*
 * An agent of polkit for this terminal, pkttyagent(1), which asks for a password where no agent of the
 * session does. Only where somebody sits at a terminal, and not for root, whom nobody asks.
 */
typedef struct Agent {
        pid_t pid;                      /* 0: there is none */
} Agent;

/* Starts it, and waits until it can be asked. That it can't be started is no failure: there is none then. */
void agent_start(Agent *agent);

/* Ends it, if there is one. */
void agent_stop(Agent *agent);
