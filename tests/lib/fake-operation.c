/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The methods of lease 7 that change what its DMA reaches. In the scenario "echo" all are refused, with what
 * they were called with.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "bus/message-text.h"
#include "fake-iommud.h"
#include "names.h"

/* Pages 0, 1, and 9 of ten. */
static int reply_bitmap(sd_bus_message *m) {
        static const unsigned char bits[] = { 0x03, 0x02 };
        _cleanup_close_ int fd = memfd_create("bitmap", MFD_CLOEXEC);

        check(fd);
        if (!scenario_is("short"))
                check((int) write(fd, bits, sizeof(bits)));
        return sd_bus_reply_method_return(m, "h", fd);
}

/* Where it was wanted, or behind as many bytes as there are; it can't shrink any more. */
static int reply_map(sd_bus_message *m) {
        uint64_t ioas, offset, length;
        struct stat st;
        int fd;

        check(sd_bus_message_read(m, "thtt", &ioas, &fd, &offset, &length));
        check(fstat(fd, &st));
        if (!(fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK))
                return sd_bus_reply_method_errorf(
                        m, IOMMUD_ERROR_INVALID_OPTION, "seal it with F_SEAL_SHRINK");

        return sd_bus_reply_method_return(m, "t", UINT64_C(0x100000) + (uint64_t) st.st_size);
}

int reply_operation(sd_bus_message *m) {
        const char *member = sd_bus_message_get_member(m);

        if (strcmp(sd_bus_message_get_path(m), IOMMUD_PATH_LEASE "/7") != 0)
                return sd_bus_reply_method_errorf(m, IOMMUD_ERROR_DENIED, "it is bob's");
        if (scenario_is("echo")) {
                _cleanup_free_ char *text = message_text(m);

                return sd_bus_reply_method_errorf(m, IOMMUD_ERROR_IN_USE, "%s %s", member, text);
        }

        if (strcmp(member, "AllocIoas") == 0)
                return sd_bus_reply_method_return(m, "ta{sv}", UINT64_C(11), 0);
        if (strcmp(member, "AllocDomain") == 0 && scenario_begins_with("faults"))
                return reply_fault_queue(m);
        if (strcmp(member, "AllocDomain") == 0)
                return sd_bus_reply_method_return(
                        m, "ta{sh}a{sv}", UINT64_C(12), 0, 1, "id", "u", 21);
        if (strcmp(member, "Attach") == 0)
                return sd_bus_reply_method_return(m, "a{sv}", 2, "replaced", "b", 1, "pasid", "u", 3);
        if (strcmp(member, "MapFile") == 0)
                return reply_map(m);
        if (strcmp(member, "Unmap") == 0)
                return sd_bus_reply_method_return(m, "t", UINT64_C(0x3000));
        if (strcmp(member, "IovaRanges") == 0)
                return sd_bus_reply_method_return(
                        m, "a(tt)t", 2, UINT64_C(0), UINT64_C(0xfedfffff), UINT64_C(0xfef00000),
                        UINT64_C(0xffffffffffff), UINT64_C(4096));
        if (strcmp(member, "GetDirtyBitmap") == 0)
                return reply_bitmap(m);
        if (strcmp(member, "Destroy") == 0 && scenario_is("faults-busy"))
                return sd_bus_reply_method_errorf(m, IOMMUD_ERROR_IN_USE, "something is attached to it");
        if (strcmp(member, "Revoke") == 0 && scenario_is("short"))
                return sd_bus_reply_method_return(m, "a{sv}", 0);
        if (strcmp(member, "Revoke") == 0 && scenario_is("stubborn"))
                return sd_bus_reply_method_return(
                        m, "a{sv}", 1, "not_reset", "as", 2, "0000:02:00.0", "0000:02:00.1");
        if (strcmp(member, "Revoke") == 0)
                return sd_bus_reply_method_return(m, "a{sv}", 1, "not_reset", "as", 0);

        return sd_bus_reply_method_return(m, NULL);
}
