/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The objects of libiommud as JSON. The fields are documented in iommuctl(1): they stay what they are. */

#include <json-c/json.h>

#include "cli.h"
#include "names-db.h"

/* Each adds one field; "" stays "", a lease of 0 is null. */
void json_put(json_object *object, const char *key, json_object *value);
void json_put_string(json_object *object, const char *key, const char *value);
void json_put_strings(json_object *object, const char *key, const char *const *values);
void json_put_number(json_object *object, const char *key, uint64_t value);
void json_put_numbers(json_object *object, const char *key, const uint32_t *values, size_t n_values);
void json_put_lease(json_object *object, const char *key, uint64_t id);

void json_array_put(json_object *array, json_object *value);

json_object *json_from_strings(const char *const *values);
json_object *json_from_device(const iommud_device *device, NamesDb *names);
json_object *json_from_group(const iommud_group *group);
json_object *json_from_lease(const iommud_lease_info *lease);

/* Prints it on standard output and frees it. */
void json_print(json_object *value);
/* The same in one line. */
void json_print_line(json_object *value);
