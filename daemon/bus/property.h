/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The properties of an interface as one table, from which both org.freedesktop.DBus.Properties and the bulk
 * lists of the Manager are answered: what ListDevices says of a device can't differ from what the device
 * says.
 */

#include <systemd/sd-bus.h>

#include "core/forward.h"

typedef struct Property {
        const char *name;
        const char *type;                    /* D-Bus signature */
        int (*append)(sd_bus_message *message, const void *object);
} Property;

/* Appends the value of one property, without variant. -ENOENT when the table has none of that name. */
int property_append(const Property *properties, size_t n, const char *name, sd_bus_message *message,
                    const void *object) _must_check_;

/* Appends all of them as a{sv}. */
int property_append_all(const Property *properties, size_t n, sd_bus_message *message, const void *object)
        _must_check_;

/* Appends an array of strings, taken one by one from what @get returns for 0, 1, … until that is NULL. */
int append_strings(sd_bus_message *message, const char *(*get)(const void *object, size_t i),
        const void *object) _must_check_;

/* Appends one entry of an a{sv}; what follows is as for sd_bus_message_append(3). */
int append_entry(sd_bus_message *message, const char *name, const char *type, ...) _must_check_;

/* The same of an array of bytes. */
int append_bytes_entry(
        sd_bus_message *message, const char *name, const void *data, size_t size) _must_check_;
