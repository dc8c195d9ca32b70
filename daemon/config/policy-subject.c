/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <json-c/json.h>
#include <stdint.h>
#include <string.h>

#include "config/policy-reader.h"

/* The highest id of a user or group. The number after it, (uid_t) -1, is how the kernel says "none". */
#define ID_MAX (UINT32_MAX - 1)

static_assert(sizeof(uid_t) == sizeof(uint32_t) && sizeof(gid_t) == sizeof(uint32_t), "ids have 32 bits");

static int append_uid(SubjectMatch *subject, uid_t uid) {
        uid_t *uids;

        uids = reallocarray(subject->uids, subject->n_uids + 1, sizeof(*uids));
        if (!uids)
                return -ENOMEM;

        uids[subject->n_uids++] = uid;
        subject->uids = uids;
        return 0;
}

static int append_gid(SubjectMatch *subject, gid_t gid) {
        gid_t *gids;

        gids = reallocarray(subject->gids, subject->n_gids + 1, sizeof(*gids));
        if (!gids)
                return -ENOMEM;

        gids[subject->n_gids++] = gid;
        subject->gids = gids;
        return 0;
}

static int read_uid(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;
        uint32_t uid;
        int r;

        r = json_node_read_u32(node, ID_MAX, &uid);
        if (r < 0)
                return r;

        return append_uid(reader->subject, uid);
}

static int read_gid(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;
        uint32_t gid;
        int r;

        r = json_node_read_u32(node, ID_MAX, &gid);
        if (r < 0)
                return r;

        return append_gid(reader->subject, gid);
}

/*
 * One missing account is reason enough to refuse all: who would be denied by this rule might be allowed by a
 * later one.
 */
static int fail_name(const JsonNode *node, int error, const char *what, const char *name) {
        switch (error) {

        case -ENOMEM:
                return error;

        case -ESRCH:
                return json_node_fail(node,
                                      "there is no %s \"%.*s\" on this host; create it, or take it out",
                                      what, POLICY_SHOWN_MAX, name);

        default:
                return json_node_fail(node, "can't look up %s \"%.*s\": %s", what, POLICY_SHOWN_MAX, name,
                                      strerror(-error));
        }
}

static int read_user(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;
        const char *name;
        uid_t uid;
        int r;

        r = json_node_read_string(node, &name);
        if (r < 0)
                return r;

        r = reader->names->user(name, &uid);
        if (r < 0)
                return fail_name(node, r, "user", name);
        if (uid > ID_MAX)
                return json_node_fail(node, "user \"%.*s\" has an id that stands for none", POLICY_SHOWN_MAX,
                                      name);

        return append_uid(reader->subject, uid);
}

static int read_group(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;
        const char *name;
        gid_t gid;
        int r;

        r = json_node_read_string(node, &name);
        if (r < 0)
                return r;

        r = reader->names->group(name, &gid);
        if (r < 0)
                return fail_name(node, r, "group", name);
        if (gid > ID_MAX)
                return json_node_fail(node, "group \"%.*s\" has an id that stands for none",
                                      POLICY_SHOWN_MAX, name);

        return append_gid(reader->subject, gid);
}

int policy_read_uids(const JsonNode *node, void *userdata) {
        return json_node_read_list(node, read_uid, userdata);
}

int policy_read_gids(const JsonNode *node, void *userdata) {
        return json_node_read_list(node, read_gid, userdata);
}

int policy_read_users(const JsonNode *node, void *userdata) {
        return json_node_read_list(node, read_user, userdata);
}

int policy_read_groups(const JsonNode *node, void *userdata) {
        return json_node_read_list(node, read_group, userdata);
}

int policy_read_any(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;
        const char *s;
        int r;

        r = json_node_read_string(node, &s);
        if (r < 0)
                return r;

        if (strcmp(s, "any") != 0)
                return json_node_fail(node,
                                      "\"any\" is the only subject that is written so; for others there are "
                                      "\"user\", \"group\", \"unit\" and more");

        reader->subject->any = true;
        return 0;
}

static bool has_key(const JsonNode *node, const char *key) {
        return json_object_object_get_ex(node->value, key, /* value= */ NULL);
}

int policy_check_subject(const JsonNode *node, const SubjectMatch *subject) {
        bool listed = subject_match_is_set(subject);

        if (!subject->any && !listed)
                return json_node_fail(node,
                                      "it is about nobody; add \"user\", \"group\" or another key "
                                      "for whom it "
                                      "is about, or \"subject\": \"any\" for everybody");

        /* Read as "any subject that is in this list" it would grant far more than was meant */
        if (subject->any && listed)
                return json_node_fail(node,
                                      "it is about everybody (\"subject\": \"any\") and about "
                                      "some; take one "
                                      "out");

        /* All keys must hold, but these two are one list here */
        if (has_key(node, "uid") && has_key(node, "user"))
                return json_node_fail(node,
                                      "\"uid\" and \"user\" both say which user; put all into one "
                                      "of them, or "
                                      "make two rules");
        if (has_key(node, "gid") && has_key(node, "group"))
                return json_node_fail(node,
                                      "\"gid\" and \"group\" both say which group; put all into "
                                      "one of them, or "
                                      "make two rules");

        return 0;
}
