/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The policy of a host: the rules of all files of its policy directories. See iommud-policy(5). */

#include "config/error.h"
#include "core/policy.h"

/*
 * Reads the names of devices from the file @names, which need not exist (NULL: there is none), and then all
 * files *.json of the directories in @dirs, an array that ends in NULL, in the order of their
 * names. Of files of one name the first directory's hides the others', so the administrator's directory
 * comes before the vendor's. A directory that does not exist holds no files.
 *
 * All or nothing: returns 0 and a policy of the caller, or a negative errno when anything at all is wrong.
 * *reterr, which comes in empty, says what and where in all cases but -ENOMEM; the caller frees its
 * contents.
 */
int policy_load(const char *names, const char *const *dirs, Policy **ret, ConfigError *reterr) _must_check_;
