/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "names-db.h"
#include "table.h"
#include "text-list.h"

static void add(Table *table, const char *cell) {
        table_add(table, need(strdup(cell)));
}

static void test_table(void) {
        static const char *const headers[] = { "NAME", ">N", "REST", NULL };
        _cleanup_free_ char *printed = NULL;
        FILE *before = stdout;
        Table table;
        size_t size;

        table_init(&table, headers);
        add(&table, "Z\xc3\xbcrich");
        add(&table, "7");
        add(&table, "lake");
        add(&table, "");
        add(&table, "1234");
        add(&table, "");

        stdout = need(open_memstream(&printed, &size));
        table_print(&table);
        fclose(stdout);
        stdout = before;
        table_done(&table);

        assert(strcmp(printed, "NAME       N  REST\n"
                               "Z\xc3\xbcrich     7  lake\n"
                               "-       1234  -\n") == 0);
}

static void test_lists(void) {
        _cleanup_free_ char *words = join_strings((const char *const[]) { "a", "b", NULL }, ", ");
        _cleanup_free_ char *none = join_strings((const char *const[]) { NULL }, ", ");

        assert(strcmp(words, "a, b") == 0);
        assert(strcmp(none, "") == 0);
}

static void test_classes(void) {
        assert(strcmp(pci_class_name(0x010802), "Non-Volatile memory controller") == 0);
        assert(strcmp(pci_class_name(0x02fe00), "Network controller") == 0);
        assert(strcmp(pci_class_name(0x120000), "Processing accelerators") == 0);
        assert(strcmp(pci_class_name(0xff0000), "Unknown device") == 0);
        assert(strcmp(pci_class_name(UINT32_MAX), "Unknown device") == 0);
}

int main(void) {
        test_table();
        test_lists();
        test_classes();
        return EXIT_SUCCESS;
}
