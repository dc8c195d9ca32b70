/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whom a rule is about. Everything that is set must hold; of a list any entry will do.
 */

#include "core/forward.h"
#include "core/match.h"

typedef enum UsernsMatch {
        USERNS_ANY,
        USERNS_OWN,
        USERNS_OTHER,
        _USERNS_MATCH_MAX,
        _USERNS_MATCH_INVALID = -EINVAL,
} UsernsMatch;

DECLARE_STRING_TABLE(userns_match, UsernsMatch);

typedef struct StringList {
        char **items;                        /* owned, with the strings */
        size_t n_items;
} StringList;

typedef struct SubjectMatch {
        /* "any" in the file; without it, and with nothing else set, the rule is about nobody */
        bool any;
        uid_t *uids;                         /* owned */
        size_t n_uids;
        gid_t *gids;                         /* owned */
        size_t n_gids;
        StringList units;                    /* globs */
        StringList slices;                   /* names; each stands for the slices below it too */
        StringList cgroups;                  /* globs; each stands for what is below it too */
        StringList labels;                   /* globs, see core/label.h */
        UsernsMatch userns;
} SubjectMatch;

void subject_match_done(SubjectMatch *match);

/* Appends a copy of @s. */
int string_list_append(StringList *list, const char *s) _must_check_;

/* Whether it says whom it is about, other than "any". */
bool subject_match_is_set(const SubjectMatch *match);

/* What of a subject (SubjectFacts) is compared with it. */
unsigned subject_match_wanted_facts(const SubjectMatch *match);

/*
 * Whether it is about @subject. In all cases but MATCH_YES *ret_key is what that hung on. With @proof it is
 * to the advantage of whom it is about, and of a label that somebody can have chosen by himself it is not
 * known whether he has.
 */
Match subject_match(const SubjectMatch *match, const Subject *subject, bool proof, RuleKey *ret_key);
