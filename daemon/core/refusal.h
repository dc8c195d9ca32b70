/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A refusal: the named outcome of a request that was not granted, with a sentence for the person who made
 * it. It is the positive kind of bad news: a function of the core returns a negative errno when something
 * broke, and a positive Outcome together with a Refusal when the answer is no.
 */

#include "core/forward.h"
#include "core/host.h"

typedef enum Outcome {
        OUTCOME_GRANTED,                     /* zero: no refusal */
        OUTCOME_INVALID_SELECTOR,
        OUTCOME_INVALID_OPTION,
        OUTCOME_NO_SUCH_DEVICE,
        OUTCOME_DENIED,
        OUTCOME_AUTHORIZATION_REQUIRED,      /* denied, unless somebody who is asked permits it */
        OUTCOME_HOST_IN_USE,
        OUTCOME_QUARANTINED,
        OUTCOME_TAKEN,
        OUTCOME_DRAINING,
        OUTCOME_NOT_SUPPORTED,
        OUTCOME_NOT_VIABLE,
        OUTCOME_QUOTA,
        OUTCOME_KERNEL_FAILED,
        OUTCOME_NO_SUCH_OBJECT,
        OUTCOME_IN_USE,
        OUTCOME_REVOKED,
        _OUTCOME_MAX,
        _OUTCOME_INVALID = -EINVAL,
} Outcome;

/* The names are those of the errors on the bus, without their prefix. */
DECLARE_STRING_TABLE(outcome, Outcome);

struct Refusal {
        Outcome outcome;
        /* OUTCOME_AUTHORIZATION_REQUIRED: the device that has to be asked about; else "" */
        char device[KERNEL_NAME_MAX];
        HostUse use;                         /* OUTCOME_HOST_IN_USE: what for */
        char text[384];                      /* what is wrong and what to do */
};

/* Fills *reterr and returns @outcome. */
int refuse(Refusal *reterr, Outcome outcome, const char *format, ...) _printf_(3, 4);

/* Makes a refusal of what the kernel answered: it is never one of policy, whatever the errno. */
int refuse_kernel(Refusal *reterr, const KernelFailure *failure);

/*
 * Makes '?' of everything but printable ASCII, in place: for texts that quote what others wrote, and go over
 * the bus, which has no patience with what is no UTF-8, and to terminals.
 */
void make_printable(char *text);
