/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fnmatch.h>
#include <string.h>

#include "core/label.h"
#include "core/subject.h"

/* Between profiles that are on top of each other. */
#define STACK "//&"

/* A label of AppArmor's, or a pattern for one. */
typedef struct Profile {
        char name[SUBJECT_LABEL_MAX];
        const char *mode;                    /* "(enforce)", borrowed; "": it says none */
} Profile;

static bool glob_matches(const char *pattern, const char *s) {
        return fnmatch(pattern, s, FNM_NOESCAPE) == 0;
}

/* "(MODE)", which follows a name and a space: no other security module ends its labels like that. */
static const char *find_mode(const char *label) {
        const char *mode = "";
        size_t n = strlen(label);

        if (n == 0 || label[n - 1] != ')')
                return mode;

        for (const char *p = strstr(label + 1, " ("); p; p = strstr(p + 1, " ("))
                mode = p + 1;
        return mode;
}

static bool profile_read(const char *label, Profile *ret) {
        const char *mode = find_mode(label);
        size_t n = *mode ? (size_t) (mode - label) - 1 : strlen(label);

        if (n >= sizeof(ret->name))
                return false;

        memcpy(ret->name, label, n);
        ret->name[n] = '\0';
        ret->mode = mode;
        return true;
}

static bool profile_is_enforced(const Profile *profile) {
        return strcmp(profile->mode, "(enforce)") == 0 || strcmp(profile->mode, "(kill)") == 0;
}

/* Whether one of the profiles that are in @stack, which it takes apart, is meant. */
static bool glob_matches_any(const char *pattern, char *stack) {
        for (char *next; stack; stack = next) {
                next = strstr(stack, STACK);
                if (next) {
                        *next = '\0';
                        next += strlen(STACK);
                }
                if (glob_matches(pattern, stack))
                        return true;
        }

        return false;
}

bool label_is_profile(const char *label) {
        return *find_mode(label) || strcmp(label, "unconfined") == 0;
}

Match label_match(const char *pattern, const char *label) {
        Profile is, should;

        if (!*find_mode(label))
                return glob_matches(pattern, label) ? MATCH_YES : MATCH_NO;

        if (!profile_read(label, &is) || !profile_read(pattern, &should))
                return MATCH_UNKNOWN;
        if (*should.mode && strcmp(should.mode, is.mode) != 0)
                return MATCH_NO;

        if (strstr(is.name, STACK) && !strstr(should.name, STACK))
                return glob_matches_any(should.name, is.name) ? MATCH_UNKNOWN : MATCH_NO;
        if (!glob_matches(should.name, is.name))
                return MATCH_NO;

        return *should.mode || profile_is_enforced(&is) ? MATCH_YES : MATCH_UNKNOWN;
}
