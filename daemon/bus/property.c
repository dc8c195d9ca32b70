/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <string.h>

#include "bus/property.h"

int property_append(const Property *properties, size_t n, const char *name, sd_bus_message *message,
                    const void *object) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(properties[i].name, name) == 0)
                        return properties[i].append(message, object);

        return -ENOENT;
}

static int property_append_entry(const Property *property, sd_bus_message *message, const void *object) {
        int r;

        r = sd_bus_message_open_container(message, 'e', "sv");
        if (r < 0)
                return r;

        r = sd_bus_message_append_basic(message, 's', property->name);
        if (r < 0)
                return r;

        r = sd_bus_message_open_container(message, 'v', property->type);
        if (r < 0)
                return r;

        r = property->append(message, object);
        if (r < 0)
                return r;

        r = sd_bus_message_close_container(message);
        if (r < 0)
                return r;

        return sd_bus_message_close_container(message);
}

int property_append_all(const Property *properties, size_t n, sd_bus_message *message, const void *object) {
        int r;

        r = sd_bus_message_open_container(message, 'a', "{sv}");
        if (r < 0)
                return r;

        for (size_t i = 0; i < n; i++) {
                r = property_append_entry(&properties[i], message, object);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(message);
}

int append_strings(
        sd_bus_message *message, const char *(*get)(const void *object, size_t i), const void *object) {
        const char *s;
        int r;

        r = sd_bus_message_open_container(message, 'a', "s");
        if (r < 0)
                return r;

        for (size_t i = 0; (s = get(object, i)); i++) {
                r = sd_bus_message_append_basic(message, 's', s);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(message);
}

int append_entry(sd_bus_message *message, const char *name, const char *type, ...) {
        va_list ap;
        int r;

        r = sd_bus_message_open_container(message, 'e', "sv");
        if (r < 0)
                return r;

        r = sd_bus_message_append_basic(message, 's', name);
        if (r < 0)
                return r;

        r = sd_bus_message_open_container(message, 'v', type);
        if (r < 0)
                return r;

        va_start(ap, type);
        r = sd_bus_message_appendv(message, type, ap);
        va_end(ap);
        if (r < 0)
                return r;

        r = sd_bus_message_close_container(message);
        if (r < 0)
                return r;

        return sd_bus_message_close_container(message);
}

int append_bytes_entry(sd_bus_message *message, const char *name, const void *data, size_t size) {
        int r;

        r = sd_bus_message_open_container(message, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(message, "s", name);
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'v', "ay");
        if (r >= 0)
                r = sd_bus_message_append_array(message, 'y', data, size);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        return r < 0 ? r : sd_bus_message_close_container(message);
}
