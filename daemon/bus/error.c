/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "bus/error.h"
#include "core/kernel.h"
#include "core/refusal.h"
#include "names.h"

int reply_refusal(sd_bus_message *call, const Refusal *refusal) {
        char name[64];

        snprintf(name, sizeof(name), IOMMUD_ERROR_PREFIX "%s", outcome_to_string(refusal->outcome));
        return sd_bus_reply_method_errorf(call, name, "%s", refusal->text);
}

int reply_failure(sd_bus_message *call, int error, const char *what) {
        KernelFailure failure;
        Refusal refusal;

        kernel_failure(&failure, error, "%s", what);
        refuse_kernel(&refusal, &failure);
        return reply_refusal(call, &refusal);
}
