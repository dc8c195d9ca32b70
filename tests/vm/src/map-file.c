/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a client of a confined lease does, where descriptors have to be passed.
 *
 *     map-file hold BYTES [unsealed]                  makes memory, prints the path under which others find
 * it, and keeps it until the input ends map-file map LEASE IOAS FILE IOVA|any [read]    maps all of the
 * file, and prints where; for reading only, also as it is opened, with "read" map-file dirty LEASE DOMAIN
 * IOVA LENGTH         "dirty IOVA …", of the pages that were written to
 *
 * A failure is "failed NAME: TEXT".
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "iommud.h"

#define PAGE UINT64_C(4096)

static int fail(iommud_client *client, int r) {
        printf("failed %s: %s\n", r > 0 ? iommud_error_name(r) : strerrorname_np(-r),
               iommud_error_text(client));
        return EXIT_FAILURE;
}

/* "0x100000": as much as a test needs */
static int parse_address(const char *text, uint64_t *ret) {
        uint32_t number;

        if (strncmp(text, "0x", 2) != 0 || parse_hex_u32(text + 2, &number) < 0)
                return -EINVAL;

        *ret = number;
        return 0;
}

static int hold(char **arguments) {
        uint64_t size;
        int fd;

        if (parse_u64(arguments[0], &size) < 0)
                return 2;

        fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0 || ftruncate(fd, (off_t) size) < 0)
                return EXIT_FAILURE;
        if (!arguments[1] && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
                return EXIT_FAILURE;

        printf("/proc/%d/fd/%d\n", getpid(), fd);
        (void) fflush(stdout);
        while (getchar() != EOF)
                ;
        return EXIT_SUCCESS;
}

static int map(iommud_client *client, char **arguments) {
        bool any = strcmp(arguments[3], "any") == 0, read_only = arguments[4];
        unsigned flags = IOMMUD_MAP_READ;
        _cleanup_close_ int fd = -EBADF;
        uint64_t lease, ioas, iova = 0;
        struct stat st;
        int r;

        if (parse_u64(arguments[0], &lease) < 0 || parse_u64(arguments[1], &ioas) < 0)
                return 2;
        if (!any && parse_address(arguments[3], &iova) < 0)
                return 2;

        fd = open(arguments[2], (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return fail(client, -errno);

        /* "readwrite": for writing, although it is opened for reading */
        if (!read_only || strcmp(arguments[4], "readwrite") == 0)
                flags |= IOMMUD_MAP_WRITE;
        if (!any)
                flags |= IOMMUD_MAP_FIXED;

        r = iommud_map_file(client, lease, ioas, fd, 0, (uint64_t) st.st_size, flags, &iova);
        if (r != 0)
                return fail(client, r);

        printf("0x%" PRIx64 "\n", iova);
        return EXIT_SUCCESS;
}

static int dirty(iommud_client *client, char **arguments) {
        uint64_t lease, domain, iova, length;
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (parse_u64(arguments[0], &lease) < 0 || parse_u64(arguments[1], &domain) < 0)
                return 2;
        if (parse_address(arguments[2], &iova) < 0 || parse_address(arguments[3], &length) < 0)
                return 2;

        r = iommud_get_dirty_bitmap(client, lease, domain, iova, length, PAGE, /* clear= */ true, &fd);
        if (r != 0)
                return fail(client, r);

        printf("dirty");
        for (uint64_t i = 0; i < length / PAGE; i++) {
                unsigned char byte = 0;

                if (pread(fd, &byte, 1, (off_t) (i / 8)) != 1)
                        return fail(client, -EIO);
                if (byte & 1U << i % 8)
                        printf(" 0x%" PRIx64, iova + i * PAGE);
        }
        puts("");
        return EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        iommud_client *client = NULL;
        int r;

        if (argc >= 3 && strcmp(argv[1], "hold") == 0)
                return hold(argv + 2);

        r = iommud_connect(NULL, &client);
        if (r < 0)
                return fail(client, r);

        if (argc >= 6 && strcmp(argv[1], "map") == 0)
                return map(client, argv + 2);
        if (argc == 6 && strcmp(argv[1], "dirty") == 0)
                return dirty(client, argv + 2);

        return 2;
}
