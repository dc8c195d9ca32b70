/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "text.h"

static void test_names(void) {
        char name[NAME_LENGTH_MAX + 2];

        assert(name_is_valid("0000:01:00.0"));
        assert(name_is_valid("arm-smmu-v3.0.auto@2"));
        assert(!name_is_valid(""));
        assert(!name_is_valid("a b"));
        assert(!name_is_valid("../etc"));
        assert(!name_is_valid("a\nb"));
        assert(!name_is_valid("\"a\""));
        assert(!name_is_valid("ger\xc3\xa4t"));

        memset(name, 'a', sizeof(name));
        name[NAME_LENGTH_MAX + 1] = '\0';
        assert(!name_is_valid(name));
        name[NAME_LENGTH_MAX] = '\0';
        assert(name_is_valid(name));
}

static void assert_text(const char *s, const char *expected) {
        _cleanup_free_ char *text = NULL;

        text = text_dup(s);
        assert(text && strcmp(text, expected) == 0);
}

static void test_text(void) {
        assert_text("", "");
        assert_text("in Z\xc3\xbcrich", "in Z\xc3\xbcrich");
        assert_text("a\tb\033[2Jc\x7f", "a?b?[2Jc?");
        assert_text("\xc2\x9b" "2J\xc2\xa0", "?2J\xc2\xa0");
        assert_text("cut off \xc2", "cut off \xc2");
}

static void test_paths(void) {
        _cleanup_free_ char *name = NULL;
        uint64_t number;

        assert(path_to_number("/", "/org/iommud1/lease", &number) == 0 && number == 0);
        assert(path_to_number("/org/iommud1/lease/17", "/org/iommud1/lease", &number) == 0 && number == 17);
        assert(path_to_number("/org/iommud1/lease", "/org/iommud1/lease", &number) == -EBADMSG);
        assert(path_to_number("/org/iommud1/leases/1", "/org/iommud1/lease", &number) == -EBADMSG);
        assert(path_to_number("/org/iommud1/lease/1/2", "/org/iommud1/lease", &number) == -EBADMSG);

        assert(path_to_device("/org/iommud1/device/_2fetc", &name) == -EBADMSG);
        assert(path_to_device("/org/iommud1/group/1", &name) == -EBADMSG);
        assert(path_to_device("/org/iommud1/device/_30000_3a01_3a00_2e0", &name) == 0);
        assert(strcmp(name, "0000:01:00.0") == 0);
}

static void test_lists(void) {
        _cleanup_(strv_freep) char **list = NULL;

        assert(!strv_contains(list, "a"));
        assert(strv_push_take(&list, strdup("a")) == 0);
        assert(strv_push_take(&list, strdup("b")) == 0);
        assert(strv_contains(list, "b") && !strv_contains(list, "c"));
        assert(!list[2]);
}

int main(void) {
        test_names();
        test_text();
        test_paths();
        test_lists();
        return EXIT_SUCCESS;
}
