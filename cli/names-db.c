/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <libudev.h>
#include <stdio.h>
#include <string.h>

#include "names-db.h"

struct NamesDb {
        struct udev *udev;
        struct udev_hwdb *hwdb;         /* NULL when there is none */
};

NamesDb *names_db_new(void) {
        NamesDb *db = need(calloc(1, sizeof(*db)));

        db->udev = need(udev_new());
        db->hwdb = udev_hwdb_new(db->udev);
        return db;
}

void names_db_free(NamesDb *db) {
        if (!db)
                return;

        udev_hwdb_unref(db->hwdb);
        udev_unref(db->udev);
        free(db);
}

static const char *names_db_get(NamesDb *db, const iommud_device *d, const char *property) {
        struct udev_list_entry *entry;
        char modalias[64];
        uint32_t class = iommud_device_class(d);

        if (!db->hwdb || strcmp(iommud_device_subsystem(d), "pci") != 0)
                return "";

        (void) snprintf(modalias, sizeof(modalias), "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X",
                        iommud_device_vendor(d), iommud_device_device_id(d),
                        iommud_device_subsystem_vendor(d), iommud_device_subsystem_device(d),
                        class >> 16 & 0xff, class >> 8 & 0xff, class & 0xff);

        udev_list_entry_foreach(entry, udev_hwdb_get_properties_list_entry(db->hwdb, modalias, 0))
                if (strcmp(udev_list_entry_get_name(entry), property) == 0)
                        return udev_list_entry_get_value(entry) ?: "";

        return "";
}

const char *names_db_class(NamesDb *db, const iommud_device *d) {
        const char *name;

        if (strcmp(iommud_device_subsystem(d), "pci") != 0)
                return "";

        name = names_db_get(db, d, "ID_PCI_SUBCLASS_FROM_DATABASE");
        return *name ? name : pci_class_name(iommud_device_class(d));
}

const char *names_db_vendor(NamesDb *db, const iommud_device *d) {
        return names_db_get(db, d, "ID_VENDOR_FROM_DATABASE");
}

const char *names_db_model(NamesDb *db, const iommud_device *d) {
        return names_db_get(db, d, "ID_MODEL_FROM_DATABASE");
}
