/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "expand.h"

static const char *const roles[] = { "iommufd", "device:0000:01:00.0", "device:sata0", "lifeline", NULL };

static void assert_expands(const char *argument, const char *expected) {
        _cleanup_free_ char *expanded = NULL, *unknown = NULL;

        assert(expand(argument, roles, &expanded, &unknown) == 0);
        assert(strcmp(expanded, expected) == 0);
        assert(!unknown);
}

static void assert_same(const char *argument) {
        assert_expands(argument, argument);
}

static void assert_unknown(const char *argument, const char *expected) {
        _cleanup_free_ char *expanded = NULL, *unknown = NULL;

        assert(expand(argument, roles, &expanded, &unknown) == -ENOENT);
        assert(unknown && strcmp(unknown, expected) == 0);
        assert(!expanded);
}

static void test_roles(void) {
        assert_expands("{iommufd}", "3");
        assert_expands("{device:0}", "4");
        assert_expands("{device:1}", "5");
        assert_expands("{device:01}", "5");
        assert_expands("{lifeline}", "6");
        assert_expands("{device:0000:01:00.0}", "4");
        assert_expands("{device:01:00.0}", "4");
        assert_expands("{device:sata0}", "5");
        assert_expands("iommufd,id=i0,fd={iommufd}", "iommufd,id=i0,fd=3");
        assert_expands("{device:0},{device:1}{lifeline}", "4,56");
}

static void test_json(void) {
        assert_expands("{\"driver\":\"vfio-pci\",\"fd\":\"{device:0}\"}",
                       "{\"driver\":\"vfio-pci\",\"fd\":\"4\"}");
        assert_expands("{{iommufd}}", "{3}");
        assert_expands("{{{iommufd}", "{{3");
        assert_same("{\"iommufd\":{\"a\":[{}]}}");
}

static void test_others(void) {
        assert_same("");
        assert_same("{}");
        assert_same("{");
        assert_same("}");
        assert_same("{iommufd");
        assert_same("iommufd}");
        assert_same("{foo}");
        assert_same("{foo:0}");
        assert_same("{ iommufd }");
        assert_same("{a,b}");
        assert_same("{devices:0}");
        assert_same("${HOME}");
        assert_same("{device:\"0\"}");
}

static void test_unknown(void) {
        assert_unknown("{device:2}", "{device:2}");
        assert_unknown("fd={device:9},id=x", "{device:9}");
        assert_unknown("{device:4294967296}", "{device:4294967296}");
        assert_unknown("{device:18446744073709551616}", "{device:18446744073709551616}");
        assert_unknown("{device:-1}", "{device:-1}");
        assert_unknown("{device:}", "{device:}");
        assert_unknown("{device}", "{device}");
        assert_unknown("{device:02:00.0}", "{device:02:00.0}");
        assert_unknown("{iommufd:0}", "{iommufd:0}");
        assert_unknown("{\"fd\":\"{lifeline:1}\"}", "{lifeline:1}");
}

/* Of a mode that hands out other things */
static void test_other_roles(void) {
        static const char *const other[] = { "container", "group:12", NULL };
        _cleanup_free_ char *expanded = NULL, *unknown = NULL, *more = NULL;

        assert(expand("{container} {group:12} {group:13}", other, &expanded, &unknown) == 0);
        assert(strcmp(expanded, "3 4 {group:13}") == 0);
        assert(expand("{iommufd}", other, &more, &unknown) == -ENOENT);
        assert(strcmp(unknown, "{iommufd}") == 0);
}

int main(void) {
        test_roles();
        test_json();
        test_others();
        test_unknown();
        test_other_roles();
        return EXIT_SUCCESS;
}
