/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What people call a device: from udev's hardware database, and for its class from a table of our own where
 * there is no database, as in small images.
 */

#include "cli.h"

typedef struct NamesDb NamesDb;

/* Never NULL; without a database it knows less. */
NamesDb *names_db_new(void);
void names_db_free(NamesDb *db);

/* "Ethernet controller"; "" for what is not PCI. Valid until the next call with @db. */
const char *names_db_class(NamesDb *db, const iommud_device *device);

/* "Intel Corporation", "82574L Gigabit Network Connection"; "" when not known. */
const char *names_db_vendor(NamesDb *db, const iommud_device *device);
const char *names_db_model(NamesDb *db, const iommud_device *device);

/* The table: the name of a 24-bit PCI class code. */
const char *pci_class_name(uint32_t class);

DEFINE_CLEANUP_FUNC(NamesDb, names_db_free);
