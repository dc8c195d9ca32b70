/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/fd.h"
#include "lease.h"
#include "names.h"
#include "text.h"

#define MODE_VMM "vmm"

static const Field details_fields[] = {
        { "id",         &field_u64,     offsetof(iommud_lease, id)         },
        { "mode",       &field_text,    offsetof(iommud_lease, mode)       },
        { "accounting", &field_text,    offsetof(iommud_lease, accounting) },
        { "groups",     &field_numbers, offsetof(iommud_lease, groups)     },
        { "devices",    &field_names,   offsetof(iommud_lease, devices)    },
        { "companions", &field_names,   offsetof(iommud_lease, companions) },
        { "ioas",       &field_u64,     offsetof(iommud_lease, ioas),       .optional = true },
        { "ioas_id",    &field_u32,     offsetof(iommud_lease, ioas_id),    .optional = true },
        { "domains",    &field_handles, offsetof(iommud_lease, domains),    .optional = true },
        { "domain_ids", &field_ids,     offsetof(iommud_lease, domain_ids), .optional = true },
        { "device_ids", &field_ids,     offsetof(iommud_lease, device_ids), .optional = true },
};

static const RecordType details_type = { details_fields, ELEMENTSOF(details_fields), sizeof(iommud_lease) };

/* The fd is borrowed from the message, which closes its own copies when it is freed */
static int lease_read_handout(sd_bus_message *m, iommud_lease *lease) {
        Handout *handout, *longer;
        const char *role;
        int r, fd;

        r = sd_bus_message_read(m, "sh", &role, &fd);
        if (r < 0)
                return r;
        if (!name_is_valid(role) || lease_find(lease, role))
                return -EBADMSG;

        longer = reallocarray(lease->handouts, lease->n_handouts + 1, sizeof(*longer));
        if (!longer)
                return -ENOMEM;
        lease->handouts = longer;

        handout = &longer[lease->n_handouts];
        *handout = (Handout) { .role = strdup(role), .fd = -EBADF };
        if (!handout->role)
                return -ENOMEM;
        lease->n_handouts++;

        handout->fd = fd_dup(fd);
        return handout->fd < 0 ? handout->fd : 0;
}

static int lease_read_handouts(sd_bus_message *m, iommud_lease *lease) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sh}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(m, 'e', "sh")) > 0) {
                r = lease_read_handout(m, lease);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(m);
}

/* The index in the request of the device that @role is for, or the number of devices */
static size_t lease_device_of_role(const iommud_lease *lease, const char *role) {
        size_t prefix = strlen(IOMMUD_FD_DEVICE_PREFIX), i = 0;
        bool device = strncmp(role, IOMMUD_FD_DEVICE_PREFIX, prefix) == 0;

        while (lease->devices[i] && !(device && strcmp(lease->devices[i], role + prefix) == 0))
                i++;

        return i;
}

static bool lease_is_complete(const iommud_lease *lease, bool holder) {
        bool vmm = strcmp(lease->mode, MODE_VMM) == 0;
        uint64_t number;
        size_t n = 0;

        if (path_to_number(lease->path, IOMMUD_PATH_LEASE, &number) < 0)
                return false;
        if (number == 0 || number != lease->id)
                return false;
        if (!lease_find(lease, IOMMUD_FD_LIFELINE) != holder)
                return false;
        if (vmm && !lease_find(lease, IOMMUD_FD_IOMMUFD))
                return false;

        for (size_t i = 0; i < lease->n_handouts; i++) {
                const char *role = lease->handouts[i].role;

                if (lease->devices[lease_device_of_role(lease, role)])
                        n++;
                else if (strncmp(role, IOMMUD_FD_DEVICE_PREFIX, strlen(IOMMUD_FD_DEVICE_PREFIX)) == 0)
                        return false;   /* of a device that nobody has asked for */
        }

        /* Roles are unique, so as many fds as devices are one fd for each device */
        return lease->devices[0] && (!vmm || !lease->devices[n]);
}

static size_t lease_rank(const iommud_lease *lease, const char *role) {
        if (strcmp(role, IOMMUD_FD_IOMMUFD) == 0)
                return 0;
        if (strcmp(role, IOMMUD_FD_LIFELINE) == 0)
                return SIZE_MAX;

        return 1 + lease_device_of_role(lease, role);
}

static int handout_compare(const void *a, const void *b, void *userdata) {
        const char *x = ((const Handout *) a)->role, *y = ((const Handout *) b)->role;
        size_t i = lease_rank(userdata, x), j = lease_rank(userdata, y);

        return i == j ? strcmp(x, y) : i < j ? -1 : 1;
}

static int lease_order(iommud_lease *lease) {
        lease->roles = calloc(lease->n_handouts + 1, sizeof(*lease->roles));
        if (!lease->roles)
                return -ENOMEM;

        qsort_r(lease->handouts, lease->n_handouts, sizeof(*lease->handouts), handout_compare, lease);
        for (size_t i = 0; i < lease->n_handouts; i++)
                lease->roles[i] = lease->handouts[i].role;

        return 0;
}

/* The details, which are last in the message, make the lease; what is before them is read after that */
int lease_read(sd_bus_message *m, bool holder, iommud_lease **ret) {
        _cleanup_(iommud_lease_freep) iommud_lease *lease = NULL;
        const char *path;
        int r;

        r = sd_bus_message_skip(m, "oa{sh}");
        if (r < 0)
                return r;
        r = record_read(m, &details_type, (void **) &lease);
        if (r < 0)
                return r;

        r = sd_bus_message_rewind(m, /* complete= */ true);
        if (r < 0)
                return r;
        r = sd_bus_message_read_basic(m, 'o', &path);
        if (r < 0)
                return r;
        lease->path = strdup(path);
        if (!lease->path)
                return -ENOMEM;

        r = lease_read_handouts(m, lease);
        if (r < 0)
                return r;
        if (!lease_is_complete(lease, holder))
                return -EBADMSG;
        r = lease_order(lease);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(lease);
        return 0;
}
