/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A bus that is one connection and its driver: calls come from whatever name the test says, and the test
 * answers what is asked about them.
 */

#include <systemd/sd-bus.h>

#include "bus/identity.h"
#include "core/subject.h"
#include "sys/tree.h"

typedef struct FakeDriver {
        sd_bus *daemon, *bus;                /* our end of the connection, and the bus' */
        int proc;
        Tree *sysfs;                         /* empty at first; owned */
        Identity *identity;
        unsigned wanted;                     /* facts that it is asked for; at first all */

        unsigned n_asked;                    /* questions to the driver */
        sd_bus_message *question;            /* the last one; owned */
        unsigned n_calls, n_known;           /* how often the handler ran, and knew who called */
        int result;                          /* of identity_of_sender() */
        Subject subject;

        unsigned n_errors;                   /* that callers got */
        char error[128];                     /* the name of the error that a caller got last; "": none */
} FakeDriver;

FakeDriver *fake_driver_new(void);
FakeDriver *fake_driver_free(FakeDriver *driver);
DEFINE_CLEANUP_FUNC(FakeDriver, fake_driver_free);
#define _cleanup_driver_ _cleanup_(fake_driver_freep)

/* Until there is nothing left to do. */
void fake_driver_process(FakeDriver *driver);

/* The connection of this name calls; NULL: nobody says whose call it is. */
void fake_driver_call(FakeDriver *driver, const char *sender);

/* The answer to the last question: entries of its a{sv} go between the two. */
sd_bus_message *fake_driver_answer_begin(FakeDriver *driver);
void fake_driver_answer_end(FakeDriver *driver, sd_bus_message *reply);

/* One that says nothing but the uid. */
void fake_driver_answer_uid(FakeDriver *driver, uint32_t uid);
