/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "names.h"
#include "public.h"
#include "record.h"

/* What is said of somebody by a string. */
static const char *const who_keys[] = { "unit", "slice", "cgroup", "label", "userns", "mode" };

struct iommud_who {
        bool has_uid;
        uint32_t uid;
        uint32_t *gids;                      /* owned */
        size_t n_gids;
        char *values[ELEMENTSOF(who_keys)];  /* owned; NULL: not said */
};

struct iommud_policy_step {
        char *device;
        char *rule;
        char *verdict;
        char *match;
        char *key;
        bool decides;
        char *text;
};

static const Field step_fields[] = {
        { "device",  &field_text, offsetof(iommud_policy_step, device)  },
        { "rule",    &field_text, offsetof(iommud_policy_step, rule)    },
        { "verdict", &field_text, offsetof(iommud_policy_step, verdict) },
        { "match",   &field_text, offsetof(iommud_policy_step, match)   },
        { "key",     &field_text, offsetof(iommud_policy_step, key)     },
        { "decides", &field_bool, offsetof(iommud_policy_step, decides) },
        { "text",    &field_text, offsetof(iommud_policy_step, text)    },
};

static const RecordType step_type = { step_fields, ELEMENTSOF(step_fields), sizeof(iommud_policy_step) };

_public_ int iommud_who_new(iommud_who **ret_who) {
        iommud_who *who;

        if (!ret_who)
                return -EINVAL;

        who = calloc(1, sizeof(*who));
        if (!who)
                return -ENOMEM;

        *ret_who = who;
        return 0;
}

_public_ void iommud_who_free(iommud_who *who) {
        if (!who)
                return;

        for (size_t i = 0; i < ELEMENTSOF(who->values); i++)
                free(who->values[i]);
        free(who->gids);
        free(who);
}

_public_ int iommud_who_set_user(iommud_who *who, uid_t uid, const gid_t *gids, size_t n_gids) {
        uint32_t *copy;

        if (!who || (n_gids > 0 && !gids))
                return -EINVAL;

        copy = calloc(n_gids + 1, sizeof(*copy));
        if (!copy)
                return -ENOMEM;

        for (size_t i = 0; i < n_gids; i++)
                copy[i] = gids[i];
        free(who->gids);
        who->gids = copy;
        who->n_gids = n_gids;
        who->uid = uid;
        who->has_uid = true;
        return 0;
}

_public_ int iommud_who_set(iommud_who *who, const char *key, const char *value) {
        char *copy;

        if (!who || !key || !value)
                return -EINVAL;

        for (size_t i = 0; i < ELEMENTSOF(who_keys); i++) {
                if (strcmp(who_keys[i], key) != 0)
                        continue;

                copy = strdup(value);
                if (!copy)
                        return -ENOMEM;
                free(who->values[i]);
                who->values[i] = copy;
                return 0;
        }

        return -EINVAL;
}

static int append_gids(sd_bus_message *m, const iommud_who *who) {
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', "gids");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "au");
        if (r >= 0)
                r = sd_bus_message_append_array(m, 'u', who->gids, who->n_gids * sizeof(*who->gids));
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r;
}

static int append_who(sd_bus_message *m, const iommud_who *who) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && who && who->has_uid) {
                r = sd_bus_message_append(m, "{sv}", "uid", "u", who->uid);
                if (r >= 0)
                        r = append_gids(m, who);
        }

        for (size_t i = 0; r >= 0 && who && i < ELEMENTSOF(who_keys); i++)
                if (who->values[i])
                        r = sd_bus_message_append(m, "{sv}", who_keys[i], "s", who->values[i]);

        return r < 0 ? r : sd_bus_message_close_container(m);
}

_public_ int iommud_explain_policy(iommud_client *client, const char *selector, const iommud_who *who,
                                   iommud_policy_step ***ret_steps) {
        _cleanup_message_ sd_bus_message *message = NULL, *reply = NULL;
        int r;

        if (!selector || !ret_steps)
                return -EINVAL;

        r = client_begin(client);
        if (r < 0)
                return r;
        r = client_prepare(client, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "ExplainPolicy", &message);
        if (r < 0)
                return r;

        r = sd_bus_message_append_basic(message, 's', selector);
        if (r >= 0)
                r = append_who(message, who);
        if (r < 0)
                return client_fail(client, r, "the question cannot be sent: %s", strerror(-r));

        r = client_call(client, message, 0, &reply);
        if (r != 0)
                return r;

        r = client_expect(client, "ExplainPolicy", reply, "aa{sv}");
        if (r < 0)
                return r;

        return client_reply_read(client, "ExplainPolicy",
                                 records_read(reply, "a{sv}", &step_type, (void ***) ret_steps));
}

_public_ void iommud_policy_steps_free(iommud_policy_step **steps) {
        records_free(&step_type, (void **) steps);
}

DEFINE_GETTER_TEXT(policy_step, device);
DEFINE_GETTER_TEXT(policy_step, rule);
DEFINE_GETTER_TEXT(policy_step, verdict);
DEFINE_GETTER_TEXT(policy_step, match);
DEFINE_GETTER_TEXT(policy_step, key);
DEFINE_GETTER(policy_step, bool, decides, false);
DEFINE_GETTER_TEXT(policy_step, text);
