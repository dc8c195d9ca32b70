/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fd.h"
#include "base/parse.h"
#include "sys/journal.h"
#include "sys/state-file.h"

/* One for all: what is left of one that was not finished goes with the next. */
#define TEMPORARY ".new"

#define CHECKSUM_KEY "checksum="

/* More than 8 devices with the companions of their groups need, and many devices in quarantine. */
#define FILE_SIZE_MAX (64 * 1024)

/*
 * CRC-32 as in IEEE 802.3: tells a torn or edited file, not an enemy, who would be root. Four bits at a
 * time: there is one in each record that a caller waits for.
 */
static uint32_t checksum(const char *text, size_t size) {
        static const uint32_t table[] = {
                0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
        };
        uint32_t crc = UINT32_MAX;

        for (size_t i = 0; i < size; i++) {
                crc ^= (unsigned char) text[i];
                crc = crc >> 4 ^ table[crc & 0xf];
                crc = crc >> 4 ^ table[crc & 0xf];
        }

        return ~crc;
}

static int write_all(int fd, const char *text, size_t size) {
        while (size > 0) {
                ssize_t n;

                n = write(fd, text, size);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                text += n;
                size -= (size_t) n;
        }

        return 0;
}

static int write_file_atomic(int dir, const char *name, const char *text) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = fault_point();
        if (r < 0)
                return r;

        fd = openat(dir, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;

        r = write_all(fd, text, strlen(text));
        if (r < 0)
                return r;

        r = fault_point();
        if (r < 0)
                return r;

        if (fsync(fd) < 0 || renameat(dir, TEMPORARY, dir, name) < 0 || fsync(dir) < 0)
                return -errno;

        return 0;
}

int state_file_write(int dir, const char *name, const char *text) {
        _cleanup_free_ char *file = NULL;

        /* what could not be read back is not written */
        if (strlen(text) + strlen(CHECKSUM_KEY "01234567\n") >= FILE_SIZE_MAX)
                return -EFBIG;

        if (asprintf(&file, "%s" CHECKSUM_KEY "%08" PRIx32 "\n", text, checksum(text, strlen(text))) < 0)
                return -ENOMEM;

        return write_file_atomic(dir, name, file);
}

/* Cuts the checksum off, if it is there and right. */
static int verify(char *text) {
        uint32_t expected;
        char *last;

        last = strstr(text, "\n" CHECKSUM_KEY);
        if (!last)
                return -EBADMSG;

        last++;
        if (strlen(last) != strlen(CHECKSUM_KEY) + 8 ||
                parse_hex_u32(last + strlen(CHECKSUM_KEY), &expected) < 0)
                return -EBADMSG;

        *last = '\0';
        return checksum(text, strlen(text)) == expected ? 0 : -EBADMSG;
}

int state_file_read(int dir, const char *name, char **ret) {
        _cleanup_free_ char *text = NULL;
        ssize_t n;
        int r;

        text = malloc(FILE_SIZE_MAX);
        if (!text)
                return -ENOMEM;

        n = read_text_all_at(dir, name, text, FILE_SIZE_MAX);
        if (n < 0)
                return (int) n;

        r = verify(text);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(text);
        return 0;
}

int state_file_remove(int dir, const char *name) {
        return unlinkat(dir, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static void tell_damaged(
        const char *name, int error, const char *consequence, char *ret_aside, size_t size) {
        snprintf(ret_aside, size, "damaged-%s", name);
        log_error("The state file %s is not usable (%s). It is kept as %s; %s", name,
                  error == -EPROTONOSUPPORT ? "another version of iommud wrote it, in a form that this one "
                                              "does not know"
                                            : strerrordesc_np(-error),
                  ret_aside, consequence);
}

void state_file_set_aside(int dir, const char *name, int error, const char *consequence) {
        char aside[300];

        tell_damaged(name, error, consequence, aside, sizeof(aside));
        if (renameat(dir, name, dir, aside) < 0)
                log_warning("The state file %s can't be renamed: %m", name);
}

void state_file_keep_aside(int dir, const char *name, int error, const char *consequence) {
        char aside[300];

        tell_damaged(name, error, consequence, aside, sizeof(aside));
        if ((unlinkat(dir, aside, 0) < 0 && errno != ENOENT) || linkat(dir, name, dir, aside, 0) < 0)
                log_warning("The state file %s can't be kept: %m", name);
}
