/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The ways in which a file names devices: in one string, or by an object with a key for each fact. */

#include "config/json.h"
#include "core/device-match.h"

/*
 * "any"; a PCI address, "0000:01:00.0" or "01:00.0"; "8086:10d3"; "class:01", "class:0108" or
 * "class:010802"; "group:12"; "pf=0000:01:00.0,vf=3"; "serial=ABC"; "tag:lab"; or a name that the
 * administrator gave. Returns 0, or -EINVAL for anything else, and *ret is untouched then.
 */
int device_match_parse(const char *s, DeviceMatch *ret) _must_check_;

/* The digits of "class:…". Sets the key in @match. */
int device_class_parse(const char *digits, DeviceMatch *match) _must_check_;

/*
 * Reads either form. With a @catalog names and tags must be in it; without one there may be none: then it is
 * the catalog that is being read. Returns 0, or a negative errno after json_node_fail().
 */
int device_match_read(const JsonNode *node, const Catalog *catalog, DeviceMatch *ret) _must_check_;
