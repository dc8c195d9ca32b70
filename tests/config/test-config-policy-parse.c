/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "config/catalog-file.h"
#include "config/json.h"
#include "config/policy-parse.h"

static int fake_user(const char *name, uid_t *ret) {
        if (strcmp(name, "alice") == 0)
                *ret = 1000;
        else if (strcmp(name, "none") == 0)
                *ret = (uid_t) -1;
        else if (strcmp(name, "memory") == 0)
                return -ENOMEM;
        else
                return strcmp(name, "remote") == 0 ? -EIO : -ESRCH;

        return 0;
}

static int fake_group(const char *name, gid_t *ret) {
        if (strcmp(name, "kvm") == 0)
                *ret = 104;
        else if (strcmp(name, "lab") == 0)
                *ret = 2000;
        else if (strcmp(name, "none") == 0)
                *ret = (gid_t) -1;
        else
                return -ESRCH;

        return 0;
}

static const NameLookup names = { .user = fake_user, .group = fake_group };

static const char catalog[] =
        "{\"devices\":[{\"name\":\"gpu0\",\"match\":\"01:00.0\",\"tags\":[\"lab\"]}]}";

static int parse(const void *data, size_t size, Policy **ret, ConfigError *reterr) {
        _cleanup_(policy_freep) Policy *policy = NULL;
        int r;

        r = policy_new(&policy);
        assert(r == 0);
        r = catalog_parse("iommud.json", catalog, strlen(catalog), &policy->catalog, reterr);
        assert(r == 0);

        r = policy_parse_with_names("50-test.json", data, size, &names, policy, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(policy);
        return 0;
}

static Policy *parse_good(const char *s) {
        _cleanup_(config_error_done) ConfigError error = {};
        Policy *policy = NULL;

        if (parse(s, strlen(s), &policy, &error) < 0) {
                fprintf(stderr, "%s\n%s\n", s, error.message);
                abort();
        }

        assert(!error.message);
        return policy;
}

static void test_all_forms(void) {
        _cleanup_(policy_freep) Policy *policy = NULL;
        const SubjectMatch *subject;
        const PolicyRule *rule;

        policy = parse_good(
                "// a comment\n"
                "{\n"
                "        /* another, with \"quotes\" and { */\n"
                "        \"version\": 1,\n"
                "        \"rules\": [ // and one that ends in a star *\n"
                "                { \"comment\": \"no // comment /* at all\", \"uid\": 0, \"devices\": "
                "\"any\",\n"
                "                  \"verdict\": \"deny\" },\n"
                "                { \"uid\": [1001, 4294967294], \"gid\": [7], \"unit\": \"a@*.service\",\n"
                "                  \"slice\": [\"x.slice\", \"-.slice\"], \"cgroup\": \"/a/b*\",\n"
                "                  \"label\": \"x:*\", \"userns\": \"own\", \"verdict\": \"allow\",\n"
                "                  \"modes\": [\"vmm\"], \"whole_group\": true, \"needs_reset\": true,\n"
                "                  \"devices\": [\"01:00.0\", \"8086:10d3\", \"class:0108\",\n"
                "                  { \"vendor\": \"8086\", \"numa_node\": 0 }] },\n"
                "                { \"user\": \"alice\", \"group\": "
                "[\"kvm\", \"lab\"], \"devices\": \"any\",\n"
                "                  \"verdict\": \"ask\" },\n"
                "                {\"subject\":\"any\",\"devices\":[\"any\"],\"verdict\":\"allow\"}\n"
                "        ]\n"
                "}\n"
                "/**/");
        assert(policy->n_rules == 4);

        rule = &policy->rules[0];
        assert(strcmp(rule->origin, "50-test.json: rules[0]") == 0);
        assert(rule->verdict == VERDICT_DENY && !rule->subject.any);
        assert(rule->subject.n_uids == 1 && rule->subject.uids[0] == 0 && rule->subject.n_gids == 0);
        assert(rule->n_devices == 1 && rule->devices[0].any);
        assert(rule->modes == 0 && !rule->whole_group && !rule->needs_reset);

        rule = &policy->rules[1];
        subject = &rule->subject;
        assert(strcmp(rule->origin, "50-test.json: rules[1]") == 0);
        assert(rule->verdict == VERDICT_ALLOW && !subject->any);
        assert(subject->n_uids == 2 && subject->uids[0] == 1001 && subject->uids[1] == UINT32_MAX - 1);
        assert(subject->n_gids == 1 && subject->gids[0] == 7);
        assert(subject->units.n_items == 1 && strcmp(subject->units.items[0], "a@*.service") == 0);
        assert(subject->slices.n_items == 2 && strcmp(subject->slices.items[1], "-.slice") == 0);
        assert(subject->cgroups.n_items == 1 && strcmp(subject->cgroups.items[0], "/a/b*") == 0);
        assert(subject->labels.n_items == 1 && strcmp(subject->labels.items[0], "x:*") == 0);
        assert(subject->userns == USERNS_OWN);
        assert(rule->modes == 1U << MODE_VMM && rule->whole_group && rule->needs_reset);
        assert(rule->n_devices == 4);
        assert(strcmp(rule->devices[0].address, "0000:01:00.0") == 0);
        assert(rule->devices[1].vendor == 0x8086 && rule->devices[1].device == 0x10d3);
        assert(rule->devices[2].class_mask == 0xffff00);
        assert(rule->devices[3].keys == (1U << DEVICE_KEY_VENDOR | 1U << DEVICE_KEY_NUMA_NODE));

        rule = &policy->rules[2];
        assert(rule->verdict == VERDICT_ASK && rule->subject.n_uids == 1 && rule->subject.uids[0] == 1000);
        assert(rule->subject.n_gids == 2 && rule->subject.gids[0] == 104 && rule->subject.gids[1] == 2000);

        rule = &policy->rules[3];
        assert(rule->subject.any && !subject_match_is_set(&rule->subject));
}

static void test_no_rules(void) {
        static const char *const cases[] = {
                "",
                "{\"rules\":[]}",
                "{\"rules\":[],\"version\":1}",
                " { \"rules\" : [ ] } ",
                "{/**/\"rules\"/**/:[/**/]/**/}//",
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(policy_freep) Policy *policy = parse_good(cases[i]);

                assert(policy->n_rules == 0);
        }
}

static void test_terms(void) {
        _cleanup_(policy_freep) Policy *policy = NULL;
        const PolicyRule *rule;
        const PolicyLimits *limits;

        policy = parse_good(
                "{ \"limits\": [ { \"comment\": \"x\", \"user\": \"alice\", \"leases\": 1, "
                "\"mappings\": 0,\n"
                "\"requests_per_second\": 5 }, { \"subject\": \"any\", \"pinned_bytes\": 1099511627776 "
                "} ],\n"
                "\"rules\": [ { \"uid\": 1, \"devices\": [ \"gpu0\", \"pf=01:00.0,vf=1\", \"serial=S\" ],\n"
                "\"features\": [ \"nesting\", \"pasid\" ], \"max_lease_seconds\": 3600, \"host_use\": "
                "\"allow\", \"memlock\": \"unlimited\",\n"
                "\"limits\": { \"devices\": 2, \"pasids\": 3, \"requests_per_second\": 4 }, "
                "\"verdict\": \"allow\" },\n"
                "{ \"uid\": 1, \"devices\": \"any\", \"features\": [], \"memlock\": 9007199254740992, "
                "\"verdict\": \"ask\" }, { \"uid\": 1, \"devices\": \"any\", \"verdict\": \"allow\" } ] }");

        rule = &policy->rules[0];
        assert(rule->features == (1U << DOMAIN_FEATURE_NESTING | 1U << DOMAIN_FEATURE_PASID));
        assert(rule->max_lease_usec == UINT64_C(3600000000) && rule->host_use);
        assert(rule->limits.set == (1U << ACCOUNT_DEVICES | 1U << ACCOUNT_PASIDS |
                                    1U << ACCOUNT_REQUESTS_PER_SECOND));
        assert(rule->limits.max[ACCOUNT_REQUESTS_PER_SECOND] == 4);
        assert(rule->limits.max[ACCOUNT_DEVICES] == 2 && rule->limits.max[ACCOUNT_PASIDS] == 3);
        rule = &policy->rules[1];
        assert(rule->features == 0 && !rule->host_use && rule->limits.set == 0);
        assert(policy->rules[0].memlock == UINT64_MAX && rule->memlock == UINT64_C(1) << 53);
        assert(policy->rules[2].memlock == 0);

        assert(policy->n_limits == 2);
        limits = &policy->limits[0];
        assert(strcmp(limits->origin, "50-test.json: limits[0]") == 0);
        assert(limits->subject.n_uids == 1 && limits->limits.max[ACCOUNT_REQUESTS_PER_SECOND] == 5);
        assert(limits->limits.set ==
               (1U << ACCOUNT_LEASES | 1U << ACCOUNT_MAPPINGS | 1U << ACCOUNT_REQUESTS_PER_SECOND));
        assert(policy->limits[1].subject.any);
        assert(policy->limits[1].limits.max[ACCOUNT_PINNED_BYTES] == UINT64_C(1) << 40);
}

/* Values are found again in text that is made to mislead. */
static void test_escapes(void) {
        _cleanup_(policy_freep) Policy *policy = NULL;

        policy = parse_good(
                "{\"rules\":[{\"comment\":\"\\\"}],\\\\\",\"user\":\"\\u0061lice\",\"devices\":"
                "\"\\u0061ny\","
                "\"verdict\":\"allow\"}, {\"comment\":\"\\ud83d\\ude00 {[\xe2\x82\xac\",\"uid\":[ 1 , 2 ],"
                "\"devices\":\"any\",\"verdict\":\"deny\"}]}");
        assert(policy->n_rules == 2);
        assert(policy->rules[0].subject.uids[0] == 1000);
        assert(policy->rules[1].subject.n_uids == 2);
}

typedef struct BadCase {
        const char *text;
        unsigned line, column;
        const char *path;
        const char *says;                    /* a part of the message */
} BadCase;

#define RULE(s) "{\"rules\":[{" s "}]}"
#define REST "\"devices\":\"any\",\"verdict\":\"deny\""

static const BadCase bad_syntax[] = {
        { " ", 1, 2, NULL, "nothing here" },
        { "// all of it\n", 2, 1, NULL, "nothing here" },
        { "{\"rules\":[]", 1, 12, NULL, "ends too early" },
        { "{\"rules\":[{]}", 1, 12, NULL, "quoted object property name" },
        { "{\n  \"rules\": [ }\n}", 2, 14, NULL, "unexpected character" },
        { "{\"rules\":[]} x", 1, 14, NULL, "unexpected character" },
        { "{\"rules\":[]}{}", 1, 13, NULL, "unexpected character" },
        { "{\"rules\":[],}", 1, 13, NULL, "comma before this bracket" },
        { "{\"rules\":[1,\n/* 2 */\n]}", 3, 1, NULL, "comma before this bracket" },
        { "}", 1, 1, NULL, "unexpected character" },
        { "{\"rules\":[1 2]}", 1, 13, NULL, "array value separator" },
        { "{\"rules\" []}", 1, 10, NULL, "separator ':'" },
        { "{rules:[]}", 1, 2, NULL, "quoted object property name" },
        { "{'rules':[]}", 1, 2, NULL, "double quotes" },
        { "{\"rules\":['a']}", 1, 11, NULL, "double quotes" },
        { "{\n\"rules:[]}\n", 2, 1, NULL, "does not end on its line" },
        { "{\"a\\", 1, 2, NULL, "does not end on its line" },
        { "{\"a\tb\":1}", 1, 2, NULL, "does not end on its line" },
        { "{ /* \"rules\":[]}\n\n", 1, 3, NULL, "comment does not end" },
        { "/", 1, 1, NULL, "unexpected character" },
        { "{ / }", 1, 3, NULL, "quoted object property name" },
        { "{ # }", 1, 3, NULL, "quoted object property name" },
        { "/*/", 1, 1, NULL, "comment does not end" },
        { "/* \xe2\x82\xac \xe2\x82\xac */ x", 1, 11, NULL,
          "unexpected character" }, /* characters, not bytes */
        { "{\"rules\":\"\\x\"}", 1, 12, NULL, "invalid string" },
        { "{\"\xff\":1}", 1, 3, NULL, "invalid UTF-8" },
        { "{ // caf\xe9\n}", 1, 9, NULL, "invalid UTF-8" },
        { "{ // \xc3\xa9 \xed\xa0\x80\n}", 1, 8, NULL, "invalid UTF-8" },
        { "{\"rules\":[[[[[[[[[[[[1]]]]]]]]]]]]}", 1, 19, NULL, "nesting too deep" },
        { "{\"version\":01,\"rules\":[]}", 1, 14, NULL, "number expected" },
        { "{\"version\":0x1,\"rules\":[]}", 1, 13, NULL, "number expected" },
        { "{\"rules\":TRUE}", 1, 10, NULL, "boolean expected" },
};

static const BadCase bad_file[] = {
        { "[]", 1, 1, NULL, "an array [ … ] where an object" },
        { "null", 1, 1, NULL, "null where an object" },
        { "\n\"x\"", 2, 1, NULL, "a string where an object" },
        { "true", 1, 1, NULL, "true or false where an object" },
        { "{}", 1, 1, NULL, "no \"rules\"" },
        { "{\"version\":1}", 1, 1, NULL, "no \"rules\"" },
        { "{\"rules\":null}", 1, 10, "rules", "null where an array" },
        { "{\"rules\":{}}", 1, 10, "rules", "an object { … } where an array" },
        { "{\"version\":2,\"rules\":[]}", 1, 12, "version", "version 2" },
        { "{\"version\":\"1\",\"rules\":[]}", 1, 12, "version", "a string where a whole number" },
        { "{\"version\":1.0,\"rules\":[]}", 1, 12, "version", "not whole where a whole number" },
        { "{\"version\":-1,\"rules\":[]}", 1, 12, "version", "out of range" },
        { "{\"rules\":[],\"rules\":[]}", 1, 13, NULL, "\"rules\" appears twice" },
        { "{\"rules\":[],\"version\":1,\"rules\":[]}", 1, 25, NULL, "\"rules\" appears twice" },
        { "{\"version\":1,\"version\":1,\"rules\":[]}", 1, 14, NULL, "\"version\" appears twice" },
        { "{\"rules\":[],\n \"ruels\":[]}", 2, 2, NULL, "unknown key \"ruels\", did you mean \"rules\"?" },
        { "{\"something\":1}", 1, 2, NULL, "unknown key \"something\"" },
        { "{\"\":1}", 1, 2, NULL, "unknown key \"\"" },
        { "{\"r\\u0075les\":[]}", 1, 2, NULL, "backslash" },
        { "{\"rules\":[1]}", 1, 11, "rules[0]", "a number where an object" },
        { "{\"rules\":[{" REST ",\"uid\":1},\n\t[]]}", 2, 2, "rules[1]", "an array [ … ] where an object" },
};

static const BadCase bad_rule[] = {
        { RULE(""), 1, 11, "rules[0]", "no \"devices\"" },
        { RULE(REST), 1, 11, "rules[0]", "about nobody" },
        { RULE("\"uid\":1,\"verdict\":\"allow\""), 1, 11, "rules[0]", "no \"devices\"" },
        { RULE("\"uid\":1,\"devices\":\"any\""), 1, 11, "rules[0]", "no \"verdict\"" },
        { RULE("\"uid\":1,\"devcies\":\"any\"," REST), 1, 20, "rules[0]",
          "\"devcies\", did you mean \"devices\"?" },
        { RULE("\"uid\":1,\"uid\":2," REST), 1, 20, "rules[0]", "\"uid\" appears twice" },
        /* json-c has the second value, the text at the first key another */
        { RULE("\"uid\":\"1\",\"uid\":[1,2]," REST), 1, 22, "rules[0]", "\"uid\" appears twice" },
        { RULE("\"uid\":[1,2],\"uid\":3," REST), 1, 24, "rules[0]", "\"uid\" appears twice" },
        { "{\"rules\":1,\"version\":1,\"rules\":[{}]}", 1, 24, NULL, "\"rules\" appears twice" },
        { RULE("\"comment\":[]," REST), 1, 22, "rules[0].comment", "where a string must be" },

        { RULE("\"uid\":[]," REST), 1, 18, "rules[0].uid", "empty list" },
        { RULE("\"uid\":[[1]]," REST), 1, 19, "rules[0].uid[0]", "where a whole number" },
        { RULE("\"uid\":\"1\"," REST), 1, 18, "rules[0].uid", "a string where a whole number" },
        { RULE("\"uid\":[1, 2, null]," REST), 1, 25, "rules[0].uid[2]", "null where a whole number" },
        { RULE("\"uid\":4294967295," REST), 1, 18, "rules[0].uid", "from 0 to 4294967294" },
        { RULE("\"uid\":4294967296," REST), 1, 18, "rules[0].uid", "out of range" },
        { RULE("\"uid\":18446744073709551615," REST), 1, 18, "rules[0].uid", "out of range" },
        { RULE("\"uid\":-1," REST), 1, 18, "rules[0].uid", "out of range" },
        { RULE("\"uid\":-0," REST), 1, 18, "rules[0].uid", "out of range" },
        { RULE("\"uid\":1e3," REST), 1, 18, "rules[0].uid", "not whole" },
        { RULE("\"uid\":NaN," REST), 1, 18, "rules[0].uid", "not whole" },
        { RULE("\"uid\":true," REST), 1, 18, "rules[0].uid", "true or false where" },
        { RULE("\"gid\":4294967295," REST), 1, 18, "rules[0].gid", "out of range" },
        { RULE("\"gid\":{}," REST), 1, 18, "rules[0].gid", "an object" },

        { RULE("\"user\":\"nobdy\"," REST), 1, 19, "rules[0].user", "no user \"nobdy\"" },
        { RULE("\"user\":[\"alice\",\"\"]," REST), 1, 28, "rules[0].user[1]", "no user \"\"" },
        { RULE("\"user\":1000," REST), 1, 19, "rules[0].user", "a number where a string" },
        { RULE("\"user\":\"none\"," REST), 1, 19, "rules[0].user", "stands for none" },
        { RULE("\"user\":\"remote\"," REST), 1, 19, "rules[0].user",
          "can't look up user \"remote\": Input/output" },
        { RULE("\"user\":\"alice\\u0000x\"," REST), 1, 19, "rules[0].user", "NUL" },
        { RULE("\"group\":\"wheel\"," REST), 1, 20, "rules[0].group", "no group \"wheel\"" },
        { RULE("\"group\":[[]]," REST), 1, 21, "rules[0].group[0]", "an array [ … ] where a string" },
        { RULE("\"group\":\"none\"," REST), 1, 20, "rules[0].group", "stands for none" },

        { RULE("\"subject\":\"all\"," REST), 1, 22, "rules[0].subject", "\"any\" is the only" },
        { RULE("\"subject\":[\"any\"]," REST), 1, 22, "rules[0].subject", "where a string" },
        { RULE("\"subject\":\"any\",\"gid\":1," REST), 1, 11, "rules[0]", "and about some" },
        { RULE("\"user\":\"alice\",\"subject\":\"any\"," REST), 1, 11, "rules[0]", "and about some" },

        { RULE("\"uid\":1,\"user\":\"alice\"," REST), 1, 11, "rules[0]", "put all into one" },
        { RULE("\"group\":\"kvm\",\"gid\":1," REST), 1, 11, "rules[0]", "put all into one" },
        { RULE("\"subject\":\"any\",\"unit\":\"a.service\"," REST), 1, 11, "rules[0]", "and about some" },
        { RULE("\"subject\":\"any\",\"userns\":\"own\"," REST), 1, 11, "rules[0]", "and about some" },

        { RULE("\"unit\":\"libvirtd\"," REST), 1, 19, "rules[0].unit", "ends in \".service\"" },
        { RULE("\"unit\":[\"a.service\",\"a.slice\"]," REST), 1, 32, "rules[0].unit[1]", "no unit" },
        { RULE("\"unit\":\"/a.service\"," REST), 1, 19, "rules[0].unit", "no name of a unit" },
        { RULE("\"slice\":\"machine\"," REST), 1, 20, "rules[0].slice", "no name of a slice" },
        { RULE("\"slice\":\"machine-*.slice\"," REST), 1, 20, "rules[0].slice", "slices below it as well" },
        { RULE("\"slice\":\".slice\"," REST), 1, 20, "rules[0].slice", "no name of a slice" },
        { RULE("\"cgroup\":\"machine.slice\"," REST), 1, 21, "rules[0].cgroup", "no path" },
        { RULE("\"cgroup\":\"/machine.slice/\"," REST), 1, 21, "rules[0].cgroup", "no path" },
        { RULE("\"cgroup\":\"/\"," REST), 1, 21, "rules[0].cgroup", "no path" },
        { RULE("\"label\":\"\"," REST), 1, 20, "rules[0].label", "no label" },
        { RULE("\"userns\":\"any\"," REST), 1, 21, "rules[0].userns", "\"own\" or \"other\"" },
        { RULE("\"unt\":\"a.service\"," REST), 1, 12, "rules[0]", "did you mean \"unit\"?" },

        { RULE("\"modes\":[]," REST), 1, 20, "rules[0].modes", "empty list" },
        { RULE("\"modes\":\"vm\"," REST), 1, 20, "rules[0].modes", "it is \"vmm\", \"attached\" or" },
        { RULE("\"whole_group\":1," REST), 1, 26, "rules[0].whole_group", "where true or false" },
        { RULE("\"uid\":1,\"whole_group\":true,\"devices\":\"any\",\"verdict\":\"deny\""), 1, 11, "rules[0]",
          "can't have \"whole_group\"" },
        { RULE("\"uid\":1,\"needs_reset\":true,\"devices\":\"any\",\"verdict\":\"deny\""), 1, 11, "rules[0]",
          "can't have \"needs_reset\"" },
        { RULE("\"uid\":1,\"limits\":{},\"devices\":\"any\",\"verdict\":\"deny\""), 1, 11, "rules[0]",
          "can't have \"limits\"" },
        { RULE("\"uid\":1,\"features\":[\"psaid\"]"), 1, 32, "rules[0].features[0]", "unknown feature" },
        { RULE("\"uid\":1,\"max_lease_seconds\":0"), 1, 40, "rules[0].max_lease_seconds",
          "from 1 to 4294967295" },
        { RULE("\"uid\":1,\"max_lease_seconds\":\"1h\""), 1, 40, "rules[0].max_lease_seconds",
          "where a whole number" },
        { RULE("\"uid\":1,\"memlock\":0"), 1, 30, "rules[0].memlock", "from 1 to 9007199254740992" },
        { RULE("\"uid\":1,\"memlock\":\"8G\""), 1, 30, "rules[0].memlock", "or \"unlimited\"" },
        { RULE("\"uid\":1,\"memlock\":true"), 1, 30, "rules[0].memlock", "where a whole number must be" },
        { RULE("\"uid\":1,\"memlock\":1,\"devices\":\"any\",\"verdict\":\"deny\""), 1, 11, "rules[0]",
          "can't have \"memlock\"" },
        { RULE("\"uid\":1,\"host_use\":true"), 1, 31, "rules[0].host_use", "a string must be" },
        { RULE("\"uid\":1,\"host_use\":\"deny\""), 1, 31, "rules[0].host_use", "it is \"allow\"" },
        { RULE("\"uid\":1,\"host_use\":\"allow\",\"devices\":[\"01:00.0\",\"class:03\"],"
               "\"verdict\":\"allow\""), 1, 11, "rules[0]", "named one by one" },
        { RULE("\"uid\":1,\"host_use\":\"allow\",\"devices\":{\"pf\":\"01:00.0\"},\"verdict\":\"allow\""), 1,
          11, "rules[0]", "named one by one" },
        { RULE("\"uid\":1,\"host_use\":\"allow\",\"devices\":{\"vf\":1},\"verdict\":\"allow\""), 1, 11,
          "rules[0]", "named one by one" },
        { RULE("\"uid\":1,\"host_use\":\"allow\",\"devices\":\"tag:lab\",\"verdict\":\"allow\""), 1, 11,
          "rules[0]", "named one by one" },
        { RULE("\"uid\":1,\"limits\":{\"device\":1}"), 1, 30, "rules[0].limits",
          "did you mean \"devices\"?" },
        { RULE("\"uid\":1,\"limits\":{\"devices\":-1}"), 1, 40, "rules[0].limits.devices", "out of range" },
        { RULE("\"uid\":1,\"limits\":{\"requests_per_second\":0}"), 1, 52,
          "rules[0].limits.requests_per_second", "from 1 to 1000000" },
        { "{\"limits\":[{\"devices\":1}],\"rules\":[]}", 1, 12, "limits[0]", "about nobody" },
        { "{\"limits\":[{\"uid\":1}],\"rules\":[]}", 1, 12, "limits[0]", "limits nothing" },
        { "{\"limits\":[{\"uid\":1,\"requests_per_second\":0}],\"rules\":[]}", 1, 43,
          "limits[0].requests_per_second", "from 1 to 1000000" },
        { "{\"limits\":{},\"rules\":[]}", 1, 11, "limits", "an array" },

        { RULE("\"uid\":1,\"devices\":{}"), 1, 30, "rules[0].devices", "empty object" },
        { RULE("\"uid\":1,\"devices\":[{\"vendr\":\"8086\"}]"), 1, 32, "rules[0].devices[0]",
          "did you mean \"vendor\"?" },
        { RULE("\"uid\":1,\"devices\":{\"vendor\":8086}"), 1, 40, "rules[0].devices.vendor",
          "a string must be" },
        { RULE("\"uid\":1,\"devices\":{\"vendor\":\"18086\"}"), 1, 40, "rules[0].devices.vendor", "no id" },
        { RULE("\"uid\":1,\"devices\":{\"class\":\"108\"}"), 1, 39, "rules[0].devices.class", "2, 4 or 6" },
        { RULE("\"uid\":1,\"devices\":{\"address\":\"a/b\"}"), 1, 41, "rules[0].devices.address",
          "no address" },
        { RULE("\"uid\":1,\"devices\":{\"function\":\"pv\"}"), 1, 42, "rules[0].devices.function",
          "\"pf\" or" },
        { RULE("\"uid\":1,\"devices\":{\"pf\":\"nic0\"}"), 1, 36, "rules[0].devices.pf", "no PCI address" },
        { RULE("\"uid\":1,\"devices\":{\"numa_node\":\"0\"}"), 1, 43, "rules[0].devices.numa_node",
          "a whole number" },
        { RULE("\"uid\":1,\"devices\":\"gpu1\""), 1, 30, "rules[0].devices",
          "no device is called \"gpu1\", did you mean \"gpu0\"?" },
        { RULE("\"uid\":1,\"devices\":[{\"name\":\"network\"}]"), 1, 31, "rules[0].devices[0]",
          "no device is called \"network\" in iommud.json" },
        { RULE("\"uid\":1,\"devices\":\"tag:lap\""), 1, 30, "rules[0].devices", "did you mean \"lab\"?" },

        { RULE("\"uid\":1,\"devices\":[],\"verdict\":\"deny\""), 1, 30, "rules[0].devices", "empty list" },
        { RULE("\"uid\":1,\"devices\":1,\"verdict\":\"deny\""), 1, 30, "rules[0].devices",
          "a number where a string" },
        { RULE("\"uid\":1,\"devices\":\"8086:*\",\"verdict\":\"deny\""), 1, 30, "rules[0].devices",
          "\"8086:*\" names no device" },
        { RULE("\"uid\":1,\"devices\":[\"any\",\"class:1\"]"), 1, 37, "rules[0].devices[1]",
          "\"class:1\" names no device" },
        { RULE("\"uid\":1,\"devices\":[\"any\",\"class:1\"]"), 1, 37, "rules[0].devices[1]",
          "2, 4 or 6 digits" },

        { RULE("\"uid\":1,\"devices\":\"any\",\"verdict\":\"alow\""), 1, 46, "rules[0].verdict",
          "unknown verdict \"alow\"" },
        { RULE("\"uid\":1,\"devices\":\"any\",\"verdict\":\"ALLOW\""), 1, 46, "rules[0].verdict",
          "unknown verdict" },
        { RULE("\"uid\":1,\"devices\":\"any\",\"verdict\":true"), 1, 46, "rules[0].verdict",
          "where a string" },
        { RULE("\"uid\":1,\"devices\":\"any\",\"verdict\":null"), 1, 46, "rules[0].verdict",
          "null where a string" },
};

static void test_bad(const BadCase *cases, size_t n_cases) {
        for (size_t i = 0; i < n_cases; i++) {
                const BadCase *c = &cases[i];
                _cleanup_(config_error_done) ConfigError error = {};
                Policy *policy = NULL;

                assert(parse(c->text, strlen(c->text), &policy, &error) == -EBADMSG);
                assert(!policy);
                assert(strcmp(error.file, "50-test.json") == 0);

                if (error.line != c->line || error.column != c->column || !strstr(error.message, c->says) ||
                    strcmp(error.path ?: "", c->path ?: "") != 0) {
                        fprintf(stderr, "%s\n%u:%u: %s: %s\n", c->text, error.line, error.column,
                                error.path ?: "", error.message);
                        abort();
                }
        }
}

/* Who wants to know of more than the first mistake is told of all that does not follow from another one. */
static void test_all_mistakes(void) {
        static const char text[] =
                "{ \"rules\": [ { \"uid\": \"x\", \"devcies\": \"any\", "
                "\"modes\": [ \"vmm\", \"no\", \"nor\" ] },\n"
                "{ \"uid\": 1, \"devices\": \"any\", \"verdict\": \"allow\" },\n"
                "{ \"uid\": 1, \"uid\": 2, \"devices\": 1, \"verdict\": 1 },\n"
                "7, { \"devices\": \"any\", \"verdict\": \"allow\" } ],\n"
                "\"limits\": [ { \"uid\": 1 }, { \"uid\": 1, \"leases\": -1, \"devices\": -1 } ],\n"
                "\"version\": 2 }";
        static const struct {
                unsigned line;
                const char *path, *says;
        } mistakes[] = {
                { 1, "rules[0]", "did you mean \"devices\"?" },
                { 1, "rules[0].uid", "where a" },
                { 1, "rules[0].modes[1]", "unknown mode \"no\"" },
                { 1, "rules[0].modes[2]", "unknown mode \"nor\"" },
                { 3, "rules[2]", "appears twice" },
                { 4, "rules[3]", "where an object" },
                { 4, "rules[4]", "about nobody" },
                { 5, "limits[0]", "limits nothing" },
                { 5, "limits[1].leases", "out of range" },
                { 5, "limits[1].devices", "out of range" },
                { 6, "version", "version 2" },
        };
        _cleanup_(config_error_done) ConfigError all = { .all = true }, first = {};
        const ConfigError *error = &all;
        Policy *policy = NULL;

        assert(parse(text, strlen(text), &policy, &all) == -EBADMSG && !policy);
        for (size_t i = 0; i < ELEMENTSOF(mistakes); i++, error = error->next) {
                assert(error && strcmp(error->file, "50-test.json") == 0);
                if (error->line != mistakes[i].line || strcmp(error->path, mistakes[i].path) != 0 ||
                    !strstr(error->message, mistakes[i].says)) {
                        fprintf(stderr, "%u: %s: %s\n", error->line, error->path, error->message);
                        abort();
                }
        }
        assert(!error);

        assert(parse(text, strlen(text), &policy, &first) == -EBADMSG);
        assert(!first.next && strcmp(first.message, all.message) == 0);

        /* it can be used again */
        config_error_done(&all);
        assert(all.all && !all.message && !all.next);
}

/* Nobody reads very many. */
static void test_many_mistakes(void) {
        _cleanup_(config_error_done) ConfigError all = { .all = true };
        _cleanup_free_ char *text = NULL;
        Policy *policy = NULL;
        unsigned n = 0;
        size_t size;
        FILE *f;

        f = open_memstream(&text, &size);
        assert(f);
        fputs("{ \"rules\": [ 0", f);
        for (unsigned i = 0; i < 1000; i++)
                fputs(", 0", f);
        fputs(" ] }", f);
        assert(fclose(f) == 0);

        assert(parse(text, size, &policy, &all) == -EBADMSG);
        for (const ConfigError *error = &all; error; error = error->next)
                n++;
        assert(n == 64);
}

/* Beyond 64 bits json-c stops at the largest number before 0.18, and reading since then. */
static void test_huge(void) {
        static const char *const texts[] = {
                RULE("\"uid\":99999999999999999999999," REST),
                RULE("\"uid\":-99999999999999999999999," REST),
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_(config_error_done) ConfigError error = {};
                Policy *policy = NULL;

                assert(parse(texts[i], strlen(texts[i]), &policy, &error) == -EBADMSG);
                assert(error.line == 1 && error.column >= 18);
                assert(strstr(error.message, "out of range") || strstr(error.message, "64 bits"));
        }
}

static void test_nul(void) {
        static const char text[] = "{\"rules\":[]}\n\0";
        _cleanup_(config_error_done) ConfigError error = {};
        Policy *policy = NULL;

        assert(parse(text, sizeof(text) - 1, &policy, &error) == -EBADMSG);
        assert(error.line == 2 && error.column == 1 && strstr(error.message, "NUL"));
}

static void test_size(void) {
        _cleanup_(policy_freep) Policy *policy = NULL;
        _cleanup_(config_error_done) ConfigError error = {};
        _cleanup_free_ char *text = NULL;
        size_t n;

        text = malloc(JSON_SIZE_MAX + 1);
        assert(text);
        memset(text, ' ', JSON_SIZE_MAX + 1);
        n = strlen("{\"rules\":[]}");
        memcpy(text, "{\"rules\":[]}", n);

        assert(parse(text, JSON_SIZE_MAX, &policy, &error) == 0);
        assert(parse(text, JSON_SIZE_MAX + 1, &policy, &error) == -EFBIG);
        assert(strstr(error.message, "larger than 1048576 bytes"));
        assert(error.line == 0);
}

/* The largest file there can be is read in one pass, not in one pass per rule. */
static void test_many(void) {
        static const char rule[] = "{\"uid\":1,\"devices\":\"any\",\"verdict\":\"deny\"},\n";
        _cleanup_(policy_freep) Policy *policy = NULL;
        _cleanup_free_ char *text = NULL;
        size_t n_rules = JSON_SIZE_MAX / sizeof(rule);
        char *p;

        text = malloc(JSON_SIZE_MAX + 64);
        assert(text);
        p = stpcpy(text, "{\"rules\":[");
        for (size_t i = 0; i < n_rules; i++)
                p = stpcpy(p, rule);
        strcpy(p - 2, "]}");

        policy = parse_good(text);
        assert(policy->n_rules == n_rules);
}

/* What is said of a key or string that is far too long stays a line that can be read. */
static void test_long_words(void) {
        _cleanup_(config_error_done) ConfigError error = {};
        Policy *policy = NULL;
        char text[4096];
        size_t n = 0;

        n += (size_t) sprintf(text, "{\"");
        memset(text + n, 'k', 1000);
        sprintf(text + n + 1000, "\":1}");
        assert(parse(text, strlen(text), &policy, &error) == -EBADMSG);
        assert(strlen(error.message) < 200);
        config_error_done(&error);

        n = (size_t) sprintf(text, "{\"rules\":[{\"user\":\"");
        memset(text + n, 'u', 1000);
        sprintf(text + n + 1000, "\"}]}");
        assert(parse(text, strlen(text), &policy, &error) == -EBADMSG);
        assert(strlen(error.message) < 200);
}

static void test_out_of_memory(void) {
        _cleanup_(config_error_done) ConfigError error = {};
        Policy *policy = NULL;
        static const char text[] = RULE("\"user\":\"memory\"," REST);

        assert(parse(text, strlen(text), &policy, &error) == -ENOMEM);
        assert(!error.message);
}

/* With the host's own names. */
static void test_system_names(void) {
        static const char good[] = RULE("\"user\":\"root\",\"group\":\"root\"," REST);
        static const char bad[] = RULE("\"user\":\"no-such-user-of-iommud\"," REST);
        _cleanup_(config_error_done) ConfigError error = {};
        _cleanup_(policy_freep) Policy *policy = NULL;

        assert(policy_new(&policy) == 0);
        assert(policy_parse("x", good, strlen(good), policy, &error) == 0);
        assert(policy->n_rules == 1 && policy->rules[0].subject.uids[0] == 0 &&
               policy->rules[0].subject.gids[0] == 0);
        assert(policy_parse("x", bad, strlen(bad), policy, &error) == -EBADMSG);
}

/*
 * The example that is shipped: as it is, it changes nothing; and each of its rules is right once it is
 * uncommented.
 */
static void test_example(void) {
        _cleanup_(policy_freep) Policy *as_is = NULL, *uncommented = NULL;
        char text[16384], *p;
        const char *path;
        ssize_t n;

        path = getenv("IOMMUD_EXAMPLE_POLICY");
        if (!path)
                return;                      /* not run by meson */

        n = read_text_at(AT_FDCWD, path, text, sizeof(text));
        assert(n > 0);

        as_is = parse_good(text);
        assert(as_is->n_rules == 0);

        /* Prose is in comments of the other kind */
        while ((p = strstr(text, "//")))
                memcpy(p, "  ", 2);
        uncommented = parse_good(text);
        assert(uncommented->n_rules >= 4);
}

int main(void) {
        test_all_forms();
        test_terms();
        test_no_rules();
        test_escapes();
        test_bad(bad_syntax, ELEMENTSOF(bad_syntax));
        test_bad(bad_file, ELEMENTSOF(bad_file));
        test_bad(bad_rule, ELEMENTSOF(bad_rule));
        test_all_mistakes();
        test_many_mistakes();
        test_huge();
        test_nul();
        test_size();
        test_many();
        test_long_words();
        test_out_of_memory();
        test_system_names();
        test_example();
        return 0;
}
