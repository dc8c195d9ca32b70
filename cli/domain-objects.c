/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verbs of "domain" that make, attach and destroy. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "domain-verb.h"
#include "iommu-text.h"
#include "label.h"
#include "options.h"
#include "text-list.h"
#include "to-json.h"

#define DATA_MAX 128

DEFINE_CLEANUP_FUNC(iommud_domain_options, iommud_domain_options_free);
DEFINE_CLEANUP_FUNC(iommud_hw_info, iommud_hw_info_free);

/* What --data stands for */
typedef struct DriverData {
        uint32_t type;
        uint8_t bytes[DATA_MAX];
        size_t size;
} DriverData;

static char *number_text(uint64_t number) {
        return print_string("%" PRIu64, number);
}

static iommud_domain_options *new_options(void) {
        iommud_domain_options *options;

        return need(iommud_domain_options_new(&options) == 0 ? options : NULL);
}

json_object *json_of_made(const char *key, uint64_t handle, uint32_t id) {
        json_object *o = need(json_object_new_object());

        json_put_number(o, key, handle);
        json_put_iommufd_id(o, id);
        return o;
}

static Status answer_made(const DomainCall *call, const char *key, uint64_t handle, uint32_t id) {
        return domain_answer(call, json_of_made(key, handle, id), number_text(handle));
}

Status domain_alloc_ioas(const DomainCall *call) {
        _cleanup_(iommud_domain_options_freep) iommud_domain_options *options = new_options();
        const Options *given = call->options;
        uint64_t ioas;
        uint32_t id;
        int r = 0;

        for (size_t i = 0; i < given->n_windows && r == 0; i++)
                r = iommud_domain_options_add_window(options, given->windows[i].first,
                                                     given->windows[i].last);
        if (r == 0 && given->small_pages)
                r = iommud_domain_options_set_huge_pages(options, false);
        if (r == 0)
                r = iommud_alloc_ioas(call->client, call->lease, options, &ioas, &id);

        return r == 0 ? answer_made(call, "ioas", ioas, id) : domain_failed(call, r);
}

/* ---- what is handed to the IOMMU's driver as it is */

static int read_hex(const char *text, DriverData *data) {
        size_t n = strlen(text);

        if (n == 0 || n % 2 != 0 || n / 2 > sizeof(data->bytes))
                return -EINVAL;

        for (data->size = 0; data->size < n / 2; data->size++) {
                uint32_t byte;
                int r;

                r = parse_hex_digits(text + 2 * data->size, 2, &byte);
                if (r < 0)
                        return r;
                data->bytes[data->size] = (uint8_t) byte;
        }

        return 0;
}

static Status read_data(const char *text, bool may_be_empty, DriverData *ret) {
        _cleanup_free_ char *type = need(strndup(text, strcspn(text, ":")));
        const char *hex = strchr(text, ':');
        int r;

        r = strncmp(type, "0x", 2) == 0 ? parse_hex_u32(type, &ret->type) : parse_u32(type, &ret->type);
        if (r == 0 && hex)
                r = read_hex(hex + 1, ret);
        if (r < 0 || (!hex && !may_be_empty)) {
                complain("--data takes the number of a type of linux/iommufd.h and 1 to %d bytes in "
                         "hexadecimal digits, such as 1:00ff, which '%s' is not",
                         DATA_MAX, text);
                return STATUS_USAGE;
        }

        return STATUS_OK;
}

static Status read_domain_options(const Options *given, iommud_domain_options *options) {
        DriverData data = {};
        Status status;
        int r = 0;

        if (given->data) {
                status = read_data(given->data, /* may_be_empty= */ false, &data);
                if (status != STATUS_OK)
                        return status;
                r = iommud_domain_options_set_data(options, data.type, data.bytes, data.size);
        }
        if (r == 0 && given->kind)
                r = iommud_domain_options_set_kind(options, given->kind);
        if (r == 0 && given->dirty_tracking)
                r = iommud_domain_options_set_dirty_tracking(options, true);
        if (r == 0 && given->pasid_capable)
                r = iommud_domain_options_set_pasid(options, true);

        return r == 0 ? STATUS_OK : STATUS_BROKEN;
}

Status domain_make(const DomainCall *call, uint64_t *ret_domain, uint32_t *ret_id, int *ret_fault_queue) {
        _cleanup_(iommud_domain_options_freep) iommud_domain_options *options = new_options();
        _cleanup_free_ char *device = NULL;
        uint64_t parent;
        Status status;
        int r;

        status = domain_handle("the IOAS, or the parent,", call->arguments[1], &parent);
        if (status == STATUS_OK)
                status = read_domain_options(call->options, options);
        if (status == STATUS_OK)
                status = domain_device(call, call->arguments[0], &device);
        if (status != STATUS_OK)
                return status;

        r = iommud_domain_options_set_fault_queue(options, ret_fault_queue != NULL);
        if (r == 0)
                r = iommud_alloc_domain(call->client, call->lease, device, parent, options, ret_domain,
                                        ret_id, ret_fault_queue);
        return r == 0 ? STATUS_OK : domain_failed(call, r);
}

Status domain_alloc(const DomainCall *call) {
        uint64_t domain;
        Status status;
        uint32_t id;

        status = domain_make(call, &domain, &id, /* ret_fault_queue= */ NULL);
        return status == STATUS_OK ? answer_made(call, "domain", domain, id) : status;
}

Status domain_alloc_viommu(const DomainCall *call) {
        _cleanup_free_ char *device = NULL, *answer = NULL;
        uint64_t parent, viommu;
        DriverData data = {};
        json_object *o;
        Status status;
        uint32_t id;
        int r;

        if (!call->options->data) {
                complain("domain alloc-viommu needs --data: at least a type of linux/iommufd.h");
                return STATUS_USAGE;
        }

        status = domain_handle("the domain", call->arguments[1], &parent);
        if (status == STATUS_OK)
                status = read_data(call->options->data, /* may_be_empty= */ true, &data);
        if (status == STATUS_OK)
                status = domain_device(call, call->arguments[0], &device);
        if (status != STATUS_OK)
                return status;

        r = iommud_alloc_viommu(call->client, call->lease, device, parent, data.type,
                                data.size > 0 ? data.bytes : NULL, data.size, &viommu, &id);
        if (r != 0)
                return domain_failed(call, r);

        answer = hex_text(data.bytes, data.size);
        o = need(json_object_new_object());
        json_put_number(o, "viommu", viommu);
        json_put_iommufd_id(o, id);
        json_put_string(o, "data", answer);
        return domain_answer(call, o, print_string("%" PRIu64 "%s%s", viommu, *answer ? " " : "", answer));
}

Status domain_alloc_vdevice(const DomainCall *call) {
        uint64_t viommu, number, vdevice;
        _cleanup_free_ char *device = NULL;
        Status status;
        uint32_t id;
        int r;

        status = domain_handle("the virtual IOMMU", call->arguments[1], &viommu);
        if (status == STATUS_OK)
                status = domain_address(call->arguments[2], &number);
        if (status == STATUS_OK)
                status = domain_device(call, call->arguments[0], &device);
        if (status != STATUS_OK)
                return status;

        r = iommud_alloc_vdevice(call->client, call->lease, device, viommu, number, &vdevice, &id);
        return r == 0 ? answer_made(call, "vdevice", vdevice, id) : domain_failed(call, r);
}

/* ---- attach, detach */

/* *ret is NULL for the device itself; @any: it may be "any". */
static Status read_pasid(const Options *options, bool any, uint32_t *number, uint32_t **ret) {
        if (!options->pasid) {
                *ret = NULL;
                return STATUS_OK;
        }

        *ret = number;
        *number = IOMMUD_PASID_ANY;
        if (any && strcmp(options->pasid, "any") == 0)
                return STATUS_OK;
        if (parse_u32(options->pasid, number) < 0 || *number == IOMMUD_PASID_ANY) {
                complain("--pasid takes a number from 1 on%s, which '%s' is not", any ? ", or any" : "",
                         options->pasid);
                return STATUS_USAGE;
        }

        return STATUS_OK;
}

static json_object *json_of_pasid(const uint32_t *pasid) {
        return pasid ? need(json_object_new_uint64(*pasid)) : NULL;
}

Status domain_attach(const DomainCall *call) {
        _cleanup_free_ char *device = NULL;
        uint32_t number, *pasid;
        uint64_t target;
        json_object *o;
        Status status;
        int r;

        status = domain_handle("the domain", call->arguments[1], &target);
        if (status == STATUS_OK)
                status = read_pasid(call->options, /* any= */ true, &number, &pasid);
        if (status == STATUS_OK)
                status = domain_device(call, call->arguments[0], &device);
        if (status != STATUS_OK)
                return status;

        r = iommud_attach(call->client, call->lease, device, target, pasid);
        if (r != 0)
                return domain_failed(call, r);

        o = need(json_object_new_object());
        json_put_string(o, "device", device);
        json_put_number(o, "target", target);
        json_put(o, "pasid", json_of_pasid(pasid));
        return domain_answer(call, o, pasid ? number_text(*pasid) : NULL);
}

Status domain_detach(const DomainCall *call) {
        _cleanup_free_ char *device = NULL;
        uint32_t number, *pasid;
        json_object *o;
        Status status;
        int r;

        status = read_pasid(call->options, /* any= */ false, &number, &pasid);
        if (status == STATUS_OK)
                status = domain_device(call, call->arguments[0], &device);
        if (status != STATUS_OK)
                return status;

        r = iommud_detach(call->client, call->lease, device, pasid);
        if (r != 0)
                return domain_failed(call, r);

        o = need(json_object_new_object());
        json_put_string(o, "device", device);
        json_put(o, "pasid", json_of_pasid(pasid));
        return domain_answer(call, o, /* text= */ NULL);
}

/* ---- the end */

Status domain_destroy(const DomainCall *call) {
        uint64_t handle;
        json_object *o;
        Status status;
        int r;

        status = domain_handle("what is destroyed", call->arguments[0], &handle);
        if (status != STATUS_OK)
                return status;

        r = iommud_destroy(call->client, call->lease, handle);
        if (r != 0)
                return domain_failed(call, r);

        o = need(json_object_new_object());
        json_put_number(o, "handle", handle);
        return domain_answer(call, o, /* text= */ NULL);
}

Status domain_revoke(const DomainCall *call) {
        _cleanup_(iommud_strings_freep) char **not_reset = NULL;
        char *text = NULL;
        json_object *o;
        int r;

        r = iommud_revoke(call->client, call->lease, &not_reset);
        if (r != 0)
                return domain_failed(call, r);

        if (not_reset[0]) {
                _cleanup_free_ char *names = join_strings((const char *const *) not_reset, " ");

                text = print_string("Not reset: %s", names);
        }

        o = need(json_object_new_object());
        json_put_number(o, "lease", call->lease);
        json_put_strings(o, "not_reset", (const char *const *) not_reset);
        return domain_answer(call, o, text);
}

/* ---- the hardware */

Status domain_hw_info(const DomainCall *call) {
        _cleanup_(iommud_hw_info_freep) iommud_hw_info *info = NULL;
        _cleanup_free_ char *device = NULL, *data = NULL;
        const void *bytes;
        json_object *o;
        uint32_t type;
        Status status;
        size_t size;
        int r;

        status = domain_device(call, call->arguments[0], &device);
        if (status != STATUS_OK)
                return status;

        r = iommud_get_hw_info(call->client, call->lease, device, &info);
        if (r != 0)
                return domain_failed(call, r);

        bytes = iommud_hw_info_data(info, &type, &size);
        data = hex_text(bytes, size);
        if (!call->options->json) {
                print_iommu(iommud_hw_info_iommu(info), info);
                if (size > 0)
                        print_line_take("Registers", print_string("type %u: %s", type, data));
                return STATUS_OK;
        }

        o = json_from_iommu(info);
        json_put_string(o, "device", device);
        json_put_string(o, "iommu", iommud_hw_info_iommu(info));
        json_put_number(o, "type", type);
        json_put_string(o, "data", data);
        return domain_answer(call, o, /* text= */ NULL);
}
