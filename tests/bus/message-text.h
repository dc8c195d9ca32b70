/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is in a message, as text with all types in it: { "id": <t 1>, "groups": <au [12]> }
 */

#include <systemd/sd-bus.h>

/* From where the message was read up to now to its end. The caller frees it. */
char *message_text(sd_bus_message *message);

/* The same for the next complete value only. */
char *message_value_text(sd_bus_message *message);
