/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the registers of an IOMMU rule out, and that nothing else is said. */

#include <string.h>

#include "sys/scan-iommu.h"
#include "tree.h"

#define NESTING (1U << IOMMU_FEATURE_NESTING)
#define FAULTS (1U << IOMMU_FEATURE_PAGE_FAULTS)
#define DIRTY (1U << IOMMU_FEATURE_DIRTY_TRACKING)

typedef struct Seen {
        IommuFacts facts[4];
        unsigned n;
        int fail_with;
} Seen;

static int on_iommu(const IommuFacts *facts, void *userdata) {
        Seen *seen = userdata;

        assert(seen->n < ELEMENTSOF(seen->facts));
        seen->facts[seen->n++] = *facts;
        return seen->fail_with;
}

static void test_vtd(void) {
        static const struct {
                const char *ecap;
                unsigned lacks;
                bool no_pasids;
        } cases[] = {
                { "ffffffffffffffff\n", 0, false },
                { "0\n", NESTING | FAULTS | DIRTY, true },
                /* all but scalable mode, in which alone the others are used */
                { "fffff7ffffffffff\n", NESTING | FAULTS | DIRTY, true },
                /* bit by bit */
                { "fffffffffbffffff\n", NESTING, false },
                { "ffffffffdfffffff\n", FAULTS, false },
                { "ffffdfffffffffff\n", DIRTY, false },
                { "fffffeffffffffff\n", 0, true },
                /* what can't be read says nothing */
                { "10000000000000000\n", 0, false },
                { "nothing\n", 0, false },
                { "\n", 0, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_tree_ Tree *t = tree_new();
                Seen seen = {};

                tree_file(t, cases[i].ecap, "class/iommu/dmar0/intel-iommu/ecap");
                assert(scan_iommus(t->fd, on_iommu, &seen) == 0);
                assert(seen.n == 1 && strcmp(seen.facts[0].name, "dmar0") == 0);
                assert(seen.facts[0].driver == IOMMU_DRIVER_INTEL_VTD);
                assert(seen.facts[0].lacks == cases[i].lacks);
                assert(seen.facts[0].no_pasids == cases[i].no_pasids);
        }
}

static void test_others(void) {
        _cleanup_tree_ Tree *t = tree_new();
        Seen seen = {};

        /* none */
        assert(scan_iommus(t->fd, on_iommu, &seen) == 0 && seen.n == 0);

        tree_file(t, "0\n", "class/iommu/ivhd0/amd-iommu/features");
        assert(scan_iommus(t->fd, on_iommu, &seen) == 0 && seen.n == 1);
        assert(seen.facts[0].driver == IOMMU_DRIVER_AMD && seen.facts[0].lacks == 0);

        tree_dir(t, "class/iommu/smmu3.0x09050000");
        tree_dir(t, "class/iommu/a-name-that-is-longer-than-any-device-s-own-iommu");
        seen = (Seen) {};
        assert(scan_iommus(t->fd, on_iommu, &seen) == 0 && seen.n == 2);

        seen = (Seen) { .fail_with = -ENOMEM };
        assert(scan_iommus(t->fd, on_iommu, &seen) == -ENOMEM && seen.n == 1);
}

int main(void) {
        test_vtd();
        test_others();
        return 0;
}
