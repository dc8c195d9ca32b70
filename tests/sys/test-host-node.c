/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Nodes of a device that processes have open. The descriptors of a made /proc are links to real nodes. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/host-node.h"
#include "tree.h"

#define NAME "0000:00:04.0"
#define DIRECTORY "devices/pci0000:00/" NAME

static Tree *sysfs, *proc;
static LocalHost local;
static char use[128];

static bool zero_is_nvidia;

/* /dev/full, 1:7, passes for a disk, and /dev/zero for a GPU: there may be none here. */
int __wrap_statx(int dir, const char *path, int flags, unsigned mask, struct statx *st);
int __real_statx(int dir, const char *path, int flags, unsigned mask, struct statx *st);
int __wrap_statx(int dir, const char *path, int flags, unsigned mask, struct statx *st) {
        int r = __real_statx(dir, path, flags, mask, st);

        if (r >= 0 && S_ISCHR(st->stx_mode) && st->stx_rdev_minor == 7)
                st->stx_mode = S_IFBLK | 0600;
        if (r >= 0 && S_ISCHR(st->stx_mode) && st->stx_rdev_minor == 5 && zero_is_nvidia) {
                st->stx_rdev_major = 195;
                st->stx_rdev_minor = 1;
        }
        return r;
}

static void make_process(unsigned pid, const char *comm, const char *node, const char *cgroup) {
        tree_file(proc, comm, "%u/comm", pid);
        tree_file(proc, cgroup, "%u/cgroup", pid);
        tree_link(proc, node, "%u/fd/17", pid);
        tree_link(proc, "/dev/urandom", "%u/fd/3", pid);
        tree_link(proc, "socket:[77]", "%u/fd/4", pid);
}

static void setup(void) {
        sysfs = tree_free(sysfs);
        proc = tree_free(proc);
        sysfs = tree_new();
        proc = tree_new();
        local = (LocalHost) { .sysfs = sysfs->fd, .proc = proc->fd };

        tree_pci_device(sysfs, NAME, 1, "snd_hda_intel");
        tree_link(sysfs, "../../devices/virtual/mem/urandom", "dev/char/1:9");
        tree_dir(sysfs, "dev/block");
        make_process(100, "other\n", "/dev/zero", "0::/\n");
        tree_file(proc, "", "uptime");
}

/* Sound on 1:3, a disk on 1:7. */
static void make_nodes(void) {
        tree_file(sysfs, "MAJOR=1\nMINOR=3\nDEVNAME=snd/pcmC0D0p\n",
                DIRECTORY "/sound/card0/pcmC0D0p/uevent");
        tree_link(sysfs, "../../" DIRECTORY "/sound/card0/pcmC0D0p", "dev/char/1:3");
        tree_dir(sysfs, DIRECTORY "/block/sdq");
        tree_link(sysfs, "../../" DIRECTORY "/block/sdq", "dev/block/1:7");
}

static int ask(void) {
        HostDevice device;

        use[0] = '\0';
        assert(host_device_find(&local, "pci", NAME, &device) == 0);
        return host_node_in_use(&device, use, sizeof(use));
}

static void test_none(void) {
        setup();
        /* nobody is looked at for a device without nodes */
        tree_link(proc, "fd", "101/fd");
        assert(ask() == _HOST_USE_NONE);
        make_nodes();
        assert(ask() == -ELOOP);

        setup();
        make_nodes();
        assert(ask() == _HOST_USE_NONE);
}

static void test_open(void) {
        setup();
        make_nodes();
        make_process(712, "pulseaudio\n", "/dev/null", "0::/user.slice\n");
        assert(ask() == HOST_USE_FOUND);
        assert(strcmp(use, "/dev/snd/pcmC0D0p is open in pulseaudio (pid 712)") == 0);

        /* a node of the same number and of the other kind; one without a name */
        setup();
        make_nodes();
        tree_remove(sysfs, "dev/block/1:7");
        make_process(712, "mkfs\n", "/dev/full", "0::/\n");
        assert(ask() == _HOST_USE_NONE);
        tree_link(sysfs, "../../" DIRECTORY "/block/sdq", "dev/block/1:7");
        assert(ask() == HOST_USE_FOUND);
        assert(strcmp(use, "/dev/block/1:7 is open in mkfs (pid 712)") == 0);

        /* it calls itself nothing */
        make_process(712, "\n", "/dev/full", "0::/\n");
        assert(ask() == HOST_USE_FOUND);
        assert(strcmp(use, "/dev/block/1:7 is open in a process (pid 712)") == 0);
}

static void test_ourselves(void) {
        setup();
        make_nodes();
        make_process((unsigned) getpid(), "test\n", "/dev/null", "0::/\n");
        assert(ask() == _HOST_USE_NONE);
}

static void test_udev(void) {
        static const struct {
                const char *cgroup;
                int outcome;
        } table[] = {
                { "0::/system.slice/systemd-udevd.service\n", _HOST_USE_NONE },
                { "12:pids:/\n0::/system.slice/systemd-udevd.service/udev\n", _HOST_USE_NONE },
                { "1:name=systemd:/system.slice/systemd-udevd.service\n", _HOST_USE_NONE },
                { "0::/system.slice/systemd-udevd.service2\n", HOST_USE_FOUND },
                { "0::/user.slice/system.slice/systemd-udevd.service\n", HOST_USE_FOUND },
                { "0::/user.slice/a:/system.slice/systemd-udevd.service\n", HOST_USE_FOUND },
                { "0::/user.slice/a:name=systemd:/system.slice/systemd-udevd.service\n", HOST_USE_FOUND },
                { "", HOST_USE_FOUND },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                setup();
                make_nodes();
                make_process(712, "(udev-worker)\n", "/dev/full", table[i].cgroup);
                assert(ask() == table[i].outcome);
        }
}

static void test_nvidia(void) {
        setup();
        tree_file(proc, "Model: \t\t GPU\nDevice Minor: \t 1\nGPU Excluded:\t No\n",
                "driver/nvidia/gpus/" NAME "/information");
        make_process(712, "train\n", "/dev/null", "0::/\n");
        assert(ask() == _HOST_USE_NONE);
        zero_is_nvidia = true;
        assert(ask() == HOST_USE_FOUND);
        assert(strcmp(use, "/dev/char/195:1 is open in other (pid 100)") == 0);
        zero_is_nvidia = false;

        tree_file(proc, "Model: \t\t GPU\n", "driver/nvidia/gpus/" NAME "/information");
        assert(ask() == -EBADMSG);
}

static void test_broken(void) {
        setup();
        make_nodes();
        tree_link(sysfs, "../../" DIRECTORY "/x", "dev/char/x");
        assert(ask() == -EBADMSG);

        setup();
        tree_remove(sysfs, "dev/block");
        assert(ask() == -ENOENT);
}

int main(void) {
        if (access("/dev/full", F_OK) < 0 || access("/dev/null", F_OK) < 0) {
                printf("no /dev/null, or no /dev/full\n");
                return 77;
        }

        test_none();
        test_open();
        test_ourselves();
        test_udev();
        test_nvidia();
        test_broken();
        tree_free(sysfs);
        tree_free(proc);
        return 0;
}
