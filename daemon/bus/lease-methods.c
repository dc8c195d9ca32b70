/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Methods that change what is in a context: each is an operation, which is answered when it is done.
 */

#include <string.h>

#include "base/fd.h"
#include "base/parse.h"
#include "bus/denial.h"
#include "bus/domain-options.h"
#include "bus/error.h"
#include "bus/lease-methods.h"
#include "bus/options.h"
#include "bus/path.h"
#include "bus/server.h"
#include "core/change.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/operation.h"
#include "core/subject.h"
#include "names.h"

/* Reads the arguments. Returns 0; a positive Outcome with *reterr; or a negative errno. */
typedef int (*ReadFunc)(sd_bus_message *message, Operation *operation, Refusal *reterr);

static int method_operate(sd_bus_message *message, BusServer *server, OperationKind kind, ReadFunc read) {
        _cleanup_(change_set_done) ChangeSet changes = {};
        _cleanup_(operation_freep) Operation *operation = NULL;
        Refusal refusal = {};
        const Lease *lease;
        Subject subject;
        uint64_t id;
        int r;

        r = operation_new(kind, &operation);
        if (r < 0)
                return r;

        r = read(message, operation, &refusal);
        if (r > 0)
                return reply_refusal(message, &refusal);
        if (r < 0)
                return r;

        r = bus_server_identify(server, message, &subject);
        if (r == 0)
                return 1;                    /* dispatched again */
        if (r < 0)
                return reply_failure(message, r, "identifying the caller");

        lease = path_to_lease(server->manager, sd_bus_message_get_path(message));
        assert(lease);                       /* the object was found a moment ago */

        r = manager_operate_take(server->manager, &subject, lease->id, operation, &refusal, &changes);
        if (r > 0)
                return reply_denial(server, message, &subject, &refusal);

        id = TAKE_PTR(operation)->id;
        r = bus_server_defer_operation(server, message, id);
        server->funcs->commit(server->userdata, &changes);
        return r < 0 ? reply_failure(message, r, sd_bus_message_get_member(message)) : 1;
}

static int read_name(sd_bus_message *message, Operation *operation) {
        const char *name;
        int r;

        r = sd_bus_message_read(message, "s", &name);
        if (r < 0)
                return r;

        /* one that is too long is not the name of any device */
        if (copy_string(operation->device, sizeof(operation->device), name) < 0)
                strcpy(operation->device, "?");
        return 0;
}

/* ---- AllocIoas, AllocDomain */

static int read_alloc_ioas(sd_bus_message *message, Operation *operation, Refusal *reterr) {
        return ioas_options_read(message, &operation->ioas_options, reterr);
}

int method_alloc_ioas(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_operate(message, userdata, OPERATION_ALLOC_IOAS, read_alloc_ioas);
}

static int read_alloc_domain(sd_bus_message *message, Operation *operation, Refusal *reterr) {
        int r;

        r = read_name(message, operation);
        if (r < 0)
                return r;

        r = sd_bus_message_read(message, "t", &operation->parent);
        if (r < 0)
                return r;

        return domain_options_read(message, &operation->domain_options, reterr);
}

int method_alloc_domain(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_operate(message, userdata, OPERATION_ALLOC_DOMAIN, read_alloc_domain);
}

/* ---- AllocViommu, AllocVdevice, AllocVeventq */

static int read_virtual_data(sd_bus_message *message, void *target, Refusal *reterr) {
        VirtualSpec *spec = target;

        return option_read_data(message, spec->data, sizeof(spec->data), &spec->data_length, reterr);
}

static int refuse_no_type(const VirtualSpec *spec, Refusal *reterr) {
        return spec->type == 0 ? refuse(reterr, OUTCOME_INVALID_OPTION,
                                        "The option \"type\" says what is wanted: see linux/iommufd.h")
                               : 0;
}

static int read_alloc_viommu(sd_bus_message *message, Operation *operation, Refusal *reterr) {
        static const Option options[] = {
                { IOMMUD_DOMAIN_TYPE, "u", offsetof(VirtualSpec, type), NULL },
                { IOMMUD_DOMAIN_DATA, "ay", 0, read_virtual_data },
                {},
        };
        int r;

        r = read_name(message, operation);
        if (r < 0)
                return r;

        r = sd_bus_message_read(message, "t", &operation->parent);
        if (r < 0)
                return r;

        r = options_read(message, options, &operation->virtual, reterr);
        return r != 0 ? r : refuse_no_type(&operation->virtual, reterr);
}

int method_alloc_viommu(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_operate(message, userdata, OPERATION_ALLOC_VIOMMU, read_alloc_viommu);
}

static int read_alloc_vdevice(sd_bus_message *message, Operation *operation, Refusal *reterr) {
        int r;

        r = read_name(message, operation);
        if (r < 0)
                return r;

        r = sd_bus_message_read(message, "tt", &operation->parent, &operation->virtual.virt_id);
        return r < 0 ? r : 0;
}

int method_alloc_vdevice(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_operate(message, userdata, OPERATION_ALLOC_VDEVICE, read_alloc_vdevice);
}

static int read_alloc_veventq(sd_bus_message *message, Operation *operation, Refusal *reterr) {
        static const Option options[] = {
                { IOMMUD_DOMAIN_TYPE, "u", offsetof(VirtualSpec, type), NULL },
                { IOMMUD_DOMAIN_DEPTH, "u", offsetof(VirtualSpec, depth), NULL },
                {},
        };
        VirtualSpec *spec = &operation->virtual;
        int r;

        r = sd_bus_message_read(message, "t", &operation->parent);
        if (r < 0)
                return r;

        spec->depth = DEFAULT_VEVENTQ_DEPTH;
        r = options_read(message, options, spec, reterr);
        if (r != 0)
                return r;

        if (spec->depth == 0 || spec->depth > LIMIT_VEVENTQ_DEPTH)
                return refuse(reterr, OUTCOME_INVALID_OPTION, "A queue holds 1 to %u events",
                              LIMIT_VEVENTQ_DEPTH);
        return refuse_no_type(spec, reterr);
}

int method_alloc_veventq(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_operate(message, userdata, OPERATION_ALLOC_VEVENTQ, read_alloc_veventq);
}

/* ---- Destroy */

static int read_destroy(sd_bus_message *message, Operation *operation, Refusal *reterr) {
        int r;

        r = sd_bus_message_read(message, "t", &operation->handle);
        return r < 0 ? r : 0;
}

int method_destroy(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_operate(message, userdata, OPERATION_DESTROY, read_destroy);
}

/* ---- Attach, Detach */

static int read_pasid(sd_bus_message *message, void *target, Refusal *reterr) {
        Operation *operation = target;
        int r;

        r = sd_bus_message_read_basic(message, 'u', &operation->pasid);
        if (r < 0)
                return r;

        /* the kernel takes 0 for the device itself, but keeps other books of it */
        if (operation->pasid == 0 || operation->pasid == PASID_NONE)
                return refuse(reterr, OUTCOME_INVALID_OPTION, "PASIDs begin with 1");
        return 0;
}

static int read_attach(sd_bus_message *message, Operation *operation, Refusal *reterr) {
        static const Option options[] = {
                { "pasid", "u", 0, read_pasid },
                { "any_pasid", "b", offsetof(Operation, any_pasid), NULL },
                {},
        };
        int r;

        r = read_name(message, operation);
        if (r < 0)
                return r;

        r = sd_bus_message_read(message, "t", &operation->handle);
        if (r < 0)
                return r;

        r = options_read(message, options, operation, reterr);
        if (r != 0)
                return r;

        if (operation->any_pasid && operation->pasid != PASID_NONE)
                return refuse(reterr, OUTCOME_INVALID_OPTION, "It is either a certain pasid or any_pasid");
        return 0;
}

int method_attach(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_operate(message, userdata, OPERATION_ATTACH, read_attach);
}

static int read_detach(sd_bus_message *message, Operation *operation, Refusal *reterr) {
        static const Option options[] = {
                { "pasid", "u", 0, read_pasid },
                {},
        };
        int r;

        r = read_name(message, operation);
        if (r < 0)
                return r;

        return options_read(message, options, operation, reterr);
}

int method_detach(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_operate(message, userdata, OPERATION_DETACH, read_detach);
}

/* ---- MapFile, Unmap */

static int read_iova(sd_bus_message *message, void *target, Refusal *reterr) {
        Operation *operation = target;
        int r;

        r = sd_bus_message_read_basic(message, 't', &operation->map.iova);
        if (r < 0)
                return r;

        operation->map.fixed = true;
        return 0;
}

static int read_map_file(sd_bus_message *message, Operation *operation, Refusal *reterr) {
        static const Option options[] = {
                { "iova", "t", 0, read_iova },
                { "read", "b", offsetof(Operation, map.readable), NULL },
                { "write", "b", offsetof(Operation, map.writable), NULL },
                {},
        };
        int r, fd;

        r = sd_bus_message_read(message, "thtt", &operation->handle, &fd, &operation->map.offset,
                                &operation->map.length);
        if (r < 0)
                return r;

        /* the message's goes with the message */
        operation->map.fd = fd_dup(fd);
        if (operation->map.fd < 0)
                return operation->map.fd;

        operation->map.readable = operation->map.writable = true;
        return options_read(message, options, operation, reterr);
}

int method_map_file(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_operate(message, userdata, OPERATION_MAP, read_map_file);
}

static int read_unmap(sd_bus_message *message, Operation *operation, Refusal *reterr) {
        int r;

        r = sd_bus_message_read(
                message, "ttt", &operation->handle, &operation->map.iova, &operation->length);
        return r < 0 ? r : 0;
}

int method_unmap(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_operate(message, userdata, OPERATION_UNMAP, read_unmap);
}

/* ---- SetDirtyTracking, GetDirtyBitmap */

static int read_set_dirty_tracking(sd_bus_message *message, Operation *operation, Refusal *reterr) {
        int r, on;

        r = sd_bus_message_read(message, "tb", &operation->handle, &on);
        if (r < 0)
                return r;

        operation->on = on;
        return 0;
}

int method_set_dirty_tracking(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_operate(message, userdata, OPERATION_SET_DIRTY_TRACKING, read_set_dirty_tracking);
}

static int read_get_dirty_bitmap(sd_bus_message *message, Operation *operation, Refusal *reterr) {
        struct Clear {
                uint64_t page_size;
                bool clear;
        } clear = { .page_size = 4096, .clear = true };
        static const Option options[] = {
                { "page_size", "t", offsetof(struct Clear, page_size), NULL },
                { "clear", "b", offsetof(struct Clear, clear), NULL },
                {},
        };
        int r;

        r = sd_bus_message_read(
                message, "ttt", &operation->handle, &operation->dirty.iova, &operation->dirty.length);
        if (r < 0)
                return r;

        r = options_read(message, options, &clear, reterr);
        if (r != 0)
                return r;

        operation->dirty.page_size = clear.page_size;
        operation->dirty.keep = !clear.clear;
        return 0;
}

int method_get_dirty_bitmap(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_operate(message, userdata, OPERATION_READ_DIRTY, read_get_dirty_bitmap);
}

/* ---- Revoke */

static int read_revoke(sd_bus_message *message, Operation *operation, Refusal *reterr) {
        static const Option options[] = { {} };

        return options_read(message, options, operation, reterr);
}

int method_revoke(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_operate(message, userdata, OPERATION_REVOKE, read_revoke);
}
