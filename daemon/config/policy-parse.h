/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The rules of one policy file, from memory. The format is described in iommud-policy(5). */

#include <stddef.h>

#include "config/error.h"
#include "config/name-lookup.h"
#include "core/policy.h"

/*
 * Appends the rules in @data to @policy, in their order. @origin names the file, in messages and in the
 * rules' origin. No byte at all holds no rules and is no error: it is how a file of the vendor is masked.
 *
 * Returns 0; -EBADMSG when what is written is wrong, -EFBIG when it is too long, or -ENOMEM. In all cases
 * but the last *reterr, which comes in empty, says what is wrong. After a failure part of the rules may have
 * been appended: such a policy must not be used.
 */
int policy_parse(const char *origin, const void *data, size_t size, Policy *policy,
                 ConfigError *reterr) _must_check_;

/* The same with names of users and groups looked up in @names. */
int policy_parse_with_names(const char *origin, const void *data, size_t size, const NameLookup *names,
                            Policy *policy, ConfigError *reterr) _must_check_;
