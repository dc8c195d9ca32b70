/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Access Control Services, from made configuration spaces. */

#include <endian.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "kernel/acs.h"

#define ID_ACS 0x0dU
#define ID_OTHER 0x01U
#define ID_LAST 0x19U

/* How much of it the kernel shows. */
static off_t shown = 4096;

ssize_t __real_pread64(int fd, void *buffer, size_t size, off_t at);
ssize_t __wrap_pread64(int fd, void *buffer, size_t size, off_t at);
ssize_t __wrap_pread64(int fd, void *buffer, size_t size, off_t at) {
        return at >= shown ? 0 : __real_pread64(fd, buffer, size, at);
}

typedef struct Register {
        off_t at;
        uint32_t value;
} Register;

static uint32_t header(uint32_t id, uint32_t next) {
        return id | 1U << 16 | next << 20;
}

/* Of @size bytes, as far as it may be read; the rest of them is zero. */
static int new_config(off_t size, const Register *registers) {
        int fd;

        fd = memfd_create("config", MFD_CLOEXEC);
        assert(fd >= 0 && ftruncate(fd, size) == 0);
        for (; registers->at >= 0; registers++) {
                uint32_t value = htole32(registers->value);

                assert(pwrite(fd, &value, sizeof(value), registers->at) == sizeof(value));
        }

        return fd;
}

#define END { -1, 0 }
#define IDS { 0, 0x10008086 }

static void test_words(void) {
        const struct {
                off_t size;
                Register registers[6];
                int result;
                const char *supported, *enabled;
        } table[] = {
                { 4096, { IDS, { 0x100, header(ID_ACS, 0) }, { 0x104, 0x001d005f }, END },
                  0, "SV TB RR CR UF DT", "SV RR CR UF" },
                /* not the first, and not in order */
                { 4096, { IDS, { 0x100, header(ID_OTHER, 0xff8) }, { 0xff8, header(ID_ACS, 0x200) },
                          { 0xffc, 0x00000001 }, { 0x200, header(ID_LAST, 0) }, END },
                  0, "SV", "none" },
                /* there is none: of others the last, of any the first, of a device of old */
                { 4096, { IDS, { 0x100, header(ID_OTHER, 0x200) }, { 0x200, header(ID_LAST, 0) }, END },
                  0, "none", "none" },
                { 4096, { IDS, END }, 0, "none", "none" },
                { 4096, { IDS, { 0x100, UINT32_MAX }, END }, 0, "none", "none" },
                { 256, { IDS, END }, 0, "none", "none" },
                /* a circle ends; a way out of the space, or into the part that is not for such */
                { 4096, { IDS, { 0x100, header(ID_OTHER, 0x200) }, { 0x200, header(ID_LAST, 0x100) }, END },
                  0, "none", "none" },
                { 4096, { IDS, { 0x100, header(ID_OTHER, 0xffc) }, END }, -EBADMSG, NULL, NULL },
                { 4096, { IDS, { 0x100, header(ID_OTHER, 0x40) }, END }, -EBADMSG, NULL, NULL },
                /* gone, or empty */
                { 4096, { { 0, UINT32_MAX }, END }, -ENODEV, NULL, NULL },
                { 0, { END }, -EPERM, NULL, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_close_ int fd = new_config(table[i].size, table[i].registers);
                Acs acs = { "untouched", "untouched" };

                assert(acs_read(fd, &acs) == table[i].result);
                assert(strcmp(acs.supported, table[i].supported ?: "untouched") == 0);
                assert(strcmp(acs.enabled, table[i].enabled ?: "untouched") == 0);
        }
}

/* To who has not CAP_SYS_ADMIN it looks as if it ended after 64 bytes: that is no "none". */
static void test_not_shown(void) {
        const Register registers[] = { IDS, { 0x100, header(ID_ACS, 0) }, { 0x104, 0x001d005f }, END };
        _cleanup_close_ int express = new_config(4096, registers), old = new_config(256, registers + 3);
        Acs acs;

        shown = 64;
        assert(acs_read(express, &acs) == -EPERM);
        assert(acs_read(old, &acs) == 0 && strcmp(acs.supported, "none") == 0);
        shown = 4096;
}

int main(void) {
        Acs acs;

        test_words();
        test_not_shown();
        assert(acs_read(-EBADF, &acs) == -EBADF);
        return 0;
}
