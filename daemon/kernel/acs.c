/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <linux/pci_regs.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/acs.h"

static const struct {
        uint16_t bit;
        const char *word;
} words[] = {
        { PCI_ACS_SV, "SV" },                /* source validation */
        { PCI_ACS_TB, "TB" },                /* translation blocking */
        { PCI_ACS_RR, "RR" },                /* requests between devices are redirected */
        { PCI_ACS_CR, "CR" },                /* and completions */
        { PCI_ACS_UF, "UF" },                /* upstream forwarding */
        { PCI_ACS_EC, "EC" },                /* egress control */
        { PCI_ACS_DT, "DT" },                /* direct translated requests */
};

static void words_of(uint16_t bits, char ret[static ACS_WORDS_MAX]) {
        ret[0] = '\0';
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                if (!(bits & words[i].bit))
                        continue;
                if (ret[0])
                        strcat(ret, " ");
                strcat(ret, words[i].word);
        }

        if (!ret[0])
                strcpy(ret, "none");
}

static int read_u32(int config, off_t at, uint32_t *ret) {
        uint32_t value;
        ssize_t n;

        n = pread(config, &value, sizeof(value), at);
        if (n < 0)
                return -errno;
        if (n != sizeof(value))
                return -EPERM;               /* it ends earlier for those who may not see more */

        *ret = le32toh(value);
        return 0;
}

/* Where the capability is; 0: there is none. */
static int find_capability(int config, uint16_t id, off_t *ret) {
        off_t at = PCI_CFG_SPACE_SIZE;

        /* there are no more than fit, each at a place of its own */
        for (unsigned i = 0; i < (PCI_CFG_SPACE_EXP_SIZE - PCI_CFG_SPACE_SIZE) / 8 && at > 0; i++) {
                uint32_t header = 0;
                int r;

                if (at < PCI_CFG_SPACE_SIZE || at > PCI_CFG_SPACE_EXP_SIZE - 8)
                        return -EBADMSG;

                r = read_u32(config, at, &header);
                if (r < 0)
                        return r;
                if (header == 0 || header == UINT32_MAX)
                        break;
                if (PCI_EXT_CAP_ID(header) == id) {
                        *ret = at;
                        return 0;
                }
                at = PCI_EXT_CAP_NEXT(header);
        }

        *ret = 0;
        return 0;
}

int acs_read(int config, Acs *ret) {
        uint32_t header = 0, registers = 0;
        struct stat st;
        Acs acs;
        off_t at = 0;
        int r;

        if (fstat(config, &st) < 0)
                return -errno;

        r = read_u32(config, PCI_VENDOR_ID, &header);
        if (r < 0)
                return r;
        if (header == UINT32_MAX)
                return -ENODEV;              /* it does not answer any more */

        if (st.st_size > PCI_CFG_SPACE_SIZE) {
                r = find_capability(config, PCI_EXT_CAP_ID_ACS, &at);
                if (r < 0)
                        return r;
        }
        if (at > 0) {
                r = read_u32(config, at + PCI_ACS_CAP, &registers);
                if (r < 0)
                        return r;
        }

        words_of((uint16_t) registers, acs.supported);
        words_of((uint16_t) (registers >> 16), acs.enabled);
        *ret = acs;
        return 0;
}
