/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "core/context-record.h"
#include "core/device.h"
#include "core/lease-record.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/record-text.h"

#define RECORD_VERSION 1

/* A device of a lease is a line of its own, begun by this key. */
#define KEY_DEVICE "device"
#define KEY_RULE "rule"

/* Of words that are separated by spaces, none may hold one. */
static bool is_word(const char *s) {
        return !s[strcspn(s, " \n")];
}

static bool device_is_writable(const LeaseDevice *device) {
        return is_word(device->name) && is_word(device->subsystem) && is_word(device->driver) &&
               is_word(device->driver_override) && is_word(device->target) && is_word(device->dma.iommu);
}

/* The origin of a rule, which is a file's name and more, or what people have written, as one word. */
static void write_escaped(FILE *f, const char *key, const char *text) {
        fprintf(f, " %s=", key);
        for (const char *p = text; *p; p++)
                if (*p <= ' ' || *p == '%' || *p > '~')
                        fprintf(f, "%%%02x", (unsigned char) *p);
                else
                        fputc(*p, f);
}

/* Makes of such a word what it was, in place. */
static int unescape(char *word) {
        char *out = word;

        for (const char *p = word; *p; p++) {
                uint32_t byte;

                if (*p != '%') {
                        *out++ = *p;
                        continue;
                }
                if (parse_hex_digits(p + 1, 2, &byte) < 0 || byte == 0)
                        return -EBADMSG;
                *out++ = (char) byte;
                p += 2;
        }

        *out = '\0';
        return 0;
}

/* The rule is no more than remembered here: the lease charges it when it reserves what it had. */
static int read_rule(Lease *lease, LeaseDevice *device, char *value) {
        int r;

        r = unescape(value);
        if (r < 0)
                return r;

        return manager_get_account(lease->manager, lease->subject.uid, value, &device->rule);
}

int lease_record_write(const Lease *lease, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *f;

        for (unsigned i = 0; i < lease->n_devices; i++)
                if (!device_is_writable(&lease->devices[i]))
                        return -EINVAL;

        f = open_memstream(&text, &size);
        if (!f)
                return -errno;

        fprintf(f, "version=%u id=%" PRIu64 " state=%s mode=%s accounting=%s", RECORD_VERSION, lease->id,
                lease_state_to_string(lease->state), mode_to_string(lease->mode),
                accounting_to_string(lease->accounting));
        fprintf(f, " uid=%u own-userns=%u pid=%u since=%" PRIu64, lease->subject.uid,
                lease->subject.own_userns, (unsigned) lease->subject.pid, lease->since_usec);
        if (lease->until_usec > 0)
                fprintf(f, " max=%" PRIu64 " until=%" PRIu64, lease->max_usec, lease->until_usec);
        if (lease->features != (1U << _DOMAIN_FEATURE_MAX) - 1)
                fprintf(f, " features=%u", lease->features);
        if (lease->client[0])
                fprintf(f, " client=%s", lease->client);
        if (lease->request_reason[0]) {
                write_escaped(f, "request", lease->request_reason);
                fprintf(f, " deadline=%" PRIu64, lease->request_deadline_usec);
        }
        if (lease->noticed)
                fputs(" noticed=1", f);
        if (lease->kill)
                fputs(" kill=1", f);
        fprintf(f, " lifeline=%s:%" PRIu64 "\n", lease->lifeline_is_pidfd ? "pidfd" : "pipe",
                lease->lifeline_id);

        for (unsigned i = 0; i < lease->n_devices; i++) {
                const LeaseDevice *d = &lease->devices[i];

                fprintf(f, KEY_DEVICE "=%s subsystem=%s driver=%s override=%s target=%s", d->name,
                        d->subsystem, d->driver, d->driver_override, d->target);
                fprintf(f, " given=%u handed=%u recycle=%u dirty=%u", d->given, d->handed, d->recycle,
                        d->dirty);
                if (d->power != POWER_CONTROL_NONE)
                        fprintf(f, " power=%s", power_control_to_string(d->power));
                if (d->rule)
                        write_escaped(f, KEY_RULE, d->rule->rule);
                fputc('\n', f);
        }

        context_record_write(lease, f);

        if (fclose(f) != 0)
                return -ENOMEM;

        *ret = TAKE_PTR(text);
        return 0;
}

static int read_bool(const char *value, bool *ret) {
        if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
                return -EBADMSG;

        *ret = value[0] == '1';
        return 0;
}

static int read_lifeline(const char *value, Lease *lease) {
        if (strncmp(value, "pidfd:", 6) == 0) {
                lease->lifeline_is_pidfd = true;
                return parse_u64(value + 6, &lease->lifeline_id);
        }
        if (strncmp(value, "pipe:", 5) == 0)
                return parse_u64(value + 5, &lease->lifeline_id);

        return -EBADMSG;
}

static int read_request(Lease *lease, char *value) {
        int r;

        r = unescape(value);
        if (r < 0)
                return r;

        return copy_string(lease->request_reason, sizeof(lease->request_reason), value);
}

static int read_version(const char *value) {
        uint32_t version;

        return parse_u32(value, &version) < 0 || version != RECORD_VERSION ? -EBADMSG : 0;
}

static int read_lease_word(Lease *lease, const char *key, char *value) {
        if (strcmp(key, "version") == 0)
                return read_version(value);
        if (strcmp(key, "id") == 0)
                return parse_u64(value, &lease->id);
        if (strcmp(key, "since") == 0)
                return parse_u64(value, &lease->since_usec);
        if (strcmp(key, "max") == 0)
                return parse_u64(value, &lease->max_usec);
        if (strcmp(key, "until") == 0)
                return parse_u64(value, &lease->until_usec);
        if (strcmp(key, "features") == 0)
                return parse_u32(value, &lease->features);
        if (strcmp(key, "uid") == 0)
                return parse_u32(value, &lease->subject.uid);
        if (strcmp(key, "pid") == 0)
                return parse_u32(value, (uint32_t *) &lease->subject.pid);
        if (strcmp(key, "own-userns") == 0)
                return read_bool(value, &lease->subject.own_userns);
        if (strcmp(key, "client") == 0)
                return copy_string(lease->client, sizeof(lease->client), value);
        if (strcmp(key, "request") == 0)
                return read_request(lease, value);
        if (strcmp(key, "deadline") == 0)
                return parse_u64(value, &lease->request_deadline_usec);
        if (strcmp(key, "noticed") == 0)
                return read_bool(value, &lease->noticed);
        if (strcmp(key, "kill") == 0)
                return read_bool(value, &lease->kill);
        if (strcmp(key, "lifeline") == 0)
                return read_lifeline(value, lease);

        /* of these, what is no name is negative */
        if (strcmp(key, "state") == 0) {
                lease->state = lease_state_from_string(value);
                return lease->state;
        }
        if (strcmp(key, "mode") == 0) {
                lease->mode = mode_from_string(value);
                return lease->mode;
        }
        if (strcmp(key, "accounting") == 0) {
                lease->accounting = accounting_from_string(value);
                return lease->accounting;
        }

        return -EBADMSG;
}

static int read_device_word(LeaseDevice *device, const char *key, const char *value) {
        const struct {
                const char *key;
                char *buffer;
                size_t size;
        } strings[] = {
                { KEY_DEVICE, device->name, sizeof(device->name) },
                { "subsystem", device->subsystem, sizeof(device->subsystem) },
                { "driver", device->driver, sizeof(device->driver) },
                { "override", device->driver_override, sizeof(device->driver_override) },
                { "target", device->target, sizeof(device->target) },
        };
        const struct {
                const char *key;
                bool *flag;
        } flags[] = {
                { "given", &device->given },
                { "handed", &device->handed },
                { "recycle", &device->recycle },
                { "dirty", &device->dirty },
        };

        for (size_t i = 0; i < ELEMENTSOF(strings); i++)
                if (strcmp(strings[i].key, key) == 0)
                        /* these become parts of sysfs paths */
                        return strchr(value, '/') ? -EBADMSG
                                                  : copy_string(strings[i].buffer, strings[i].size, value);

        for (size_t i = 0; i < ELEMENTSOF(flags); i++)
                if (strcmp(flags[i].key, key) == 0)
                        return read_bool(value, flags[i].flag);

        if (strcmp(key, "power") == 0) {
                device->power = power_control_from_string(value);
                return device->power;
        }

        return -EBADMSG;
}

static int lease_append_device(Lease *lease, LeaseDevice **ret) {
        LeaseDevice *devices;

        devices = reallocarray(lease->devices, lease->n_devices + 1, sizeof(*devices));
        if (!devices)
                return -ENOMEM;

        lease->devices = devices;
        devices[lease->n_devices] = (LeaseDevice) { .fd = -EBADF, .group = GROUP_NONE };
        *ret = &devices[lease->n_devices++];
        return 0;
}

static int read_line(Lease *lease, char *line) {
        LeaseDevice *device = NULL;
        char *word;
        int r;

        if (strncmp(line, KEY_DEVICE "=", strlen(KEY_DEVICE "=")) == 0) {
                r = lease_append_device(lease, &device);
                if (r < 0)
                        return r;
        }

        while ((word = strsep(&line, " "))) {
                char *value;

                value = strchr(word, '=');
                if (!value)
                        return -EBADMSG;
                *value++ = '\0';

                if (device && strcmp(word, KEY_RULE) == 0)
                        r = read_rule(lease, device, value);
                else if (device)
                        r = read_device_word(device, word, value);
                else
                        r = read_lease_word(lease, word, value);
                if (r < 0)
                        return r == -ENOMEM ? r : -EBADMSG;
        }

        /* the given ones come first */
        if (device && device->given) {
                if (lease->n_given != lease->n_devices - 1 || lease->n_given == LIMIT_LEASE_DEVICES)
                        return -EBADMSG;
                lease->n_given++;
        }

        return 0;
}

static int lease_read_text(Lease *lease, const char *text) {
        _cleanup_free_ char *copy = NULL;
        char *rest, *line;
        int r;

        copy = rest = strdup(text);
        if (!copy)
                return -ENOMEM;

        /* a text of another version may look different in everything but its first word */
        if (strncmp(text, "version=1 ", strlen("version=1 ")) != 0)
                return record_not_known(text);

        while ((line = strsep(&rest, "\n"))) {
                if (!*line)
                        continue;
                r = context_record_has(line) ? context_record_read(lease, line) : read_line(lease, line);
                if (r < 0)
                        return r;
        }

        if (lease->id == 0 || lease->n_given == 0)
                return -EBADMSG;

        /* a lease has a context exactly if iommud makes what is in it */
        return (lease->context != NULL) == (lease->mode != MODE_VMM) ? 0 : -EBADMSG;
}

int lease_record_read(Manager *manager, const char *text, Lease **ret) {
        _cleanup_(lease_freep) Lease *lease = NULL;
        int r;

        r = lease_alloc(manager, &lease);
        if (r < 0)
                return r;

        r = lease_read_text(lease, text);
        if (r < 0)
                return r;

        r = manager_add_lease(manager, lease);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(lease);
        return 0;
}
