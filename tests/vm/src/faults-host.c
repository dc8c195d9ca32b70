/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/parse.h"
#include "faults-host.h"

#define STATE_DIR "/run/iommud"
#define PCI_DIR "/sys/bus/pci/devices"

void faults_host_read_driver(const char *device, char *buffer, size_t size) {
        char path[sizeof(PCI_DIR) + 300];

        snprintf(path, sizeof(path), PCI_DIR "/%s/driver", device);
        if (readlink_name_at(AT_FDCWD, path, buffer, size) < 0)
                buffer[0] = '\0';
}

int faults_host_read_group(const char *device, uint32_t *ret) {
        char path[sizeof(PCI_DIR) + 300], name[16];
        int r;

        snprintf(path, sizeof(path), PCI_DIR "/%s/iommu_group", device);
        r = readlink_name_at(AT_FDCWD, path, name, sizeof(name));
        return r < 0 ? r : parse_u32(name, ret);
}

int faults_host_read_claim(const FaultsHost *host, uint32_t group, FaultsClaim *ret) {
        static const char *const names[] = { "Claim", "ClaimReason" };
        _cleanup_(faults_claim_done) FaultsClaim claim = {};
        char **values[] = { &claim.state, &claim.reason }, path[64];
        int r;

        snprintf(path, sizeof(path), "/org/iommud1/group/%" PRIu32, group);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                r = sd_bus_get_property_string(host->bus, "org.iommud1", path, "org.iommud1.Group", names[i],
                        /* ret_error= */ NULL, values[i]);
                if (r < 0)
                        return r;
        }

        *ret = claim;
        claim = (FaultsClaim) {};
        return 0;
}

void faults_claim_done(FaultsClaim *claim) {
        free(claim->state);
        free(claim->reason);
}

static char *read_bindings(void) {
        struct dirent **entries;
        size_t size;
        char *text;
        FILE *f;
        int n;

        f = need(open_memstream(&text, &size));
        n = scandir(PCI_DIR, &entries, NULL, alphasort);
        for (int i = 0; i < n; i++) {
                char path[sizeof(PCI_DIR) + 300], driver[64], override[64];

                faults_host_read_driver(entries[i]->d_name, driver, sizeof(driver));
                snprintf(path, sizeof(path), PCI_DIR "/%s/driver_override", entries[i]->d_name);
                if (read_text_at(AT_FDCWD, path, override, sizeof(override)) < 0)
                        override[0] = '\0';
                fprintf(f, "%s: driver \"%s\", override \"%s\"\n", entries[i]->d_name, driver, override);
                free(entries[i]);
        }
        if (n >= 0)
                free(entries);
        fclose(f);
        return text;
}

/* The lifeline of the lease that will be granted next. */
#define N_STORED_IDLE 1

static unsigned count_stored(const FaultsHost *host) {
        unsigned n = UINT32_MAX;

        (void) sd_bus_get_property_trivial(host->bus, "org.freedesktop.systemd1",
                "/org/freedesktop/systemd1/unit/iommud_2eservice", "org.freedesktop.systemd1.Service",
                "NFileDescriptorStore", /* ret_error= */ NULL, 'u', &n);
        return n;
}

int faults_host_init(FaultsHost *host) {
        int r;

        r = sd_bus_open_system(&host->bus);
        if (r < 0)
                return r;

        host->bindings = read_bindings();
        return 0;
}

void faults_host_done(FaultsHost *host) {
        free(host->bindings);
        sd_bus_flush_close_unref(host->bus);
}

bool faults_host_is_same(const FaultsHost *host) {
        _cleanup_free_ char *bindings = read_bindings();

        return strcmp(bindings, host->bindings) == 0 && count_stored(host) == N_STORED_IDLE;
}

void faults_host_print(const FaultsHost *host) {
        _cleanup_free_ char *bindings = read_bindings();

        fprintf(stderr, "%u stored descriptors; drivers before:\n%sand now:\n%s", count_stored(host),
                host->bindings, bindings);
}

bool has_state_file(const char *prefix) {
        _cleanup_dir_ Dir *dir = NULL;
        const char *name;

        if (dir_open_at(AT_FDCWD, STATE_DIR, &dir) < 0)
                abort();

        while (dir_next(dir, &name) == DIR_ENTRY)
                if (strncmp(name, prefix, strlen(prefix)) == 0)
                        return true;

        return false;
}
