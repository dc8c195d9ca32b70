/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the label says of somebody that a security module has given him.
 *
 * SELinux and Smack give to a process the label that the administrator's policy has for it. While SELinux
 * is permissive it lets everybody have any, and then no label proves anything (SUBJECT_KNOWS_ENFORCED).
 * AppArmor confines, and identifies nobody: "NAME (MODE)" is a profile that whoever is not confined can take
 * on by himself, and "unconfined" is everybody else. Such a label narrows down whom a rule means, and proves
 * nothing.
 */

#include <stdbool.h>

#include "core/match.h"

/* Whether it is AppArmor's. */
bool label_is_profile(const char *label);

/*
 * Whether @label is what the glob @pattern means. Of AppArmor's the pattern can leave out the mode. It is
 * MATCH_UNKNOWN when nothing holds its owner to the profile: that is not enforced, and the pattern does not
 * say so; or it is one of several on top of each other, of which everybody can add one to his own.
 */
Match label_match(const char *pattern, const char *label);
