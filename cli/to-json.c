/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "iommu-text.h"
#include "to-json.h"

void json_put(json_object *object, const char *key, json_object *value) {
        if (json_object_object_add(object, key, value) < 0)
                need(NULL);
}

void json_array_put(json_object *array, json_object *value) {
        if (json_object_array_add(array, value) < 0)
                need(NULL);
}

void json_put_string(json_object *object, const char *key, const char *value) {
        json_put(object, key, need(json_object_new_string(value)));
}

json_object *json_from_strings(const char *const *values) {
        json_object *array = need(json_object_new_array());

        for (; *values; values++)
                json_array_put(array, need(json_object_new_string(*values)));

        return array;
}

void json_put_strings(json_object *object, const char *key, const char *const *values) {
        json_put(object, key, json_from_strings(values));
}

void json_put_number(json_object *object, const char *key, uint64_t value) {
        json_put(object, key, need(json_object_new_uint64(value)));
}

void json_put_numbers(json_object *object, const char *key, const uint32_t *values, size_t n_values) {
        json_object *array = need(json_object_new_array());

        for (size_t i = 0; i < n_values; i++)
                json_array_put(array, need(json_object_new_uint64(values[i])));

        json_put(object, key, array);
}

void json_put_lease(json_object *object, const char *key, uint64_t id) {
        json_put(object, key, id > 0 ? need(json_object_new_uint64(id)) : /* null */ NULL);
}

/* Ids are known by their hexadecimal digits: what lspci and everybody else calls 8086 is "8086" here too */
static void json_put_hex(json_object *object, const char *key, uint32_t value, int digits) {
        _cleanup_free_ char *text = print_string("%0*x", digits, value);

        json_put_string(object, key, text);
}

json_object *json_from_device(const iommud_device *d, NamesDb *names) {
        json_object *o = need(json_object_new_object());

        json_put_string(o, "name", iommud_device_name(d));
        json_put_string(o, "subsystem", iommud_device_subsystem(d));
        json_put_hex(o, "vendor", iommud_device_vendor(d), 4);
        json_put_hex(o, "device", iommud_device_device_id(d), 4);
        json_put_hex(o, "subsystem_vendor", iommud_device_subsystem_vendor(d), 4);
        json_put_hex(o, "subsystem_device", iommud_device_subsystem_device(d), 4);
        json_put_hex(o, "class", iommud_device_class(d), 6);
        json_put_string(o, "class_name", names_db_class(names, d));
        json_put_string(o, "stable_name", iommud_device_stable_name(d));
        json_put_strings(o, "tags", iommud_device_tags(d));
        json_put_string(o, "serial", iommud_device_serial(d));
        json_put_string(o, "driver", iommud_device_driver(d));
        json_put_string(o, "driver_override", iommud_device_driver_override(d));
        json_put_string(o, "original_driver", iommud_device_original_driver(d));
        json_put_number(o, "group", iommud_device_group(d));
        json_put_lease(o, "lease", iommud_device_lease(d));
        json_put_string(o, "cdev", iommud_device_cdev(d));
        json_put(o, "numa_node", need(json_object_new_int(iommud_device_numa_node(d))));
        json_put_strings(o, "reset_methods", iommud_device_reset_methods(d));
        json_put_string(o, "iommu", iommud_device_iommu(d));
        json_put(o, "iommu_features", json_from_iommu(iommud_device_hw_info(d)));
        json_put_string(o, "physical_function", iommud_device_physical_function(d));
        json_put_string(o, "quarantine", iommud_device_quarantine(d));
        return o;
}

static json_object *json_from_blockers(const iommud_group *g) {
        json_object *array = need(json_object_new_array());
        const char *device, *driver;

        for (size_t i = 0; iommud_group_blocker(g, i, &device, &driver) == 0; i++) {
                json_object *o = need(json_object_new_object());

                json_put_string(o, "device", device);
                json_put_string(o, "driver", driver);
                json_array_put(array, o);
        }

        return array;
}

static json_object *json_from_regions(const iommud_group *g) {
        json_object *array = need(json_object_new_array());
        uint64_t first, last;
        const char *kind;

        for (size_t i = 0; iommud_group_reserved_region(g, i, &first, &last, &kind) == 0; i++) {
                json_object *o = need(json_object_new_object());

                json_put_number(o, "first", first);
                json_put_number(o, "last", last);
                json_put_string(o, "kind", kind);
                json_array_put(array, o);
        }

        return array;
}

json_object *json_from_group(const iommud_group *g) {
        json_object *o = need(json_object_new_object());

        json_put_number(o, "id", iommud_group_id(g));
        json_put_string(o, "type", iommud_group_type(g));
        json_put_string(o, "dma_owner", iommud_group_dma_owner(g));
        json_put(o, "viable", need(json_object_new_boolean(iommud_group_viable(g))));
        json_put(o, "blockers", json_from_blockers(g));
        json_put_strings(o, "devices", iommud_group_devices(g));
        json_put_lease(o, "lease", iommud_group_lease(g));
        json_put_string(o, "claim", iommud_group_claim_state(g));
        json_put(o, "claim_persistent", need(json_object_new_boolean(iommud_group_claim_persistent(g))));
        json_put_string(o, "claim_reason", iommud_group_claim_reason(g));
        json_put(o, "reserved_regions", json_from_regions(g));
        return o;
}

static json_object *json_from_holders(const iommud_lease_info *l) {
        json_object *array = need(json_object_new_array());
        const char *command, *unit, *cgroup;
        pid_t pid;

        for (size_t i = 0; iommud_lease_info_holder(l, i, &pid, &command, &unit, &cgroup) == 0; i++) {
                json_object *o = need(json_object_new_object());

                json_put_number(o, "pid", (uint64_t) pid);
                json_put_string(o, "command", command);
                json_put_string(o, "unit", unit);
                json_put_string(o, "cgroup", cgroup);
                json_array_put(array, o);
        }

        return array;
}

json_object *json_from_lease(const iommud_lease_info *l) {
        json_object *o = need(json_object_new_object());
        const uint32_t *groups;
        size_t n_groups;

        json_put_number(o, "id", iommud_lease_info_id(l));
        json_put_string(o, "state", iommud_lease_info_state(l));
        json_put_string(o, "state_reason", iommud_lease_info_state_reason(l));
        json_put(o, "holders", json_from_holders(l));
        json_put_string(o, "mode", iommud_lease_info_mode(l));
        json_put_number(o, "uid", iommud_lease_info_uid(l));
        json_put_number(o, "pid", (uint64_t) iommud_lease_info_pid(l));
        json_put_number(o, "since_usec", iommud_lease_info_since(l));
        json_put_number(o, "until_usec", iommud_lease_info_until(l));
        json_put_strings(o, "devices", iommud_lease_info_devices(l));
        json_put_strings(o, "companions", iommud_lease_info_companions(l));
        groups = iommud_lease_info_groups(l, &n_groups);
        json_put_numbers(o, "groups", groups, n_groups);
        return o;
}

static void print(json_object *value, int flags) {
        flags |= JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE;
        puts(need((void *) json_object_to_json_string_ext(value, flags)));
        json_object_put(value);
}

void json_print(json_object *value) {
        print(value, JSON_C_TO_STRING_PRETTY);
}

void json_print_line(json_object *value) {
        print(value, 0);
}
