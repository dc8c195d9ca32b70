/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Placeholders in the command of "run": {iommufd}, {lifeline}, {device:0} for the first device,
 * {device:NAME} by name, and any other role in braces. What is not such a word in braces is left alone, so
 * that JSON goes through.
 */

#include "base/macro.h"

/* The file descriptor number that the first role has in the command; the n-th has the n-th after it. */
#define EXPAND_FIRST_FD 3

/*
 * @argument with its placeholders as file descriptor numbers. @roles is in the order of the descriptors and
 * ends with NULL. Returns 0, -ENOMEM, or -ENOENT and in *reterr_unknown (for the caller to free) a
 * placeholder that is meant for us, but for which there is no role.
 */
int expand(const char *argument, const char *const *roles, char **ret, char **reterr_unknown) _must_check_;
