/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The decision, as a table: what the rules are, who asks for what, and which rule decides. The rules are
 * written as an administrator writes them.
 */

#include <stdio.h>
#include <string.h>

#include "config/catalog-file.h"
#include "config/policy-parse.h"
#include "core/device.h"
#include "core/policy-trace.h"
#include "core/policy.h"
#include "core/subject.h"

#define EVERYTHING                                                                                         \
        (SUBJECT_KNOWS_GIDS | SUBJECT_KNOWS_USERNS | SUBJECT_KNOWS_CGROUP | SUBJECT_KNOWS_LABEL |           \
         SUBJECT_KNOWS_ENFORCED)

static const Subject alice = {
        .uid = 1000,
        .known = EVERYTHING,
        .gids = { 100, 104 },
        .n_gids = 2,
        .own_userns = true,
        .unit = "libvirtd.service",
        .slice = "machine-lab.slice",
        .cgroup = "/machine.slice/machine-lab.slice/libvirtd.service/vm-1",
        .label = "system_u:system_r:virtd_t:s0",
};
/* The same user, of whom the transport tells no more than the number. */
static const Subject alice_bare = { .uid = 1000 };
/* The same user, at a terminal: in no unit of the system's, under another label. */
static const Subject alice_session = {
        .uid = 1000,
        .known = EVERYTHING,
        .gids = { 100 },
        .n_gids = 1,
        .own_userns = true,
        .unit = "session-3.scope",
        .slice = "user-1000.slice",
        .cgroup = "/user.slice/user-1000.slice/session-3.scope",
        .label = "unconfined_u",
};
/* The same user, in a unit whose name has a "-" of its own, as systemd writes it. */
static const Subject alice_escaped = {
        .uid = 1000, .known = EVERYTHING, .own_userns = true, .unit = "vm@a\\x2db.service",
};
static const Subject alice_container = {
        .uid = 1000, .known = EVERYTHING, .gids = { 0, 104 }, .n_gids = 2, .label = "container_t",
};
/* By AppArmor he is under a profile; under one that nothing holds him to; under two; under none. */
static const Subject alice_profile = {
        .uid = 1000, .known = EVERYTHING, .label = "/usr/bin/vmm (enforce)",
};
static const Subject alice_complain = {
        .uid = 1000, .known = EVERYTHING, .label = "/usr/bin/vmm (complain)",
};
static const Subject alice_stack = {
        .uid = 1000, .known = EVERYTHING, .label = "/usr/bin/vmm//&unconfined (enforce)",
};
/* On a host where SELinux enforces nothing */
static const Subject alice_permissive = {
        .uid = 1000, .known = EVERYTHING & ~SUBJECT_KNOWS_ENFORCED, .label = "system_u:system_r:virtd_t:s0",
};
static const Subject alice_free = { .uid = 1000, .known = EVERYTHING, .label = "unconfined" };
static const Subject bob = {
        .uid = 1001, .known = EVERYTHING, .gids = { 100, 2000 }, .n_gids = 2, .own_userns = true,
};
static const Subject root = { .uid = 0, .known = EVERYTHING, .n_gids = 1, .own_userns = true };
static const Subject container_root = { .uid = 0, .known = EVERYTHING, .n_gids = 1 };
static const Subject maybe_root = { .uid = 0, .known = SUBJECT_KNOWS_GIDS, .n_gids = 1 };
static const Subject nobody = SUBJECT_INIT;

static const DeviceFacts nvme = {
        .subsystem = "pci", .name = "0000:01:00.0", .driver = "nvme", .serial = "S4EW",
        .reset_methods = "flr bus", .vendor = 0x144d, .device = 0xa808, .subsystem_vendor = 0x144d,
        .subsystem_device = 0xa801, .class = 0x010802, .group = 7, .numa_node = 1, .vf_index = -1,
};
/* Nobody has read its serial number, and it has no way to be reset. */
static const DeviceFacts nvme_unbound = {
        .subsystem = "pci", .name = "0000:03:00.0", .vendor = 0x144d, .device = 0xa808, .class = 0x010802,
        .group = 9, .numa_node = -1, .vf_index = -1,
};
static const DeviceFacts nic = {
        .subsystem = "pci", .name = "0000:02:00.0", .driver = "igb", .vendor = 0x8086, .device = 0x10d3,
        .class = 0x020000, .group = 8, .numa_node = 0, .vf_index = -1, .max_vfs = 8,
};
static const DeviceFacts vf = {
        .subsystem = "pci", .name = "0000:02:10.2", .driver = "igbvf", .physfn = "0000:02:00.0",
        .vendor = 0x8086, .device = 0x10ca, .class = 0x020000, .group = 18, .vf_index = 1,
};
/* Neither ids nor class: the zeros are "unknown" */
static const DeviceFacts dma_engine = {
        .subsystem = "platform", .name = "fe200000.dma", .numa_node = -1, .vf_index = -1,
};

static int fake_user(const char *name, uid_t *ret) {
        *ret = strcmp(name, "alice") == 0 ? 1000 : 1001;
        return 0;
}

static int fake_group(const char *name, gid_t *ret) {
        *ret = strcmp(name, "kvm") == 0 ? 104 : 2000;
        return 0;
}

static const NameLookup names = { .user = fake_user, .group = fake_group };

static const char names_file[] =
        "{\"devices\":[{\"name\":\"disk0\",\"match\":\"serial=S4EW\",\"tags\":[\"lab\",\"fast\"]},"
        "{\"tags\":\"lab\",\"match\":{\"class\":\"02\",\"function\":\"pf\"}}]}";

typedef struct Case {
        const char *what;
        const char *rules;                   /* what stands between the brackets */
        const Subject *subject;
        /*
         * The verdict and the rule that decided, "-": none. What was not known, or the rule that was missed
         * and why, follows.
         */
        const char *expected;
        const DeviceFacts *device;           /* NULL: nvme */
        bool whole_group;
        Mode mode;                           /* zero: vmm */
} Case;

#define RULE(subject, rest) "{" subject ",\"devices\":\"any\"," rest "}"
#define ALLOW(subject) RULE(subject, "\"verdict\":\"allow\"")
#define DENY(subject) RULE(subject, "\"verdict\":\"deny\"")
#define ASK(subject) RULE(subject, "\"verdict\":\"ask\"")
#define ANYBODY "\"subject\":\"any\""
#define BINDING_MODES "\"modes\":[\"attached\",\"confined\"],"
#define DEVICE(device) "{" ANYBODY ",\"devices\":[" device "],\"verdict\":\"allow\"}"
#define DENY_DEVICE(device) "{" ANYBODY ",\"devices\":[" device "],\"verdict\":\"deny\"}"

static const Case no_rule[] = {
        { "nobody is allowed by default", "", &alice, "deny -" },
        { "root of the host is", "", &root, "allow -" },
        { "root of a container is not", "", &container_root, "deny -" },
        { "nor is one that may be either", "", &maybe_root, "deny -" },
};

static const Case subjects[] = {
        { "a uid", ALLOW("\"uid\":1000"), &alice, "allow 0" },
        { "another uid", ALLOW("\"uid\":1000"), &bob, "deny -" },
        { "one of several", ALLOW("\"user\":[\"bob\",\"alice\"]"), &alice, "allow 0" },
        { "a uid is no gid", ALLOW("\"uid\":104"), &alice, "deny -" },
        { "a gid is no uid", ALLOW("\"gid\":1000"), &alice, "deny -" },
        { "a supplementary group", ALLOW("\"group\":\"kvm\""), &alice, "allow 0" },
        { "a group of others", ALLOW("\"group\":\"kvm\""), &bob, "deny -" },
        { "everybody", ALLOW(ANYBODY), &bob, "allow 0" },
        { "no user at all is not everybody", ALLOW(ANYBODY), &nobody, "deny -" },
        { "a uid is enough of a uid", ALLOW("\"uid\":1000"), &alice_bare, "allow 0" },

        { "a unit", ALLOW("\"unit\":\"libvirtd.service\""), &alice, "allow 0" },
        { "another unit", ALLOW("\"unit\":\"libvirtd.service\""), &alice_session, "deny -" },
        { "a unit by glob", ALLOW("\"unit\":[\"x.service\",\"lib*.service\"]"), &alice, "allow 0" },
        { "no part of a name", ALLOW("\"unit\":\"virtd.service\""), &alice, "deny -" },
        { "a unit with an escape", ALLOW("\"unit\":\"vm@a\\\\x2db.service\""), &alice_escaped, "allow 0" },
        { "a glob with one", ALLOW("\"unit\":\"vm@*\\\\x2d?.service\""), &alice_escaped, "allow 0" },
        { "in no unit", ALLOW("\"unit\":\"*\""), &alice_container, "deny -" },
        { "a slice", ALLOW("\"slice\":\"machine-lab.slice\""), &alice, "allow 0" },
        { "a slice above it", ALLOW("\"slice\":\"machine.slice\""), &alice, "allow 0" },
        { "every slice", ALLOW("\"slice\":\"-.slice\""), &alice, "allow 0" },
        { "a slice below it", ALLOW("\"slice\":\"machine-lab-a.slice\""), &alice, "deny -" },
        { "a slice that begins alike", ALLOW("\"slice\":\"mach.slice\""), &alice, "deny -" },
        { "in no slice", ALLOW("\"slice\":\"-.slice\""), &alice_container, "deny -" },
        { "a control group", ALLOW("\"cgroup\":\"/machine.slice/machine-*.slice/libvirtd.service/vm-1\""),
          &alice, "allow 0" },
        { "one above it", ALLOW("\"cgroup\":\"/machine.slice\""), &alice, "allow 0" },
        { "one above it, by glob", ALLOW("\"cgroup\":\"/machine.slice/*\""), &alice, "allow 0" },
        { "a star is one level", ALLOW("\"cgroup\":\"/*/libvirtd.service\""), &alice, "deny -" },
        { "not one that begins alike", ALLOW("\"cgroup\":\"/machine\""), &alice, "deny -" },
        { "not one with that in its middle", ALLOW("\"cgroup\":\"/machine-lab.slice\""), &alice, "deny -" },
        { "a label", ALLOW("\"label\":\"system_u:system_r:virtd_t:s0\""), &alice, "allow 0" },
        { "a label by glob", ALLOW("\"label\":\"*:virtd_t:*\""), &alice, "allow 0" },
        { "another label", ALLOW("\"label\":\"*:virtd_t:*\""), &alice_session, "deny -" },
        { "our user namespace", ALLOW("\"userns\":\"own\""), &alice, "allow 0" },
        { "is not that of a container", ALLOW("\"userns\":\"own\""), &alice_container, "deny -" },
        { "another user namespace", ALLOW("\"userns\":\"other\""), &alice_container, "allow 0" },
        { "is not ours", ALLOW("\"userns\":\"other\""), &alice, "deny -" },
};

/* All keys of a rule must hold. */
static const Case all_keys[] = {
        { "both", ALLOW("\"user\":\"alice\",\"group\":\"kvm\""), &alice, "allow 0" },
        { "the user, not in the group", ALLOW("\"user\":\"alice\",\"group\":\"kvm\""), &alice_session,
          "deny -" },
        { "in the group, another user", ALLOW("\"user\":\"bob\",\"group\":\"kvm\""), &alice, "deny -" },
        { "neither", ALLOW("\"user\":\"alice\",\"group\":\"kvm\""), &bob, "deny -" },
        { "user and unit", ALLOW("\"user\":\"alice\",\"unit\":\"libvirtd.service\""), &alice, "allow 0" },
        { "the user, in another unit", ALLOW("\"user\":\"alice\",\"unit\":\"libvirtd.service\""),
          &alice_session, "deny -" },
        { "all of them", ALLOW("\"user\":\"alice\",\"group\":\"kvm\",\"unit\":\"*.service\",\"slice\":"
                               "\"machine.slice\",\"cgroup\":\"/machine.slice\",\"label\":\"*virtd_t*\","
                               "\"userns\":\"own\""), &alice, "allow 0" },
        { "all but one", ALLOW("\"user\":\"alice\",\"group\":\"kvm\",\"unit\":\"*.service\",\"slice\":"
                               "\"machine.slice\",\"cgroup\":\"/machine.slice\",\"label\":\"*virtd_t*\","
                               "\"userns\":\"other\""), &alice, "deny -" },
        { "what denies wants all of them too",
          DENY("\"user\":\"alice\",\"group\":\"lab\"") "," ALLOW(ANYBODY),
          &alice, "allow 1" },
};

/* What is not known is neither true nor false: nobody gains by it. */
static const Case unknown[] = {
        { "no allowance by group", ALLOW("\"group\":\"kvm\""), &alice_bare, "deny - missed 0 gid" },
        { "by unit", ALLOW("\"unit\":\"*\""), &alice_bare, "deny - missed 0 unit" },
        { "by slice", ALLOW("\"slice\":\"-.slice\""), &alice_bare, "deny - missed 0 slice" },
        { "by cgroup", ALLOW("\"cgroup\":\"/machine.slice\""), &alice_bare, "deny - missed 0 cgroup" },
        { "by label", ALLOW("\"label\":\"*\""), &alice_bare, "deny - missed 0 label" },
        { "by namespace", ALLOW("\"userns\":\"own\""), &alice_bare, "deny - missed 0 userns" },
        { "nor by not being in ours", ALLOW("\"userns\":\"other\""), &alice_bare, "deny - missed 0 userns" },
        { "a later rule may allow", ALLOW("\"unit\":\"*\"") "," ALLOW("\"uid\":1000"), &alice_bare,
          "allow 1" },
        { "what denies holds: by group", DENY("\"group\":\"kvm\"") "," ALLOW(ANYBODY), &alice_bare,
          "deny 0 gid" },
        { "by unit", DENY("\"unit\":\"x.service\"") "," ALLOW(ANYBODY), &alice_bare, "deny 0 unit" },
        { "by label", DENY("\"label\":\"x\"") "," ALLOW(ANYBODY), &alice_bare, "deny 0 label" },
        { "by namespace", DENY("\"userns\":\"other\"") "," ALLOW(ANYBODY), &alice_bare, "deny 0 userns" },
        { "but not when another key rules it out", DENY("\"unit\":\"x.service\",\"user\":\"bob\"") ","
          ALLOW(ANYBODY), &alice_bare, "allow 1" },
        { "nor when it comes too late", ALLOW("\"uid\":1000") "," DENY("\"unit\":\"x.service\""),
          &alice_bare, "allow 0" },
        { "nobody is asked on a guess, but denied", ASK("\"unit\":\"x.service\"") "," ALLOW(ANYBODY),
          &alice_bare, "deny 0 unit" },
        { "what denies holds for root as well", DENY("\"label\":\"x\""),
          &(const Subject) { .uid = 0, .known = EVERYTHING & ~SUBJECT_KNOWS_LABEL, .own_userns = true },
          "deny 0 label" },
        { "a serial number that nobody has read", DEVICE("\"serial=S4EW\""), &alice,
          "deny - missed 0 devices", &nvme_unbound },
        { "may be the one that is denied", DENY_DEVICE("\"serial=S4EW\"") "," ALLOW(ANYBODY), &alice,
          "deny 0 devices", &nvme_unbound },
        { "also by its name", DENY_DEVICE("\"disk0\"") "," ALLOW(ANYBODY), &alice, "deny 0 devices",
          &nvme_unbound },
        { "a device that has none is not it", DENY_DEVICE("\"serial=S4EW\"") "," ALLOW(ANYBODY), &alice,
          "allow 1", &nic },
};

/* Whoever is not confined takes on any profile: that narrows down whom a rule means, and proves nothing. */
static const Case profiles[] = {
        { "the user, under the profile", ALLOW("\"uid\":1000,\"label\":\"/usr/bin/vmm\""), &alice_profile,
          "allow 0" },
        { "by glob", ALLOW("\"uid\":1000,\"label\":[\"x\",\"*/vmm\"]"), &alice_profile, "allow 0" },
        { "under another", ALLOW("\"uid\":1000,\"label\":\"/usr/bin/vm\""), &alice_profile, "deny -" },
        { "no part of one", ALLOW("\"uid\":1000,\"label\":\"vmm\""), &alice_profile, "deny -" },
        { "another user", ALLOW("\"uid\":1001,\"label\":\"/usr/bin/vmm\""), &alice_profile, "deny -" },
        { "under none", ALLOW("\"uid\":1000,\"label\":\"/usr/bin/vmm\""), &alice_free, "deny -" },
        { "with its mode", ALLOW("\"uid\":1000,\"label\":\"/usr/bin/vmm (enforce)\""), &alice_profile,
          "allow 0" },
        { "in another mode", ALLOW("\"uid\":1000,\"label\":\"/usr/bin/vmm (enforce)\""), &alice_complain,
          "deny -" },
        { "which is in the rule", ALLOW("\"uid\":1000,\"label\":\"/usr/bin/v* (complain)\""),
          &alice_complain, "allow 0" },
        { "it is not enforced", ALLOW("\"uid\":1000,\"label\":\"/usr/bin/vmm\""), &alice_complain,
          "deny - missed 0 label" },
        { "one of two", ALLOW("\"uid\":1000,\"label\":\"/usr/bin/vmm\""), &alice_stack,
          "deny - missed 0 label" },
        { "nor by glob", ALLOW("\"uid\":1000,\"label\":\"*\""), &alice_stack, "deny - missed 0 label" },
        { "nor with its mode", ALLOW("\"uid\":1000,\"label\":\"/usr/* (enforce)\""), &alice_stack,
          "deny - missed 0 label" },
        { "neither of two", ALLOW("\"uid\":1000,\"label\":\"/usr/bin/other\""), &alice_stack, "deny -" },
        { "both of two", ALLOW("\"uid\":1000,\"label\":\"/usr/bin/vmm//&unconfined\""), &alice_stack,
          "allow 0" },
        { "it is all that there is", ALLOW("\"label\":\"/usr/bin/vmm\""), &alice_profile,
          "deny - missed 0 label" },
        { "also with a namespace", ALLOW("\"label\":\"*\",\"userns\":\"other\""), &alice_profile,
          "deny - missed 0 label" },
        { "or that it is none", ALLOW("\"label\":\"unconfined\""), &alice_free, "deny - missed 0 label" },
        { "nobody is asked for it", ASK("\"label\":\"/usr/bin/vmm\"") "," ALLOW(ANYBODY), &alice_profile,
          "deny 0 label" },
        { "with a unit", ALLOW("\"label\":\"/usr/bin/vmm\",\"unit\":\"vm.service\""),
          &(const Subject) { .uid = 1000, .known = EVERYTHING, .unit = "vm.service",
                             .label = "/usr/bin/vmm (kill)" }, "allow 0" },
        { "what denies needs no proof", DENY("\"label\":\"/usr/bin/vmm\"") "," ALLOW(ANYBODY),
          &alice_profile, "deny 0" },
        { "nor that it is enforced", DENY("\"label\":\"/usr/bin/vmm\"") "," ALLOW(ANYBODY),
          &alice_complain, "deny 0" },
        { "nor that it is the only one", DENY("\"label\":\"/usr/bin/vmm\"") "," ALLOW(ANYBODY),
          &alice_stack, "deny 0" },
        { "but not others", DENY("\"label\":\"/usr/bin/vmm\"") "," ALLOW(ANYBODY), &alice_free, "allow 1" },
        { "SELinux's is a proof", ALLOW("\"label\":\"*:virtd_t:*\""), &alice, "allow 0" },
        { "but not while it is permissive", ALLOW("\"label\":\"*:virtd_t:*\""), &alice_permissive,
          "deny - missed 0 label" },
        { "also of a user", ALLOW("\"uid\":1000,\"label\":\"*:virtd_t:*\""), &alice_permissive,
          "deny - missed 0 label" },
        { "nobody is asked for that either", ASK("\"label\":\"*:virtd_t:*\"") "," ALLOW(ANYBODY),
          &alice_permissive, "deny 0 label" },
        { "to deny it is enough", DENY("\"label\":\"*:virtd_t:*\"") "," ALLOW(ANYBODY), &alice_permissive,
          "deny 0" },
        { "and others are others", DENY("\"label\":\"*:svirt_t:*\"") "," ALLOW(ANYBODY),
          &alice_permissive, "allow 1" },
};

static const Case root_cases[] = {
        { "root can be denied", DENY("\"uid\":0"), &root, "deny 0" },
        { "root is everybody too", DENY(ANYBODY), &root, "deny 0" },
        { "what is for uid 0", ALLOW("\"uid\":0"), &root, "allow 0" },
        { "is for the host's", ALLOW("\"uid\":0"), &container_root, "deny - missed 0 uid" },
        { "what is for gid 0", ALLOW("\"gid\":0"), &root, "allow 0" },
        { "too", ALLOW("\"gid\":0"), &alice_container, "deny - missed 0 gid" },
        { "what is denied to uid 0 needs no proof", DENY("\"uid\":0") "," ALLOW(ANYBODY), &container_root,
          "deny 0 uid" },
        { "nor what is denied to gid 0", DENY("\"gid\":0") "," ALLOW(ANYBODY), &alice_container,
          "deny 0 gid" },
        { "nor what is for others", ALLOW("\"uid\":1000"), &alice_container, "allow 0" },
        { "another group is proof enough", ALLOW("\"gid\":[0,104]"), &alice_container, "allow 0" },
};

static const Case devices[] = {
        { "an address", DEVICE("\"0000:01:00.0\""), &alice, "allow 0" },
        { "another address", DEVICE("\"0000:01:00.1\""), &alice, "deny -" },
        { "one of several", DEVICE("\"0000:01:00.1\",\"01:00.0\""), &alice, "allow 0" },
        { "ids", DEVICE("\"8086:10d3\""), &alice, "allow 0", &nic },
        { "another vendor", DEVICE("\"8087:10d3\""), &alice, "deny -", &nic },
        { "another device", DEVICE("\"8086:10d4\""), &alice, "deny -", &nic },
        { "ids, but not of PCI", DEVICE("\"0000:0000\""), &alice, "deny -", &dma_engine },
        { "base class", DEVICE("\"class:01\""), &alice, "allow 0" },
        { "subclass", DEVICE("\"class:0108\""), &alice, "allow 0" },
        { "whole class", DEVICE("\"class:010802\""), &alice, "allow 0" },
        { "another class", DEVICE("\"class:01\""), &alice, "deny -", &nic },
        { "another subclass", DEVICE("\"class:0106\""), &alice, "deny -" },
        { "another interface", DEVICE("\"class:010801\""), &alice, "deny -" },
        { "class, but not of PCI", DEVICE("\"class:00\""), &alice, "deny -", &dma_engine },
        { "any, on every bus", DEVICE("\"any\""), &alice, "allow 0", &dma_engine },
        { "a name of the kernel's", DEVICE("{\"address\":\"fe200000.dma\"}"), &alice, "allow 0",
          &dma_engine },
        { "a group", DEVICE("\"group:7\""), &alice, "allow 0" },
        { "another group", DEVICE("\"group:7\""), &alice, "deny -", &nic },
        { "a serial number", DEVICE("\"serial=S4EW\""), &alice, "allow 0" },
        { "another serial number", DEVICE("\"serial=S4E\""), &alice, "deny -" },
        { "a virtual function", DEVICE("\"pf=02:00.0,vf=1\""), &alice, "allow 0", &vf },
        { "the next one", DEVICE("\"pf=02:00.0,vf=2\""), &alice, "deny -", &vf },
        { "of another", DEVICE("\"pf=03:00.0,vf=1\""), &alice, "deny -", &vf },
        { "any of one physical function", DEVICE("{\"pf\":\"02:00.0\"}"), &alice, "allow 0", &vf },
        { "which it is not itself", DEVICE("{\"pf\":\"02:00.0\"}"), &alice, "deny -", &nic },
        { "a physical function", DEVICE("{\"function\":\"pf\"}"), &alice, "allow 0", &nic },
        { "is no virtual one", DEVICE("{\"function\":\"vf\"}"), &alice, "deny -", &nic },
        { "a virtual function is one", DEVICE("{\"function\":\"vf\"}"), &alice, "allow 0", &vf },
        { "and no physical one", DEVICE("{\"function\":\"pf\"}"), &alice, "deny -", &vf },
        { "what is neither", DEVICE("{\"function\":\"pf\"},{\"function\":\"vf\"}"), &alice, "deny -" },
        { "a vendor", DEVICE("{\"vendor\":\"144d\"}"), &alice, "allow 0" },
        { "a device id", DEVICE("{\"device\":\"0xA808\"}"), &alice, "allow 0" },
        { "a subsystem", DEVICE("{\"subsystem_vendor\":\"144d\",\"subsystem_device\":\"a801\"}"), &alice,
          "allow 0" },
        { "another subsystem", DEVICE("{\"subsystem_vendor\":\"144d\",\"subsystem_device\":\"a802\"}"),
          &alice, "deny -" },
        { "a driver", DEVICE("{\"driver\":\"nvme\"}"), &alice, "allow 0" },
        { "another driver", DEVICE("{\"driver\":\"nvme\"}"), &alice, "deny -", &nic },
        { "no driver", DEVICE("{\"driver\":\"nvme\"}"), &alice, "deny -", &nvme_unbound },
        { "a NUMA node", DEVICE("{\"numa_node\":1}"), &alice, "allow 0" },
        { "another node", DEVICE("{\"numa_node\":0}"), &alice, "deny -" },
        { "on no node", DEVICE("{\"numa_node\":0}"), &alice, "deny -", &nvme_unbound },
        { "all keys hold", DEVICE("{\"class\":\"01\",\"numa_node\":1,\"driver\":\"nvme\"}"), &alice,
          "allow 0" },
        { "all but one", DEVICE("{\"class\":\"01\",\"numa_node\":1,\"driver\":\"ahci\"}"), &alice,
          "deny -" },
        { "a name", DEVICE("\"disk0\""), &alice, "allow 0" },
        { "which is another device's", DEVICE("\"disk0\""), &alice, "deny -", &nic },
        { "a tag", DEVICE("\"tag:lab\""), &alice, "allow 0" },
        { "a tag that it has otherwise", DEVICE("\"tag:lab\""), &alice, "allow 0", &nic },
        { "a tag that it has not", DEVICE("\"tag:fast\""), &alice, "deny -", &nic },
        { "a tag and more", DEVICE("{\"tag\":\"lab\",\"class\":\"02\"}"), &alice, "allow 0", &nic },
        { "a tag and something else", DEVICE("{\"tag\":\"lab\",\"class\":\"02\"}"), &alice, "deny -" },
};

static const Case conditions[] = {
        { "a mode", RULE(ANYBODY, "\"modes\":\"vmm\",\"verdict\":\"allow\""), &alice, "allow 0" },
        { "can be denied", RULE(ANYBODY, "\"modes\":[\"vmm\"],\"verdict\":\"deny\"") "," ALLOW(ANYBODY),
          &alice, "deny 0" },
        { "another mode", RULE(ANYBODY, "\"modes\":\"vmm\",\"verdict\":\"allow\""), &alice,
          "deny - missed 0 modes", .mode = MODE_CONFINED },
        { "one of several modes", RULE(ANYBODY, BINDING_MODES "\"verdict\":\"allow\""), &alice, "allow 0",
          .mode = MODE_CONFINED },
        { "which it is not", RULE(ANYBODY, BINDING_MODES "\"verdict\":\"allow\""), &alice,
          "deny - missed 0 modes" },
        { "a rule without modes is about all", ALLOW(ANYBODY), &alice, "allow 0", .mode = MODE_ATTACHED },
        { "what denies one mode leaves the others", RULE(ANYBODY, "\"modes\":\"vmm\",\"verdict\":\"deny\"")
          "," ALLOW(ANYBODY), &alice, "allow 1", .mode = MODE_ATTACHED },
        { "a whole group", RULE(ANYBODY, "\"whole_group\":true,\"verdict\":\"allow\""), &alice, "allow 0",
          .whole_group = true },
        { "a part of one", RULE(ANYBODY, "\"whole_group\":true,\"verdict\":\"allow\""), &alice,
          "deny - missed 0 whole_group" },
        { "which does not matter", RULE(ANYBODY, "\"whole_group\":false,\"verdict\":\"allow\""), &alice,
          "allow 0" },
        { "a reset", RULE(ANYBODY, "\"needs_reset\":true,\"verdict\":\"allow\""), &alice, "allow 0" },
        { "that there is not", RULE(ANYBODY, "\"needs_reset\":true,\"verdict\":\"allow\""), &alice,
          "deny - missed 0 needs_reset", &nvme_unbound },
        { "the first that was missed is told", RULE("\"uid\":7",
          "\"whole_group\":true,\"verdict\":\"allow\"")
          "," RULE(ANYBODY, "\"whole_group\":true,\"verdict\":\"ask\"") ","
          RULE(ANYBODY, "\"needs_reset\":true,\"verdict\":\"allow\""), &alice, "deny - missed 1 whole_group",
          &nvme_unbound },
        { "a later rule may want less", RULE(ANYBODY, "\"whole_group\":true,\"verdict\":\"allow\"") ","
          ALLOW("\"uid\":1000"), &alice, "allow 1" },
};

static const Case order[] = {
        { "deny first", DENY("\"uid\":1000") "," ALLOW(ANYBODY), &alice, "deny 0" },
        { "allow first", ALLOW("\"uid\":1000") "," DENY(ANYBODY), &alice, "allow 0" },
        { "ask first", ASK("\"uid\":1000") "," ALLOW(ANYBODY), &alice, "ask 0" },
        { "the first that matches both", "{\"uid\":1000,\"devices\":\"02:00.0\",\"verdict\":\"deny\"}," DENY(
          "\"uid\":1001") "," ALLOW("\"group\":\"kvm\""), &alice, "allow 2" },
};

static Policy *parse(const Case *c) {
        _cleanup_(config_error_done) ConfigError error = {};
        _cleanup_(policy_freep) Policy *policy = NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        r = policy_new(&policy);
        assert(r == 0);
        assert(asprintf(&text, "{\"rules\":[%s]}", c->rules) > 0);

        r = catalog_parse("iommud.json", names_file, strlen(names_file), &policy->catalog, &error);
        assert(r == 0);
        r = policy_parse_with_names("test", text, strlen(text), &names, policy, &error);
        if (r < 0) {
                fprintf(stderr, "%s: %s\n", c->what, error.message);
                abort();
        }

        return TAKE_PTR(policy);
}

static void describe(const Policy *policy, const PolicyAnswer *answer, char *buffer, size_t size) {
        char rule[24] = "-";

        if (answer->rule)
                snprintf(rule, sizeof(rule), "%td", answer->rule - policy->rules);

        if (answer->missed)
                snprintf(buffer, size, "%s %s missed %td %s", verdict_to_string(answer->verdict), rule,
                         answer->missed - policy->rules, rule_key_to_string(answer->missed_key));
        else if (answer->match == MATCH_UNKNOWN)
                snprintf(buffer, size, "%s %s %s", verdict_to_string(answer->verdict), rule,
                         rule_key_to_string(answer->key));
        else
                snprintf(buffer, size, "%s %s", verdict_to_string(answer->verdict), rule);
}

typedef struct Traced {
        size_t n;
        PolicyStep last;
} Traced;

static int on_step(const Device *device, const PolicyStep *step, void *userdata) {
        Traced *traced = userdata;
        char text[POLICY_STEP_TEXT_MAX];

        assert(!traced->last.decides);
        policy_step_text(step, &alice, text, sizeof(text));
        assert(text[0] && strlen(text) < sizeof(text) - 1);
        traced->last = *step;
        traced->n++;
        return 0;
}

/* What is told of the way ends where the decision does. */
static void test_trace(const Policy *policy, const PolicyQuestion *question, const PolicyAnswer *answer) {
        Traced traced = {};

        assert(policy_trace(policy, question, /* device= */ NULL, on_step, &traced) == 0);
        assert(traced.last.decides);
        assert(traced.last.rule == answer->rule && traced.last.verdict == answer->verdict);
        assert(traced.last.match == answer->match);
        assert(traced.n - 1 == (answer->rule ? (size_t) (answer->rule - policy->rules) : policy->n_rules));
}

/* What the policy does not ask for need not be known for the same answer. */
static void test_wanted(const Policy *policy, const PolicyQuestion *question, const PolicyAnswer *answer) {
        unsigned wanted = policy_wanted_facts(policy) | SUBJECT_KNOWS_USERNS;
        Subject subject = *question->subject;
        PolicyQuestion less = *question;
        PolicyAnswer again;

        subject.known &= wanted;
        if (!(wanted & SUBJECT_KNOWS_GIDS))
                subject.n_gids = 0;
        if (!(wanted & SUBJECT_KNOWS_CGROUP))
                subject.unit[0] = subject.slice[0] = subject.cgroup[0] = '\0';
        if (!(wanted & SUBJECT_KNOWS_LABEL))
                subject.label[0] = '\0';

        less.subject = &subject;
        again = policy_decide(policy, &less);
        assert(again.verdict == answer->verdict && again.rule == answer->rule);
        assert(again.match == answer->match && again.missed == answer->missed);
}

static void test_case(const Case *c) {
        _cleanup_(policy_freep) Policy *policy = parse(c);
        const PolicyQuestion question = {
                .subject = c->subject,
                .device = c->device ?: &nvme,
                .mode = c->mode,
                .whole_group = c->whole_group,
        };
        PolicyAnswer answer;
        char text[128];

        answer = policy_decide(policy, &question);
        describe(policy, &answer, text, sizeof(text));
        if (strcmp(text, c->expected) != 0) {
                fprintf(stderr, "%s: \"%s\", not \"%s\"\n", c->what, text, c->expected);
                abort();
        }

        test_trace(policy, &question, &answer);
        test_wanted(policy, &question, &answer);
}

static size_t test_cases(const Case *cases, size_t n_cases) {
        for (size_t i = 0; i < n_cases; i++)
                test_case(&cases[i]);

        return n_cases;
}

static void test_no_policy(void) {
        static const DeviceFacts facts = DEVICE_FACTS_INIT;
        static const DeviceMatch nothing = {}, no_mask = { .keys = 1U << DEVICE_KEY_CLASS };
        PolicyAnswer answer;

        assert(policy_decide(NULL, &(PolicyQuestion) { &root, &nvme }).verdict == VERDICT_ALLOW);
        assert(policy_decide(NULL, &(PolicyQuestion) { &alice, &nvme }).verdict == VERDICT_DENY);
        assert(policy_decide(NULL, &(PolicyQuestion) { &nobody, &nvme }).verdict == VERDICT_DENY);

        assert(policy_wanted_facts(NULL) == 0);

        answer = (PolicyAnswer) {};
        assert(answer.verdict == VERDICT_DENY && answer.match == MATCH_NO);
        assert(!policy_free(NULL));

        /* What was forgotten matches nothing */
        assert(device_match(&nothing, &nvme, NULL) == MATCH_NO);
        assert(device_match(&nothing, &facts, NULL) == MATCH_NO);
        assert(device_match(&no_mask, &nvme, NULL) == MATCH_NO);
        assert(!subject_match_is_set(&(SubjectMatch) {}));
        assert(subject_match(&(SubjectMatch) {}, &alice, /* proof= */ true, &answer.key) == MATCH_NO);
}

/* Only a rule that has decided, and for sure, takes anything from the host. */
static void test_host_use(void) {
        static const struct {
                const char *rules;
                const Subject *subject;
                bool overrides;
        } table[] = {
#define HOST_USE(subject, verdict)                                                                          \
        "{" subject ",\"devices\":\"0000:01:00.0\",\"host_use\":\"allow\",\"verdict\":\"" verdict "\"}"
                { HOST_USE("\"uid\":1000", "allow"), &alice, true },
                { HOST_USE("\"uid\":1000", "ask"), &alice, true },
                { HOST_USE("\"uid\":1000", "allow"), &bob, false },
                { ALLOW("\"uid\":1000") "," HOST_USE("\"uid\":1000", "allow"), &alice, false },
                { HOST_USE("\"unit\":\"libvirtd.service\"", "ask"), &alice, true },
                { HOST_USE("\"unit\":\"libvirtd.service\"", "ask"), &alice_bare, false },
                { "", &root, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_(policy_freep) Policy *policy = parse(&(Case) { "host_use", table[i].rules });
                PolicyAnswer answer;

                answer = policy_decide(policy, &(PolicyQuestion) { table[i].subject, &nvme });
                assert(policy_answer_overrides_host(&answer) == table[i].overrides);
        }
}

static void test_tables(void) {
        for (int v = 0; v < _VERDICT_MAX; v++)
                assert((int) verdict_from_string(verdict_to_string((Verdict) v)) == v);
        for (int k = 0; k < _RULE_KEY_MAX; k++)
                assert((int) rule_key_from_string(rule_key_to_string((RuleKey) k)) == k);
        for (int k = 0; k < _DEVICE_KEY_MAX; k++)
                assert((int) device_key_from_string(device_key_to_string((DeviceKey) k)) == k);

        assert(verdict_from_string("Allow") == _VERDICT_INVALID);
        assert(verdict_from_string("") == _VERDICT_INVALID);
        assert(verdict_from_string(NULL) == _VERDICT_INVALID);
}

int main(void) {
        size_t n = 0;

        n += test_cases(no_rule, ELEMENTSOF(no_rule));
        n += test_cases(subjects, ELEMENTSOF(subjects));
        n += test_cases(all_keys, ELEMENTSOF(all_keys));
        n += test_cases(unknown, ELEMENTSOF(unknown));
        n += test_cases(profiles, ELEMENTSOF(profiles));
        n += test_cases(root_cases, ELEMENTSOF(root_cases));
        n += test_cases(devices, ELEMENTSOF(devices));
        n += test_cases(conditions, ELEMENTSOF(conditions));
        n += test_cases(order, ELEMENTSOF(order));
        test_no_policy();
        test_host_use();
        test_tables();
        printf("%zu decisions\n", n);
        return 0;
}
