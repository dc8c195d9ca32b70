/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Refusals: whatever they quote, their text is fit for the bus and for a terminal. */

#include "core/kernel.h"
#include "core/refusal.h"
#include "fake/assert.h"

static void test_printable(void) {
        static const struct {
                const char *quoted, *expected;
        } table[] = {
                { "eth0", "\"eth0\"" },
                { "", "\"\"" },
                { "a\nb\tc\x1b[31m", "\"a?b?c?[31m\"" },
                { "na\xc3\xafve", "\"na??ve\"" },
                { "\xff\xfe\x80", "\"???\"" },
                { "\x7f", "\"?\"" },
                { "~ !", "\"~ !\"" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Refusal refusal;

                assert_eq_int(refuse(&refusal, OUTCOME_DENIED, "\"%s\"", table[i].quoted), OUTCOME_DENIED);
                assert_eq_int(refusal.outcome, OUTCOME_DENIED);
                assert_eq_str(refusal.text, table[i].expected);
        }
}

static void test_cut(void) {
        char text[4 * sizeof(((Refusal *) NULL)->text)];
        Refusal refusal;

        /* characters of two bytes: it does not matter in which byte it is cut */
        for (size_t start = 0; start < 2; start++) {
                memset(text, 'x', sizeof(text));
                for (size_t i = start; i + 2 < sizeof(text); i += 2)
                        memcpy(text + i, "\xc3\xa9", 2);
                text[sizeof(text) - 1] = '\0';

                refuse(&refusal, OUTCOME_INVALID_OPTION, "%s", text);
                assert_eq_int(strlen(refusal.text), sizeof(refusal.text) - 1);
                for (const char *c = refusal.text; *c; c++)
                        assert(*c >= ' ' && *c <= '~');
        }
}

static void test_kernel(void) {
        KernelFailure failure = {};
        Refusal refusal;

        assert_eq_int(kernel_failure(&failure, -EPERM, "ioctl(%s)", "VFIO_DEVICE_BIND_IOMMUFD"), -EPERM);
        assert_eq_str(failure.call, "ioctl(VFIO_DEVICE_BIND_IOMMUFD)");
        assert_eq_int(failure.error, -EPERM);
        assert_eq_int(kernel_failure(NULL, -EPERM, "nobody asks"), -EPERM);

        /* an EPERM of the kernel's is no refusal of the policy's */
        assert_eq_int(refuse_kernel(&refusal, &failure), OUTCOME_KERNEL_FAILED);
        assert_eq_int(refusal.outcome, OUTCOME_KERNEL_FAILED);
        assert_has(refusal.text, "VFIO_DEVICE_BIND_IOMMUFD");
        assert_has(refusal.text, "(EPERM)");

        /* numbers that no libc knows */
        failure.error = -4000;
        refuse_kernel(&refusal, &failure);
        assert_has(refusal.text, "unknown error");

        /* longer than there is room for */
        kernel_failure(&failure, -EIO, "%0500d", 0);
        assert_eq_int(strlen(failure.call), sizeof(failure.call) - 1);
}

int main(void) {
        test_printable();
        test_cut();
        test_kernel();
        return 0;
}
