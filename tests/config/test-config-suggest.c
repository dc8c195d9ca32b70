/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/macro.h"
#include "config/suggest.h"

typedef struct Entry {
        const char *name;
        int other;
} Entry;

static const Entry table[] = { { "uid" }, { "gid" }, { "user" }, { "devices" }, { "verdict" } };

int main(void) {
        static const struct {
                const char *word, *meant;
        } cases[] = {
                { "devices", "devices" },
                { "device", "devices" },     /* a letter too few */
                { "devicess", "devices" },   /* too many */
                { "devixes", "devices" },    /* wrong */
                { "devcies", "devices" },    /* two in the wrong order */
                { "Devices", "devices" },
                { "verdcit", "verdict" },
                { "uids", "uid" },
                { "id", "uid" },
                { "gidd", "gid" },
                { "users", "user" },
                { "y", NULL },
                { "", NULL },
                { "abc", NULL },
                { "subject", NULL },
                { "d", NULL },
                { "a word that is much longer than any", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *meant = suggest(cases[i].word, table, ELEMENTSOF(table), sizeof(*table));

                assert(!meant == !cases[i].meant);
                assert(!meant || strcmp(meant, cases[i].meant) == 0);
        }

        assert(!suggest("uid", NULL, 0, sizeof(*table)));
        return 0;
}
