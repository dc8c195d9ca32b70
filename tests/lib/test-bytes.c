/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Amounts of memory as people write and read them. */

#include <string.h>

#include "bytes.h"

static void check(const char *text, int expected, uint64_t bytes) {
        uint64_t value = 77;

        assert(parse_bytes(text, &value) == expected);
        assert(value == (expected == 0 ? bytes : 77));
}

static void check_print(uint64_t bytes, const char *expected) {
        _cleanup_free_ char *text = print_bytes(bytes);

        assert(strcmp(text, expected) == 0);
}

int main(void) {
        check("0", 0, 0);
        check("4096", 0, 4096);
        check("4K", 0, 4096);
        check("8G", 0, UINT64_C(8) << 30);
        check("15E", 0, UINT64_C(15) << 60);
        check("18446744073709551615", 0, UINT64_MAX);
        check("16E", -ERANGE, 0);
        check("18446744073709551616", -ERANGE, 0);
        check("99999999999999999999999999", -ERANGE, 0);
        check("", -EINVAL, 0);
        check("G", -EINVAL, 0);
        check("-1", -EINVAL, 0);
        check("8g", -EINVAL, 0);
        check("8GB", -EINVAL, 0);
        check("8 G", -EINVAL, 0);
        check("1.5G", -EINVAL, 0);

        check_print(0, "0");
        check_print(1023, "1023");
        check_print(1024, "1 KiB");
        check_print(1536, "1.5 KiB");
        check_print(1024 * 1024 - 1, "1023.9 KiB");
        check_print(UINT64_C(8) << 30, "8 GiB");
        check_print((UINT64_C(8) << 30) + (UINT64_C(128) << 20), "8.1 GiB");
        check_print(UINT64_MAX, "15.9 EiB");
        return 0;
}
