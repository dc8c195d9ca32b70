/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "bus/options.h"

static int read_bool(sd_bus_message *message, bool *ret) {
        int r, value;

        r = sd_bus_message_read_basic(message, 'b', &value);
        if (r < 0)
                return r;

        *ret = value;
        return 0;
}

static int read_value(sd_bus_message *message, const Option *option, void *target, Refusal *reterr) {
        char *field = (char *) target + option->offset;
        int r;

        if (option->read)
                return option->read(message, target, reterr);
        if (option->type[0] == 'b')
                return read_bool(message, (bool *) (void *) field);

        r = sd_bus_message_read_basic(message, option->type[0], field);
        return r < 0 ? r : 0;
}

static const Option *find_option(const Option *options, const char *key) {
        for (const Option *option = options; option->key; option++)
                if (strcmp(option->key, key) == 0)
                        return option;

        return NULL;
}

/* "kind, dirty_tracking and pasid" is too much to ask for; the list will do. */
static int refuse_key(const Option *options, const char *key, Refusal *reterr) {
        char names[192] = "";

        if (!options->key)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                        "There are no options yet, and so no \"%.32s\"", key);

        for (const Option *option = options; option->key; option++) {
                size_t n = strlen(names);

                if (n + strlen(option->key) + 3 < sizeof(names)) {
                        strcat(names, n > 0 ? ", " : "");
                        strcat(names, option->key);
                }
        }

        return refuse(
                reterr, OUTCOME_INVALID_OPTION, "There is no option \"%.32s\": there are %s", key, names);
}

static int read_option(sd_bus_message *message, const Option *options, void *target, Refusal *reterr) {
        const Option *option;
        const char *key;
        int r;

        r = sd_bus_message_read_basic(message, 's', &key);
        if (r < 0)
                return r;

        option = find_option(options, key);
        if (!option)
                return refuse_key(options, key, reterr);

        r = sd_bus_message_verify_type(message, 'v', option->type);
        if (r < 0)
                return r;
        if (r == 0)
                return refuse(reterr, OUTCOME_INVALID_OPTION, "Option \"%s\" must be of type %s", key,
                              option->type);

        r = sd_bus_message_enter_container(message, 'v', option->type);
        if (r < 0)
                return r;

        r = read_value(message, option, target, reterr);
        if (r != 0)
                return r;

        r = sd_bus_message_exit_container(message);
        return r < 0 ? r : 0;
}

int options_read(sd_bus_message *message, const Option *options, void *target, Refusal *reterr) {
        int r;

        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                r = read_option(message, options, target, reterr);
                if (r != 0)
                        return r;

                r = sd_bus_message_exit_container(message);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(message) < 0 ? -EBADMSG : 0;
}

int option_read_data(
        sd_bus_message *message, void *buffer, size_t size, uint32_t *ret_length, Refusal *reterr) {
        const void *data;
        size_t length;
        int r;

        r = sd_bus_message_read_array(message, 'y', &data, &length);
        if (r < 0)
                return r;
        if (length == 0 || length > size)
                return refuse(reterr, OUTCOME_INVALID_OPTION, "Option \"data\" has 1 to %zu bytes", size);

        memcpy(buffer, data, length);
        *ret_length = (uint32_t) length;
        return 0;
}

int option_read_mode(sd_bus_message *message, Mode *ret, Refusal *reterr) {
        const char *value;
        int r;

        r = sd_bus_message_read_basic(message, 's', &value);
        if (r < 0)
                return r;

        r = mode_from_string(value);
        if (r < 0)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                        "There is no mode \"%.32s\": it is \"vmm\", \"attached\" or \"confined\"", value);

        *ret = r;
        return 0;
}
