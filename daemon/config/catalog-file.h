/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The names and tags of devices in iommud.json. The format is described in iommud-policy(5). */

#include <stddef.h>

#include "config/error.h"
#include "core/catalog.h"

/*
 * Reads iommud.json from memory into the empty @catalog. No byte at all is no entry. Returns 0; -EBADMSG,
 * -EFBIG or -ENOMEM, as policy_parse() does: the catalog is to be thrown away then.
 */
int catalog_parse(const char *origin, const void *data, size_t size, Catalog *catalog,
                  ConfigError *reterr) _must_check_;

/* The same from the file @path, which need not be there. */
int catalog_load(const char *path, Catalog *catalog, ConfigError *reterr) _must_check_;
