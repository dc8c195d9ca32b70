/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sets of changes: in order, each once, but never so that the last word about an object is wrong. */

#include "core/change.h"
#include "fake/assert.h"

static void test_each_once(void) {
        _cleanup_(change_set_done) ChangeSet set = {};

        change_set_device(&set, CHANGE_DEVICE_CHANGED, "0000:01:00.0");
        change_set_group(&set, CHANGE_GROUP_CHANGED, 1);
        change_set_lease(&set, CHANGE_LEASE_CHANGED, 1);
        change_set_device(&set, CHANGE_DEVICE_CHANGED, "0000:01:00.1");
        assert_eq_int(set.n_items, 4);

        change_set_device(&set, CHANGE_DEVICE_CHANGED, "0000:01:00.0");
        change_set_group(&set, CHANGE_GROUP_CHANGED, 1);
        change_set_lease(&set, CHANGE_LEASE_CHANGED, 1);
        assert_eq_int(set.n_items, 4);

        /* another object, another kind */
        change_set_lease(&set, CHANGE_LEASE_CHANGED, 2);
        change_set_lease(&set, CHANGE_LEASE_ENDED, 1);
        assert_eq_int(set.n_items, 6);

        assert_eq_int(set.items[0].kind, CHANGE_DEVICE_CHANGED);
        assert_eq_str(set.items[0].name, "0000:01:00.0");
        assert_eq_int(set.items[1].kind, CHANGE_GROUP_CHANGED);
        assert_eq_int(set.items[1].id, 1);
        assert_eq_str(set.items[3].name, "0000:01:00.1");
        assert_eq_int(set.items[4].id, 2);
        assert(!set.lost);
}

/* It came, went, and came again: whoever listens must believe in the end that it is there. */
static void test_comes_and_goes(void) {
        static const ChangeKind kinds[] = {
                CHANGE_DEVICE_ADDED,
                CHANGE_DEVICE_CHANGED,
                CHANGE_DEVICE_REMOVED,
                CHANGE_DEVICE_ADDED,
                CHANGE_DEVICE_CHANGED,
                CHANGE_DEVICE_REMOVED,
        };
        _cleanup_(change_set_done) ChangeSet set = {};

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                change_set_device(&set, kinds[i], "0000:01:00.0");
                change_set_group(&set, CHANGE_GROUP_CHANGED, 1);
        }

        assert_eq_int(set.n_items, ELEMENTSOF(kinds) + 1);
        assert_eq_int(set.items[0].kind, kinds[0]);
        for (size_t i = 1; i < ELEMENTSOF(kinds); i++)
                assert_eq_int(set.items[i + 1].kind, kinds[i]);
}

/* What has come is announced with all that is true of it now, until it goes. */
static void test_has_come(void) {
        static const ChangeKind kinds[] = {
                CHANGE_LEASE_CHANGED,
                CHANGE_LEASE_ADDED,
                CHANGE_LEASE_ANSWERED,
                CHANGE_LEASE_CHANGED,
                CHANGE_LEASE_ENDED,
                CHANGE_LEASE_CHANGED,
        };
        static const bool expected[] = { false, false, true, true, true, false };
        _cleanup_(change_set_done) ChangeSet set = {};

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                change_set_lease(&set, kinds[i], 1);
        assert_eq_int(set.n_items, ELEMENTSOF(kinds));
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                assert_eq_int(change_set_has_come(&set, i), expected[i]);

        /* nothing of the same number that is another thing, nor another one */
        change_set_group(&set, CHANGE_GROUP_ADDED, 2);
        change_set_lease(&set, CHANGE_LEASE_CHANGED, 2);
        change_set_group(&set, CHANGE_GROUP_CHANGED, 3);
        change_set_group(&set, CHANGE_GROUP_CHANGED, 2);
        assert(!change_set_has_come(&set, 7));
        assert(!change_set_has_come(&set, 8));
        assert(change_set_has_come(&set, 9));
}

static void test_nobody_to_tell(void) {
        change_set_device(NULL, CHANGE_DEVICE_CHANGED, "0000:01:00.0");
        change_set_group(NULL, CHANGE_GROUP_CHANGED, 1);
        change_set_lease(NULL, CHANGE_LEASE_CHANGED, 1);
}

static void test_done(void) {
        ChangeSet set = {};

        change_set_done(&set);
        change_set_lease(&set, CHANGE_LEASE_CHANGED, 1);
        change_set_done(&set);
        assert_eq_int(set.n_items, 0);
        assert(!set.items);
}

int main(void) {
        test_each_once();
        test_comes_and_goes();
        test_has_come();
        test_nobody_to_tell();
        test_done();
        return 0;
}
