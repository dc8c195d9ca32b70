/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "domain-options.h"
#include "lease-call.h"
#include "names.h"
#include "public.h"

_public_ int iommud_domain_options_new(iommud_domain_options **ret_options) {
        iommud_domain_options *options;

        if (!ret_options)
                return -EINVAL;

        options = calloc(1, sizeof(*options));
        if (!options)
                return -ENOMEM;

        *ret_options = options;
        return 0;
}

_public_ void iommud_domain_options_free(iommud_domain_options *options) {
        if (!options)
                return;

        free(options->kind);
        free(options);
}

int domain_options_copy(const iommud_domain_options *options, iommud_domain_options **ret) {
        iommud_domain_options *copy;

        copy = malloc(sizeof(*copy));
        if (!copy)
                return -ENOMEM;

        *copy = *options;
        if (options->kind) {
                copy->kind = strdup(options->kind);
                if (!copy->kind) {
                        free(copy);
                        return -ENOMEM;
                }
        }

        *ret = copy;
        return 0;
}

_public_ int iommud_domain_options_set_kind(iommud_domain_options *options, const char *kind) {
        char *copy;

        if (!options || !kind)
                return -EINVAL;

        copy = strdup(kind);
        if (!copy)
                return -ENOMEM;

        free(options->kind);
        options->kind = copy;
        return 0;
}

_public_ int iommud_domain_options_set_dirty_tracking(iommud_domain_options *options, bool on) {
        if (!options)
                return -EINVAL;

        options->dirty_tracking = on;
        return 0;
}

_public_ int iommud_domain_options_set_pasid(iommud_domain_options *options, bool on) {
        if (!options)
                return -EINVAL;

        options->pasid = on;
        return 0;
}

_public_ int iommud_domain_options_set_fault_queue(iommud_domain_options *options, bool on) {
        if (!options)
                return -EINVAL;

        options->fault_queue = on;
        return 0;
}

_public_ int iommud_domain_options_set_huge_pages(iommud_domain_options *options, bool on) {
        if (!options)
                return -EINVAL;

        options->small_pages = !on;
        return 0;
}

_public_ int iommud_domain_options_add_window(
                iommud_domain_options *options, uint64_t first, uint64_t last) {

        if (!options || first >= last)
                return -EINVAL;
        if (options->n_windows == WINDOWS_MAX)
                return -ENOSPC;

        options->windows[2 * options->n_windows] = first;
        options->windows[2 * options->n_windows + 1] = last;
        options->n_windows++;
        return 0;
}

_public_ int iommud_domain_options_set_data(
                iommud_domain_options *options, uint32_t type, const void *data, size_t size) {

        if (!options || !data || size == 0)
                return -EINVAL;
        if (size > DATA_MAX)
                return -E2BIG;

        options->data_type = type;
        options->data_size = size;
        memcpy(options->data, data, size);
        return 0;
}

static int append_windows(const iommud_domain_options *options, sd_bus_message *m) {
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", IOMMUD_DOMAIN_IOVA_WINDOWS);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "a(tt)");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(tt)");
        for (size_t i = 0; i < options->n_windows && r >= 0; i++)
                r = sd_bus_message_append(
                                m, "(tt)", options->windows[2 * i], options->windows[2 * i + 1]);
        for (unsigned i = 0; i < 3 && r >= 0; i++)
                r = sd_bus_message_close_container(m);

        return r;
}

/* What was never set is not said: iommud has its own default, and knows what goes with what. */
int domain_options_append(const iommud_domain_options *options, sd_bus_message *m) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r < 0 || !options)
                return r < 0 ? r : sd_bus_message_close_container(m);

        const struct {
                const char *name;
                bool set, value;
        } flags[] = {
                { IOMMUD_DOMAIN_DIRTY_TRACKING, options->dirty_tracking, true },
                { IOMMUD_DOMAIN_PASID, options->pasid, true },
                { IOMMUD_DOMAIN_FAULT_QUEUE, options->fault_queue, true },
                { IOMMUD_DOMAIN_HUGE_PAGES, options->small_pages, false },
        };

        if (options->kind)
                r = sd_bus_message_append(m, "{sv}", IOMMUD_DOMAIN_KIND, "s", options->kind);
        for (size_t i = 0; i < ELEMENTSOF(flags) && r >= 0; i++)
                if (flags[i].set)
                        r = sd_bus_message_append(m, "{sv}", flags[i].name, "b", (int) flags[i].value);
        if (r >= 0 && options->n_windows > 0)
                r = append_windows(options, m);
        if (r >= 0 && options->data_size > 0)
                r = sd_bus_message_append(m, "{sv}", IOMMUD_DOMAIN_DATA_TYPE, "u", options->data_type);
        if (r >= 0 && options->data_size > 0)
                r = message_append_bytes(m, IOMMUD_DOMAIN_DATA, options->data, options->data_size);

        return r < 0 ? r : sd_bus_message_close_container(m);
}
