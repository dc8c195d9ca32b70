/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include <systemd/sd-hwdb.h>

#include "bus/device-names.h"
#include "core/device.h"
#include "core/refusal.h"

void device_read_names(const DeviceFacts *device, char *ret) {
        _cleanup_(sd_hwdb_unrefp) sd_hwdb *hwdb = NULL;
        const char *vendor = "", *model = "";
        char modalias[64];

        ret[0] = '\0';
        if (strcmp(device->subsystem, "pci") != 0 || sd_hwdb_new(&hwdb) < 0)
                return;

        snprintf(modalias, sizeof(modalias), "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X", device->vendor,
                 device->device, device->subsystem_vendor, device->subsystem_device,
                 device->class >> 16 & 0xff, device->class >> 8 & 0xff, device->class & 0xff);

        /* what it hasn't is left as it is */
        (void) sd_hwdb_get(hwdb, modalias, "ID_VENDOR_FROM_DATABASE", &vendor);
        (void) sd_hwdb_get(hwdb, modalias, "ID_MODEL_FROM_DATABASE", &model);
        snprintf(ret, DEVICE_NAMES_MAX, "%s%s%s", vendor, *vendor && *model ? " " : "", model);
        make_printable(ret);
}
