/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/fd.h"
#include "domain-options.h"
#include "lease-call.h"
#include "names.h"
#include "public.h"
#include "record.h"

/* Reads the number with this name out of an a{sv}, if it is there. */
static int read_detail(sd_bus_message *m, const char *name, char type, const char *types, void *ret) {
        const char *key;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = sd_bus_message_read_basic(m, 's', &key);
                if (r < 0)
                        return r;

                if (strcmp(key, name) != 0)
                        r = sd_bus_message_skip(m, "v");
                else {
                        r = sd_bus_message_enter_container(m, 'v', types);
                        if (r >= 0)
                                r = sd_bus_message_read_basic(m, type, ret);
                        if (r >= 0)
                                r = sd_bus_message_exit_container(m);
                }
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }

        return r < 0 ? r : sd_bus_message_exit_container(m);
}

_public_ int iommud_alloc_ioas(
                iommud_client *client, uint64_t lease, const iommud_domain_options *options,
                uint64_t *ret_ioas, uint32_t *ret_id) {

        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        uint64_t ioas = 0;
        uint32_t id = 0;
        int r;

        if (!ret_ioas)
                return -EINVAL;

        r = lease_prepare(client, lease, "AllocIoas", &m);
        if (r < 0)
                return r;
        r = lease_call(client, lease, domain_options_append(options, m), m, "ta{sv}", &reply);
        if (r != 0)
                return r;

        r = sd_bus_message_read(reply, "t", &ioas);
        if (r >= 0)
                r = read_detail(reply, "id", 'u', "u", &id);
        r = client_reply_read(client, "AllocIoas", r);
        if (r < 0)
                return r;

        *ret_ioas = ioas;
        if (ret_id)
                *ret_id = id;
        return 0;
}

_public_ int iommud_alloc_domain(
                iommud_client *client, uint64_t lease, const char *device, uint64_t parent,
                const iommud_domain_options *options, uint64_t *ret_domain, uint32_t *ret_id,
                int *ret_fault_queue) {

        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_close_ int queue = -EBADF;
        uint64_t domain = 0;
        uint32_t id = 0;
        int r;

        if (!device || !ret_domain || (options && options->fault_queue && !ret_fault_queue))
                return -EINVAL;

        r = lease_prepare(client, lease, "AllocDomain", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "st", device, parent);
        if (r >= 0)
                r = domain_options_append(options, m);
        r = lease_call(client, lease, r, m, "ta{sh}a{sv}", &reply);
        if (r != 0)
                return r;

        r = sd_bus_message_read(reply, "t", &domain);
        if (r >= 0)
                r = message_read_fd(reply, IOMMUD_FD_FAULT_QUEUE, &queue);
        if (r >= 0)
                r = read_detail(reply, "id", 'u', "u", &id);
        if (r >= 0 && options && options->fault_queue && queue < 0)
                r = -EBADMSG;
        r = client_reply_read(client, "AllocDomain", r);
        if (r < 0)
                return r;

        *ret_domain = domain;
        if (ret_id)
                *ret_id = id;
        if (ret_fault_queue)
                *ret_fault_queue = TAKE_FD(queue);
        return 0;
}

static int append_pasid(sd_bus_message *m, const uint32_t *pasid) {
        if (!pasid)
                return sd_bus_message_append(m, "a{sv}", 0);
        if (*pasid == IOMMUD_PASID_ANY)
                return sd_bus_message_append(m, "a{sv}", 1, "any_pasid", "b", 1);

        return sd_bus_message_append(m, "a{sv}", 1, "pasid", "u", *pasid);
}

_public_ int iommud_attach(
                iommud_client *client, uint64_t lease, const char *device, uint64_t target,
                uint32_t *pasid) {

        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        uint32_t used = 0;
        int r;

        if (!device)
                return -EINVAL;

        r = lease_prepare(client, lease, "Attach", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "st", device, target);
        if (r >= 0)
                r = append_pasid(m, pasid);
        r = lease_call(client, lease, r, m, "a{sv}", &reply);
        if (r != 0)
                return r;

        r = client_reply_read(client, "Attach", read_detail(reply, "pasid", 'u', "u", &used));
        if (r >= 0 && pasid)
                *pasid = used;
        return r;
}

_public_ int iommud_detach(
                iommud_client *client, uint64_t lease, const char *device, const uint32_t *pasid) {

        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r;

        if (!device || (pasid && *pasid == IOMMUD_PASID_ANY))
                return -EINVAL;

        r = lease_prepare(client, lease, "Detach", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "s", device);
        if (r >= 0)
                r = append_pasid(m, pasid);

        return lease_call(client, lease, r, m, "", &reply);
}

_public_ int iommud_destroy(iommud_client *client, uint64_t lease, uint64_t handle) {
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = lease_prepare(client, lease, "Destroy", &m);
        if (r < 0)
                return r;

        return lease_call(client, lease, sd_bus_message_append(m, "t", handle), m, "", &reply);
}

_public_ int iommud_map_file(
                iommud_client *client, uint64_t lease, uint64_t ioas, int memory, uint64_t offset,
                uint64_t length, unsigned flags, uint64_t *iova) {

        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        uint64_t where = 0;
        int r;

        if (!iova || memory < 0 || (flags & ~(IOMMUD_MAP_READ | IOMMUD_MAP_WRITE | IOMMUD_MAP_FIXED)))
                return -EINVAL;

        r = lease_prepare(client, lease, "MapFile", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "thtt", ioas, memory, offset, length);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "read", "b", (flags & IOMMUD_MAP_READ) != 0);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "write", "b", (flags & IOMMUD_MAP_WRITE) != 0);
        if (r >= 0 && (flags & IOMMUD_MAP_FIXED))
                r = sd_bus_message_append(m, "{sv}", "iova", "t", *iova);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        r = lease_call(client, lease, r, m, "t", &reply);
        if (r != 0)
                return r;

        r = client_reply_read(client, "MapFile", sd_bus_message_read(reply, "t", &where));
        if (r >= 0)
                *iova = where;
        return r;
}

_public_ int iommud_unmap(
                iommud_client *client, uint64_t lease, uint64_t ioas, uint64_t iova, uint64_t length,
                uint64_t *ret_unmapped) {

        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        uint64_t unmapped = 0;
        int r;

        r = lease_prepare(client, lease, "Unmap", &m);
        if (r < 0)
                return r;
        r = lease_call(client, lease, sd_bus_message_append(m, "ttt", ioas, iova, length), m, "t", &reply);
        if (r != 0)
                return r;

        r = client_reply_read(client, "Unmap", sd_bus_message_read(reply, "t", &unmapped));
        if (r >= 0 && ret_unmapped)
                *ret_unmapped = unmapped;
        return r;
}

static int read_ranges(sd_bus_message *m, iommud_iova_range **ret, size_t *ret_n, uint64_t *ret_alignment) {
        _cleanup_free_ iommud_iova_range *ranges = NULL;
        uint64_t first, last;
        size_t n = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(tt)");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_read(m, "(tt)", &first, &last)) > 0) {
                iommud_iova_range *longer;

                longer = reallocarray(ranges, n + 1, sizeof(*longer));
                if (!longer)
                        return -ENOMEM;
                ranges = longer;
                ranges[n++] = (iommud_iova_range) { .first = first, .last = last };
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r >= 0)
                r = sd_bus_message_read(m, "t", ret_alignment);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(ranges);
        *ret_n = n;
        return 0;
}

_public_ int iommud_get_iova_ranges(
                iommud_client *client, uint64_t lease, uint64_t ioas, iommud_iova_range **ret_ranges,
                size_t *ret_n, uint64_t *ret_alignment) {

        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        uint64_t alignment = 0;
        int r;

        if (!ret_ranges || !ret_n)
                return -EINVAL;

        r = lease_prepare(client, lease, "IovaRanges", &m);
        if (r < 0)
                return r;
        r = lease_call(client, lease, sd_bus_message_append(m, "t", ioas), m, "a(tt)t", &reply);
        if (r != 0)
                return r;

        r = client_reply_read(client, "IovaRanges", read_ranges(reply, ret_ranges, ret_n, &alignment));
        if (r >= 0 && ret_alignment)
                *ret_alignment = alignment;
        return r;
}

_public_ int iommud_set_dirty_tracking(iommud_client *client, uint64_t lease, uint64_t domain, bool on) {
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = lease_prepare(client, lease, "SetDirtyTracking", &m);
        if (r < 0)
                return r;

        return lease_call(client, lease, sd_bus_message_append(m, "tb", domain, (int) on), m, "", &reply);
}

_public_ int iommud_get_dirty_bitmap(
                iommud_client *client, uint64_t lease, uint64_t domain, uint64_t iova, uint64_t length,
                uint64_t page_size, bool clear, int *ret_bitmap) {

        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r, fd, copy;

        if (!ret_bitmap)
                return -EINVAL;

        r = lease_prepare(client, lease, "GetDirtyBitmap", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "ttta{sv}", domain, iova, length, 2, "page_size", "t", page_size,
                                  "clear", "b", (int) clear);
        r = lease_call(client, lease, r, m, "h", &reply);
        if (r != 0)
                return r;

        r = client_reply_read(client, "GetDirtyBitmap", sd_bus_message_read(reply, "h", &fd));
        if (r < 0)
                return r;

        copy = fd_dup(fd);
        if (copy < 0)
                return client_fail(client, copy, "no file descriptor for the bitmap");

        *ret_bitmap = copy;
        return 0;
}

/* ---- Revoke */

typedef struct Revoked {
        char **not_reset;
} Revoked;

static const Field revoked_fields[] = {
        { "not_reset", &field_names, offsetof(Revoked, not_reset) },
};

static const RecordType revoked_type = { revoked_fields, ELEMENTSOF(revoked_fields), sizeof(Revoked) };

static void revoked_free(Revoked *revoked) {
        record_free(&revoked_type, revoked);
}

DEFINE_CLEANUP_FUNC(Revoked, revoked_free);

_public_ int iommud_revoke(iommud_client *client, uint64_t lease, char ***ret_not_reset) {
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_(revoked_freep) Revoked *revoked = NULL;
        int r;

        r = lease_prepare(client, lease, "Revoke", &m);
        if (r < 0)
                return r;

        r = lease_call(client, lease, sd_bus_message_append(m, "a{sv}", 0), m, "a{sv}", &reply);
        if (r != 0)
                return r;

        r = client_reply_read(client, "Revoke", record_read(reply, &revoked_type, (void **) &revoked));
        if (r < 0)
                return r;

        if (ret_not_reset)
                *ret_not_reset = TAKE_PTR(revoked->not_reset);
        return 0;
}
