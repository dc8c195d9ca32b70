/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "core/claim-record.h"
#include "core/claim.h"
#include "core/manager.h"
#include "core/record-text.h"

#define RECORD_BEGIN "version=1 "
#define KEY_DEVICE "device"

/* The two that are undone or finished; whatever else the state is, the group is to be parked. */
static const char *state_word(const Claim *claim) {
        if (claim->state == CLAIM_RELEASING)
                return "releasing";

        return claim->state == CLAIM_PARKING && claim->fresh ? "fresh" : "parked";
}

static bool is_word(const char *s) {
        return !s[strcspn(s, " \n")];
}

int claim_record_write(const Claim *claim, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *f;

        for (unsigned i = 0; i < claim->n_devices; i++) {
                const ClaimDevice *d = &claim->devices[i];

                if (!is_word(d->name) || !is_word(d->subsystem) || !is_word(d->driver) ||
                    !is_word(d->driver_override) || !is_word(d->target))
                        return -EINVAL;
        }

        f = open_memstream(&text, &size);
        if (!f)
                return -errno;

        fprintf(f, RECORD_BEGIN "claim=%" PRIu64 " state=%s persistent=%u\n", claim->id, state_word(claim),
                claim->persistent);
        for (unsigned i = 0; i < claim->n_devices; i++) {
                const ClaimDevice *d = &claim->devices[i];

                fprintf(f, KEY_DEVICE "=%s subsystem=%s driver=%s override=%s target=%s dirty=%u", d->name,
                        d->subsystem, d->driver, d->driver_override, d->target, d->dirty);
                if (d->guessed || d->power != POWER_CONTROL_NONE)
                        fprintf(f, " guessed=%u power=%s", d->guessed, power_control_to_string(d->power));
                fputc('\n', f);
        }

        if (fclose(f) != 0)
                return -ENOMEM;

        *ret = TAKE_PTR(text);
        return 0;
}

static int read_power(char **line, PowerControl *ret) {
        const char *value;

        if (record_read_word(line, "power", &value) < 0)
                return -EBADMSG;

        *ret = power_control_from_string(value);
        return *ret < 0 ? -EBADMSG : 0;
}

/* These become parts of sysfs paths. */
static int read_name(char **line, const char *key, char *buffer, size_t size) {
        const char *value;

        if (record_read_word(line, key, &value) < 0 || strchr(value, '/') ||
            copy_string(buffer, size, value) < 0)
                return -EBADMSG;

        return 0;
}

static int read_device(Claim *claim, char *line) {
        ClaimDevice *devices, d = { .fd = -EBADF };

        if (read_name(&line, KEY_DEVICE, d.name, sizeof(d.name)) < 0 ||
            read_name(&line, "subsystem", d.subsystem, sizeof(d.subsystem)) < 0 ||
            read_name(&line, "driver", d.driver, sizeof(d.driver)) < 0 ||
            read_name(&line, "override", d.driver_override, sizeof(d.driver_override)) < 0 ||
            read_name(&line, "target", d.target, sizeof(d.target)) < 0 ||
            record_read_flag(&line, "dirty", &d.dirty) < 0 ||
            (line && record_read_flag(&line, "guessed", &d.guessed) < 0) ||
            (line && read_power(&line, &d.power) < 0) || line || !d.name[0] || !d.subsystem[0] ||
            !d.target[0] || claim_find_device(claim, d.name))
                return -EBADMSG;

        devices = reallocarray(claim->devices, claim->n_devices + 1, sizeof(*devices));
        if (!devices)
                return -ENOMEM;

        claim->devices = devices;
        devices[claim->n_devices++] = d;
        return 0;
}

static int read_head(
        char *line, uint64_t *ret_id, ClaimState *ret_state, bool *ret_fresh, bool *ret_persistent) {
        const char *id, *state;

        if (record_read_word(&line, "claim", &id) < 0 || parse_u64(id, ret_id) < 0 || *ret_id == 0 ||
            record_read_word(&line, "state", &state) < 0 ||
            record_read_flag(&line, "persistent", ret_persistent) < 0 || line)
                return -EBADMSG;

        *ret_fresh = strcmp(state, "fresh") == 0;
        if (strcmp(state, "releasing") == 0)
                *ret_state = CLAIM_RELEASING;
        else if (*ret_fresh || strcmp(state, "parked") == 0)
                *ret_state = CLAIM_PARKING;
        else
                return -EBADMSG;

        return 0;
}

int claim_record_read(Manager *manager, const char *text, Claim **ret) {
        _cleanup_(claim_freep) Claim *claim = NULL;
        _cleanup_free_ char *copy = NULL;
        bool fresh, persistent;
        char *rest, *line;
        ClaimState state;
        uint64_t id;
        int r;

        if (strncmp(text, RECORD_BEGIN, strlen(RECORD_BEGIN)) != 0)
                return record_not_known(text);

        copy = rest = strdup(text + strlen(RECORD_BEGIN));
        if (!copy)
                return -ENOMEM;

        r = read_head(strsep(&rest, "\n"), &id, &state, &fresh, &persistent);
        if (r < 0)
                return r;

        r = claim_new(manager, id, &claim);
        if (r < 0)
                return r;

        claim->state = state;
        claim->fresh = fresh;
        claim->persistent = persistent;

        while ((line = strsep(&rest, "\n"))) {
                if (!*line)
                        continue;
                r = read_device(claim, line);
                if (r < 0)
                        return r;
        }
        if (claim->n_devices == 0)
                return -EBADMSG;

        *ret = TAKE_PTR(claim);
        return 0;
}
