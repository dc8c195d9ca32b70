/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sys/host.h"
#include "tree.h"

typedef struct Fixture {
        Tree *sysfs, *proc;
        LocalHost local;
        Host host;
        HostUse kind;
        char use[128];
} Fixture;

/* Two disks, NVMe at 04.0 and SATA at 05.0, each with a partition. Nothing is mounted. */
static void fixture_init(Fixture *f) {
        *f = (Fixture) { .sysfs = tree_new(), .proc = tree_new() };
        f->local = (LocalHost) { .sysfs = f->sysfs->fd, .proc = f->proc->fd };
        f->host = local_host_port(&f->local);

        tree_pci_device(f->sysfs, "0000:00:04.0", 1, "nvme");
        tree_pci_device(f->sysfs, "0000:00:05.0", 2, "ahci");
        tree_dir(f->sysfs, "class/block");
        tree_dir(f->sysfs, "dev/block");
        tree_dir(f->sysfs, "dev/char");
        tree_file(f->proc, "22 1 0:20 / /proc rw - proc proc rw\n", "self/mountinfo");
        tree_file(f->proc, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n", "swaps");
}

static void fixture_done(Fixture *f) {
        tree_free(f->sysfs);
        tree_free(f->proc);
}

/* A block device at @path below devices/, with the links to it. */
static void make_block(Fixture *f, const char *path, const char *number) {
        const char *name = strrchr(path, '/') + 1;
        char target[256];

        tree_dir(f->sysfs, "devices/%s", path);
        snprintf(target, sizeof(target), "../../devices/%s", path);
        tree_link(f->sysfs, target, "class/block/%s", name);
        tree_link(f->sysfs, target, "dev/block/%s", number);
}

static void make_partition(Fixture *f, const char *path, const char *number) {
        make_block(f, path, number);
        tree_file(f->sysfs, "1\n", "devices/%s/partition", path);
}

static void make_disks(Fixture *f) {
        make_block(f, "pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n1", "259:0");
        make_partition(f, "pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n1/nvme0n1p2", "259:2");
        make_block(f, "pci0000:00/0000:00:05.0/ata1/host0/target0:0:0/0:0:0:0/block/sda", "8:0");
        make_partition(f, "pci0000:00/0000:00:05.0/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1", "8:1");
}

static void mount_line(Fixture *f, const char *line) {
        char text[512];

        snprintf(text, sizeof(text), "22 1 0:20 / /proc rw - proc proc rw\n%s\n", line);
        tree_file(f->proc, text, "self/mountinfo");
}

static int ask(Fixture *f, const char *name) {
        f->use[0] = '\0';
        f->kind = HOST_USE_UNKNOWN;
        return f->host.ops->in_use(f->host.userdata, "pci", name, &f->kind, f->use, sizeof(f->use));
}

#define assert_used(f, name, expected)                                                                   \
        do {                                                                                             \
                assert(ask(f, name) == HOST_USE_FOUND);                                                  \
                assert(strcmp((f)->use, expected) == 0);                                                 \
        } while (0)

static void test_none(void) {
        Fixture f;

        fixture_init(&f);
        assert(ask(&f, "0000:00:04.0") == 0);
        make_disks(&f);
        assert(ask(&f, "0000:00:04.0") == 0);
        assert(ask(&f, "0000:00:05.0") == 0);
        assert(ask(&f, "0000:00:06.0") == -ENODEV);
        fixture_done(&f);
}

static void test_mounted(void) {
        Fixture f;

        fixture_init(&f);
        make_disks(&f);
        mount_line(&f, "36 22 259:2 / /boot rw,relatime shared:1 master:2 - ext4 /dev/root rw");
        assert_used(&f, "0000:00:04.0", "/boot is on nvme0n1p2");
        assert(f.kind == HOST_USE_DISK);
        assert(ask(&f, "0000:00:05.0") == 0);
        fixture_done(&f);
}

/* Our own view has not got it, that of the first process has. */
static void test_mounted_elsewhere(void) {
        Fixture f;

        fixture_init(&f);
        make_disks(&f);
        tree_file(f.proc, "36 22 8:1 / / rw - ext4 /dev/sda1 rw\n", "1/mountinfo");
        assert_used(&f, "0000:00:05.0", "/ is on sda1");
        fixture_done(&f);
}

/* Nobody's view that we can see has it, but the file system says that it is there. */
static void test_mounted_in_container(void) {
        Fixture f;

        fixture_init(&f);
        make_disks(&f);
        tree_dir(f.sysfs, "fs/ext4/features");
        tree_dir(f.sysfs, "fs/ext4/sda1");
        assert_used(&f, "0000:00:05.0", "ext4 is on sda1");
        fixture_done(&f);
}

static void test_swap(void) {
        Fixture f;

        fixture_init(&f);
        make_disks(&f);
        tree_file(f.proc, "Filename Type Size Used Priority\n/swapfile file 1 0 -2\n"
                "/dev/sda1 partition 1 0 -2\n",
                "swaps");
        assert_used(&f, "0000:00:05.0", "swap is on sda1");
        assert(ask(&f, "0000:00:04.0") == 0);
        fixture_done(&f);
}

static void test_btrfs(void) {
        Fixture f;

        fixture_init(&f);
        make_disks(&f);
        mount_line(&f, "36 22 0:33 /@ / rw,relatime shared:1 - btrfs /dev/nvme0n1p2 rw,subvol=/@");
        tree_link(f.sysfs, "../../../../devices/x/sda1", "fs/btrfs/1f2c/devices/sda1");
        assert_used(&f, "0000:00:04.0", "/ is on nvme0n1p2");
        assert_used(&f, "0000:00:05.0", "btrfs is on sda1");            /* the second one of two */
        fixture_done(&f);
}

/* / is on a logical volume on RAID on both disks. */
static void test_stacked(void) {
        Fixture f;

        fixture_init(&f);
        make_disks(&f);
        make_block(&f, "virtual/block/md0", "9:0");
        tree_link(f.sysfs, "../../../x/nvme0n1p2", "devices/virtual/block/md0/slaves/nvme0n1p2");
        tree_link(f.sysfs, "../../../x/sda", "devices/virtual/block/md0/slaves/sda");
        make_partition(&f, "virtual/block/md0/md0p1", "259:7");
        make_block(&f, "virtual/block/dm-0", "253:0");
        tree_link(f.sysfs, "../../md0/md0p1", "devices/virtual/block/dm-0/slaves/md0p1");

        /* built upon, if not mounted */
        assert(ask(&f, "0000:00:04.0") == HOST_USE_FOUND);
        assert(strstr(f.use, " is on nvme0n1p2"));

        mount_line(&f, "36 22 253:0 / / rw - ext4 /dev/mapper/root rw");
        assert_used(&f, "0000:00:04.0", "/ is on nvme0n1p2");
        assert_used(&f, "0000:00:05.0", "/ is on sda");
        fixture_done(&f);
}

/* A loop device on a partition, with a layer of its own; another is on a file, a third on nothing. */
static void test_loop(void) {
        Fixture f;

        fixture_init(&f);
        make_disks(&f);
        make_block(&f, "virtual/block/loop0", "7:0");
        tree_file(f.sysfs, "/dev/sda1\n", "devices/virtual/block/loop0/loop/backing_file");
        make_block(&f, "virtual/block/loop1", "7:1");
        tree_file(f.sysfs, "/srv/nvme0n1p2\n", "devices/virtual/block/loop1/loop/backing_file");
        make_block(&f, "virtual/block/loop2", "7:2");

        assert(ask(&f, "0000:00:04.0") == 0);
        assert_used(&f, "0000:00:05.0", "loop0 is on sda1");

        make_block(&f, "virtual/block/dm-0", "253:0");
        tree_link(f.sysfs, "../../loop0", "devices/virtual/block/dm-0/slaves/loop0");
        mount_line(&f, "36 22 253:0 /srv / rw - ext4 /dev/mapper/srv rw");
        assert_used(&f, "0000:00:05.0", "/ is on sda1");
        assert(ask(&f, "0000:00:04.0") == 0);
        fixture_done(&f);
}

static void test_circle(void) {
        Fixture f;

        fixture_init(&f);
        make_block(&f, "virtual/block/dm-0", "253:0");
        make_block(&f, "virtual/block/dm-1", "253:1");
        tree_link(f.sysfs, "../../dm-1", "devices/virtual/block/dm-0/slaves/dm-1");
        tree_link(f.sysfs, "../../dm-0", "devices/virtual/block/dm-1/slaves/dm-0");
        assert(ask(&f, "0000:00:04.0") == -ELOOP);
        fixture_done(&f);
}

/* The namespace hangs below the subsystem; two controllers are ways to it. */
static void test_nvme_multipath(void) {
        Fixture f;

        fixture_init(&f);
        make_block(&f, "virtual/nvme-subsystem/nvme-subsys0/nvme0n1", "259:0");
        make_partition(&f, "virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p1", "259:1");
        tree_link(f.sysfs, "../../../pci0000:00/0000:00:04.0/nvme/nvme0",
                "devices/virtual/nvme-subsystem/nvme-subsys0/nvme0");
        tree_link(f.sysfs, "../../../pci0000:00/0000:00:05.0/nvme/nvme1",
                "devices/virtual/nvme-subsystem/nvme-subsys0/nvme1");
        tree_link(f.sysfs, "../../devices/pci0000:00/0000:00:04.0/nvme/nvme0", "class/nvme/nvme0");
        tree_link(f.sysfs, "../../devices/pci0000:00/0000:00:05.0/nvme/nvme1", "class/nvme/nvme1");
        tree_pci_device(f.sysfs, "0000:00:06.0", 3, "nvme");

        mount_line(&f, "36 22 259:1 / /srv rw - xfs /dev/nvme0n1p1 rw");
        assert_used(&f, "0000:00:04.0", "/srv is on nvme0n1p1");
        assert_used(&f, "0000:00:05.0", "/srv is on nvme0n1p1");
        assert(ask(&f, "0000:00:06.0") == 0);
        fixture_done(&f);
}

/* A file system that names all of its devices, with colons in between. */
static void test_many_sources(void) {
        Fixture f;

        fixture_init(&f);
        make_disks(&f);
        mount_line(&f, "36 22 0:41 / /srv rw - bcachefs /dev/sda1:/dev/nvme0n1p2 rw");
        assert_used(&f, "0000:00:05.0", "/srv is on sda1");
        assert_used(&f, "0000:00:04.0", "/srv is on nvme0n1p2");
        fixture_done(&f);
}

/* The pool doesn't say where it is: any disk may be a part of it, anything else isn't. */
static void test_zfs(void) {
        Fixture f;

        fixture_init(&f);
        make_disks(&f);
        tree_pci_device(f.sysfs, "0000:00:06.0", 3, "e1000e");
        mount_line(&f, "36 22 0:40 / /tank rw - zfs tank/data rw");
        assert(ask(&f, "0000:00:04.0") == -EOPNOTSUPP);
        assert(ask(&f, "0000:00:06.0") == 0);
        fixture_done(&f);
}

/* What can't be read can't be denied. */
static void test_unreadable(void) {
        Fixture f;

        fixture_init(&f);
        make_disks(&f);
        tree_file(f.proc, "this is no mount\n", "self/mountinfo");
        assert(ask(&f, "0000:00:04.0") == -EBADMSG);
        tree_remove(f.proc, "self/mountinfo");
        assert(ask(&f, "0000:00:04.0") == -ENOENT);
        fixture_done(&f);
}

/* A display adapter that has been divided. */
static void test_mediated(void) {
        const char *name = "c9abdcb5-5279-413a-9057-c81d2605ce9c";
        char target[128];
        Fixture f;

        fixture_init(&f);
        snprintf(target, sizeof(target), "../../../devices/pci0000:00/0000:00:04.0/%s", name);
        tree_dir(f.sysfs, "devices/pci0000:00/0000:00:04.0/%s", name);
        tree_link(f.sysfs, target, "bus/mdev/devices/%s", name);
        assert_used(&f, "0000:00:04.0", "the mediated device c9abdcb5-5279-413a-9057-c81d2605ce9c is on it");
        assert(f.kind == HOST_USE_MEDIATED);
        assert(ask(&f, "0000:00:05.0") == 0);
        fixture_done(&f);
}

/* Each kind of use is told as what it is. */
static void test_kinds(void) {
        Fixture f;

        fixture_init(&f);
        make_disks(&f);
        tree_dir(f.sysfs, "devices/pci0000:00/0000:00:04.0/tty/ttyS4");
        tree_link(f.sysfs, "../../devices/pci0000:00/0000:00:04.0/tty/ttyS4", "class/tty/ttyS4");
        tree_file(f.sysfs, "ttyS4\n", "class/tty/console/active");
        assert_used(&f, "0000:00:04.0", "the console ttyS4 is on it");
        assert(f.kind == HOST_USE_CONSOLE);

        tree_file(f.sysfs, "1\n", "devices/pci0000:00/0000:00:04.0/boot_vga");
        tree_dir(f.sysfs, "devices/pci0000:00/0000:00:04.0/drm/card0");
        tree_link(f.sysfs, "../../devices/pci0000:00/0000:00:04.0/drm/card0", "class/drm/card0");
        assert_used(&f, "0000:00:04.0", "it is the display that the host was started with");
        assert(f.kind == HOST_USE_DISPLAY);
        fixture_done(&f);

        for (HostUse use = 0; use < _HOST_USE_MAX; use++)
                assert(host_use_from_string(host_use_to_string(use)) == use);
}

int main(void) {
        test_none();
        test_kinds();
        test_mediated();
        test_mounted();
        test_mounted_elsewhere();
        test_mounted_in_container();
        test_swap();
        test_btrfs();
        test_stacked();
        test_loop();
        test_circle();
        test_nvme_multipath();
        test_many_sources();
        test_zfs();
        test_unreadable();
        return 0;
}
