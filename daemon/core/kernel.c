/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>

#include "core/kernel.h"

static const char *const domain_feature_table[] = {
        [DOMAIN_FEATURE_NESTING] = "nesting",
        [DOMAIN_FEATURE_DIRTY_TRACKING] = "dirty_tracking",
        [DOMAIN_FEATURE_PASID] = "pasid",
        [DOMAIN_FEATURE_FAULT_QUEUE] = "fault_queue",
};

DEFINE_STRING_TABLE(domain_feature, DomainFeature, _DOMAIN_FEATURE_MAX);

static const char *const mode_table[] = {
        [MODE_VMM] = "vmm",
        [MODE_ATTACHED] = "attached",
        [MODE_CONFINED] = "confined",
};

DEFINE_STRING_TABLE(mode, Mode, _MODE_MAX);

static const char *const accounting_table[] = {
        [ACCOUNTING_PROCESS] = "process",
        [ACCOUNTING_USER] = "user",
};

DEFINE_STRING_TABLE(accounting, Accounting, _ACCOUNTING_MAX);

static const char *const power_control_table[] = {
        [POWER_CONTROL_NONE] = "none",
        [POWER_CONTROL_ON] = "on",
        [POWER_CONTROL_AUTO] = "auto",
};

DEFINE_STRING_TABLE(power_control, PowerControl, _POWER_CONTROL_MAX);

int kernel_failure(KernelFailure *reterr, int error, const char *format, ...) {
        va_list ap;

        assert(error < 0);

        if (reterr) {
                reterr->error = error;
                va_start(ap, format);
                vsnprintf(reterr->call, sizeof(reterr->call), format, ap);
                va_end(ap);
        }

        return error;
}
