/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/kernel.h"
#include "core/refusal.h"

static const char *const outcome_table[] = {
        [OUTCOME_GRANTED] = "Granted",
        [OUTCOME_INVALID_SELECTOR] = "InvalidSelector",
        [OUTCOME_INVALID_OPTION] = "InvalidOption",
        [OUTCOME_NO_SUCH_DEVICE] = "NoSuchDevice",
        [OUTCOME_DENIED] = "Denied",
        [OUTCOME_AUTHORIZATION_REQUIRED] = "AuthorizationRequired",
        [OUTCOME_HOST_IN_USE] = "HostInUse",
        [OUTCOME_QUARANTINED] = "Quarantined",
        [OUTCOME_TAKEN] = "Taken",
        [OUTCOME_DRAINING] = "Draining",
        [OUTCOME_NOT_SUPPORTED] = "NotSupported",
        [OUTCOME_NOT_VIABLE] = "NotViable",
        [OUTCOME_QUOTA] = "Quota",
        [OUTCOME_KERNEL_FAILED] = "KernelFailed",
        [OUTCOME_NO_SUCH_OBJECT] = "NoSuchObject",
        [OUTCOME_IN_USE] = "InUse",
        [OUTCOME_REVOKED] = "Revoked",
};

DEFINE_STRING_TABLE(outcome, Outcome, _OUTCOME_MAX);

void make_printable(char *text) {
        for (char *c = text; *c; c++)
                if (*c < ' ' || *c > '~')
                        *c = '?';
}

int refuse(Refusal *reterr, Outcome outcome, const char *format, ...) {
        va_list ap;

        assert(outcome > 0);

        reterr->outcome = outcome;
        reterr->device[0] = '\0';
        reterr->use = HOST_USE_UNKNOWN;
        va_start(ap, format);
        vsnprintf(reterr->text, sizeof(reterr->text), format, ap);
        va_end(ap);

        /* it may quote what the caller sent, cut in the middle of a character */
        make_printable(reterr->text);
        return outcome;
}

int refuse_kernel(Refusal *reterr, const KernelFailure *failure) {
        return refuse(reterr, OUTCOME_KERNEL_FAILED, "The kernel refused: %s: %s (%s)", failure->call,
                      strerrordesc_np(-failure->error) ?: "unknown error",
                      strerrorname_np(-failure->error) ?: "?");
}
