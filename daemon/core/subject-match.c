/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fnmatch.h>
#include <string.h>

#include "core/label.h"
#include "core/subject-match.h"
#include "core/subject.h"

/* Unit names have backslashes of their own: "dev-disk-by\x2did.swap" */
#define GLOB_FLAGS FNM_NOESCAPE

static const char *const userns_match_table[] = {
        [USERNS_ANY] = "any",
        [USERNS_OWN] = "own",
        [USERNS_OTHER] = "other",
};

DEFINE_STRING_TABLE(userns_match, UsernsMatch, _USERNS_MATCH_MAX);

static void string_list_done(StringList *list) {
        for (size_t i = 0; i < list->n_items; i++)
                free(list->items[i]);
        free(list->items);
}

int string_list_append(StringList *list, const char *s) {
        char **items, *copy;

        items = reallocarray(list->items, list->n_items + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        list->items = items;

        copy = strdup(s);
        if (!copy)
                return -ENOMEM;

        items[list->n_items++] = copy;
        return 0;
}

void subject_match_done(SubjectMatch *match) {
        free(match->uids);
        free(match->gids);
        string_list_done(&match->units);
        string_list_done(&match->slices);
        string_list_done(&match->cgroups);
        string_list_done(&match->labels);
        *match = (SubjectMatch) {};
}

bool subject_match_is_set(const SubjectMatch *match) {
        return match->n_uids > 0 || match->n_gids > 0 || match->units.n_items > 0 ||
               match->slices.n_items > 0 || match->cgroups.n_items > 0 || match->labels.n_items > 0 ||
               match->userns != USERNS_ANY;
}

unsigned subject_match_wanted_facts(const SubjectMatch *match) {
        unsigned wanted = 0;

        /* uid and gid 0 are nobody's without the proof of the user namespace */
        if (match->userns != USERNS_ANY || match->n_uids > 0 || match->n_gids > 0)
                wanted |= SUBJECT_KNOWS_USERNS;
        if (match->n_gids > 0)
                wanted |= SUBJECT_KNOWS_GIDS;
        if (match->units.n_items > 0 || match->slices.n_items > 0 || match->cgroups.n_items > 0)
                wanted |= SUBJECT_KNOWS_CGROUP;
        if (match->labels.n_items > 0)
                wanted |= SUBJECT_KNOWS_LABEL | SUBJECT_KNOWS_ENFORCED;

        return wanted;
}

/*
 * A container's root has the same number on the bus as the host's. Without the proof that it is the host's
 * it can't be told whom a rule for user or group 0 is about.
 */
static Match match_id(const Subject *subject, id_t id) {
        return id != 0 || subject->own_userns ? MATCH_YES : MATCH_UNKNOWN;
}

static Match match_uids(const SubjectMatch *match, const Subject *subject) {
        for (size_t i = 0; i < match->n_uids; i++)
                if (match->uids[i] == subject->uid)
                        return match_id(subject, subject->uid);

        return match->n_uids > 0 ? MATCH_NO : MATCH_YES;
}

static Match match_gids(const SubjectMatch *match, const Subject *subject) {
        Match result = subject->known & SUBJECT_KNOWS_GIDS ? MATCH_NO : MATCH_UNKNOWN;

        if (match->n_gids == 0)
                return MATCH_YES;

        for (size_t i = 0; i < match->n_gids; i++)
                if (subject_has_gid(subject, match->gids[i]))
                        result = match_greatest(result, match_id(subject, match->gids[i]));

        return result;
}

static bool glob_matches(const char *pattern, const char *s) {
        return fnmatch(pattern, s, GLOB_FLAGS) == 0;
}

/* The cgroup, or one that it is in. */
static bool cgroup_matches(const char *pattern, const char *s) {
        return fnmatch(pattern, s, GLOB_FLAGS | FNM_PATHNAME | FNM_LEADING_DIR) == 0;
}

/* The slice, or one that it is in: "machine-lab.slice" is in "machine.slice", and all are in "-.slice". */
static bool slice_matches(const char *name, const char *s) {
        size_t n = strlen(name) - strlen(".slice");

        if (strcmp(name, s) == 0)
                return true;
        if (strcmp(name, "-.slice") == 0)
                return s[0] != '\0';

        return strncmp(name, s, n) == 0 && s[n] == '-';
}

static Match match_strings(const StringList *list, const Subject *subject, SubjectFacts fact, const char *s,
                           bool (*matches)(const char *pattern, const char *s)) {
        if (list->n_items == 0)
                return MATCH_YES;
        if (!(subject->known & fact))
                return MATCH_UNKNOWN;

        /* a caller in no unit is in none that a "*" could mean */
        for (size_t i = 0; s[0] && i < list->n_items; i++)
                if (matches(list->items[i], s))
                        return MATCH_YES;

        return MATCH_NO;
}

/* Whether it says who somebody is, which a profile does not. */
static bool subject_match_identifies(const SubjectMatch *match) {
        return match->n_uids > 0 || match->n_gids > 0 || match->units.n_items > 0 ||
               match->slices.n_items > 0 || match->cgroups.n_items > 0;
}

static Match match_labels(const SubjectMatch *match, const Subject *subject, bool proof) {
        const StringList *list = &match->labels;
        Match result = MATCH_NO;

        if (list->n_items == 0)
                return MATCH_YES;
        if (!(subject->known & SUBJECT_KNOWS_LABEL))
                return MATCH_UNKNOWN;

        for (size_t i = 0; subject->label[0] && i < list->n_items; i++)
                result = match_greatest(result, label_match(list->items[i], subject->label));
        if (result == MATCH_NO)
                return MATCH_NO;
        if (!proof)
                return MATCH_YES;

        /* one that the caller may have chosen by himself */
        if (!(subject->known & SUBJECT_KNOWS_ENFORCED))
                return MATCH_UNKNOWN;
        return label_is_profile(subject->label) && !subject_match_identifies(match) ? MATCH_UNKNOWN : result;
}

static Match match_userns(const SubjectMatch *match, const Subject *subject) {
        if (match->userns == USERNS_ANY)
                return MATCH_YES;
        if (!(subject->known & SUBJECT_KNOWS_USERNS))
                return MATCH_UNKNOWN;

        return (match->userns == USERNS_OWN) == subject->own_userns ? MATCH_YES : MATCH_NO;
}

Match subject_match(
        const SubjectMatch *match, const Subject *subject, bool proof, RuleKey *ret_key) {
        const struct {
                RuleKey key;
                Match match;
        } results[] = {
                { RULE_KEY_UID, match_uids(match, subject) },
                { RULE_KEY_GID, match_gids(match, subject) },
                { RULE_KEY_UNIT, match_strings(&match->units, subject, SUBJECT_KNOWS_CGROUP, subject->unit,
                                               glob_matches) },
                { RULE_KEY_SLICE, match_strings(&match->slices, subject, SUBJECT_KNOWS_CGROUP,
                                                subject->slice, slice_matches) },
                { RULE_KEY_CGROUP, match_strings(&match->cgroups, subject, SUBJECT_KNOWS_CGROUP,
                                                 subject->cgroup, cgroup_matches) },
                { RULE_KEY_LABEL, match_labels(match, subject, proof) },
                { RULE_KEY_USERNS, match_userns(match, subject) },
        };
        Match result = MATCH_YES;

        if (!match->any && !subject_match_is_set(match)) {
                *ret_key = RULE_KEY_SUBJECT;
                return MATCH_NO;
        }

        for (size_t i = 0; i < ELEMENTSOF(results); i++)
                if (results[i].match < result) {
                        result = results[i].match;
                        *ret_key = results[i].key;
                }

        return result;
}
