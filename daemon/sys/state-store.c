/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/parse.h"
#include "core/kernel.h"
#include "core/lease-record.h"
#include "core/lease.h"
#include "core/manager.h"
#include "sys/journal.h"
#include "sys/state-store.h"

#define FILE_PREFIX "lease-"
#define CHECKSUM_KEY "checksum="

/* No lease has more: 8 devices asked for, and the companions of their groups. */
#define FILE_SIZE_MAX (64 * 1024)

/* CRC-32 as in IEEE 802.3: tells a torn or edited file, not an enemy, who would be root. */
static uint32_t checksum(const char *text, size_t size) {
        uint32_t crc = UINT32_MAX;

        for (size_t i = 0; i < size; i++) {
                crc ^= (unsigned char) text[i];
                for (unsigned bit = 0; bit < 8; bit++)
                        crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
        }

        return ~crc;
}

static void file_name(char *buffer, size_t size, uint64_t lease) {
        snprintf(buffer, size, FILE_PREFIX "%" PRIu64, lease);
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

/* The file has either its old contents or all of its new ones, whatever happens when. */
static int write_file_atomic(int dir, const char *name, const char *text) {
        _cleanup_close_ int fd = -EBADF;
        char temporary[64];
        int r;

        r = fault_point();
        if (r < 0)
                return r;

        snprintf(temporary, sizeof(temporary), ".%s.new", name);
        fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;

        r = write_all(fd, text, strlen(text));
        if (r < 0)
                return r;

        r = fault_point();
        if (r < 0)
                return r;

        if (fsync(fd) < 0 || renameat(dir, temporary, dir, name) < 0 || fsync(dir) < 0)
                return -errno;

        return 0;
}

static int store_save(void *userdata, const Lease *lease, KernelFailure *reterr) {
        _cleanup_free_ char *text = NULL, *file = NULL;
        StateStore *store = userdata;
        char name[32];
        int r;

        file_name(name, sizeof(name), lease->id);

        r = lease_record_write(lease, &text);
        if (r >= 0 &&
                asprintf(&file, "%s" CHECKSUM_KEY "%08" PRIx32 "\n", text, checksum(text, strlen(text))) < 0)
                r = -ENOMEM;
        if (r >= 0)
                r = write_file_atomic(store->dir, name, file);
        if (r < 0)
                return kernel_failure(reterr, r, "writing the state file %s", name);

        return 0;
}

static void lifeline_name(char *buffer, size_t size, uint64_t lease) {
        snprintf(buffer, size, FILE_PREFIX "%" PRIu64 "-lifeline", lease);
}

static int store_keep_lifeline(void *userdata, const Lease *lease, KernelFailure *reterr) {
        char name[48];
        int r;

        lifeline_name(name, sizeof(name), lease->id);
        r = fault_point();
        if (r >= 0)
                r = fd_store_put(name, lease->lifeline);
        if (r < 0)
                return kernel_failure(reterr, r, "giving %s to the service manager", name);

        return 0;
}

static void store_forget(void *userdata, const Lease *lease) {
        StateStore *store = userdata;
        char name[48];

        /* here and below a test can only kill: what fails here is only noted */
        (void) fault_point();
        lifeline_name(name, sizeof(name), lease->id);
        fd_store_remove(name);

        (void) fault_point();
        file_name(name, sizeof(name), lease->id);
        if (unlinkat(store->dir, name, 0) < 0 && errno != ENOENT)
                log_warning(
                        "The state file %s can't be removed: %m. It is looked at again at the next start",
                        name);
}

Store state_store_port(StateStore *store) {
        static const StoreOps ops = {
                .save = store_save,
                .keep_lifeline = store_keep_lifeline,
                .forget = store_forget,
        };

        return (Store) { .ops = &ops, .userdata = store };
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

static void set_aside(StateStore *store, const char *name, int error) {
        char aside[300];

        snprintf(aside, sizeof(aside), "damaged-%s", name);
        log_error("The state file %s is not usable (%s). It is kept as %s; a device that its lease had may "
                  "have to be given "
                  "back to its driver by hand",
                name, strerrordesc_np(-error), aside);
        if (renameat(store->dir, name, store->dir, aside) < 0)
                log_warning("The state file %s can't be renamed: %m", name);
}

static int load_lease(
        StateStore *store, const char *name, StoredFds *stored, Manager *manager, ChangeSet *changes) {
        _cleanup_free_ char *text = NULL;
        char expected[48];
        Lease *lease;
        ssize_t n;
        int r;

        text = malloc(FILE_SIZE_MAX);
        if (!text)
                return -ENOMEM;

        n = read_text_at(store->dir, name, text, FILE_SIZE_MAX);
        if (n < 0)
                return (int) n;

        r = verify(text);
        if (r < 0)
                return r;

        r = lease_record_read(manager, text, &lease);
        if (r < 0)
                return r;

        file_name(expected, sizeof(expected), lease->id);
        if (strcmp(name, expected) != 0) {
                lease_free(lease);           /* it says that it is another lease's file */
                return -EBADMSG;
        }

        lifeline_name(expected, sizeof(expected), lease->id);
        lease_adopt(lease, stored_fds_take(stored, expected), changes);
        return 0;
}

int state_store_load(StateStore *store, StoredFds *stored, Manager *manager, ChangeSet *changes) {
        _cleanup_dir_ DIR *dir = NULL;
        const char *name;
        int r;

        r = dir_open_at(store->dir, ".", &dir);
        if (r < 0)
                return r;

        while ((r = dir_next(dir, &name)) == DIR_ENTRY) {
                int q;

                if (strncmp(name, FILE_PREFIX, strlen(FILE_PREFIX)) != 0)
                        continue;

                q = load_lease(store, name, stored, manager, changes);
                if (q == -ENOMEM)
                        return q;
                if (q < 0)
                        set_aside(store, name, q);
        }

        return r;
}
