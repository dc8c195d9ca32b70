/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The display that the host was started with, and its console. */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sys/host-console.h"
#include "sys/host-display.h"
#include "tree.h"

#define NAME "0000:00:04.0"
#define DIRECTORY "devices/pci0000:00/" NAME

static Tree *tree;
static LocalHost local;
static HostDevice device;
static char use[128];

static void setup(void) {
        tree = tree_free(tree);
        tree = tree_new();
        local = (LocalHost) { .sysfs = tree->fd, .proc = -EBADF };
        tree_pci_device(tree, NAME, 1, "i915");
        assert(host_device_find(&local, "pci", NAME, &device) == 0);
        use[0] = '\0';
}

static void test_display(void) {
        setup();
        assert(host_display_in_use(&device, use, sizeof(use)) == 0);           /* none */
        tree_file(tree, "1\n", DIRECTORY "/boot_vga");
        assert(host_display_in_use(&device, use, sizeof(use)) == 0);           /* shows nothing */
        tree_link(tree, "../../devices/pci0000:00/0000:00:02.0/drm/card0", "class/drm/card0");
        assert(host_display_in_use(&device, use, sizeof(use)) == 0);

        tree_link(tree, "../../" DIRECTORY "/drm/card1", "class/drm/card1");
        assert(host_display_in_use(&device, use, sizeof(use)) == HOST_USE_FOUND);
        assert(strcmp(use, "it is the display that the host was started with") == 0);
        tree_file(tree, "0\n", DIRECTORY "/boot_vga");
        assert(host_display_in_use(&device, use, sizeof(use)) == 0);

        setup();
        tree_file(tree, "1\n", DIRECTORY "/boot_vga");
        tree_link(tree, "../../" DIRECTORY "/graphics/fb0", "class/graphics/fb0");
        assert(host_display_in_use(&device, use, sizeof(use)) == HOST_USE_FOUND);
        tree_file(tree, "1 and so on\n", DIRECTORY "/boot_vga");
        assert(host_display_in_use(&device, use, sizeof(use)) == -E2BIG);

        /* one that is no VGA device, and beside it one that is, and was not used */
        setup();
        tree_file(tree, "connected\n", DIRECTORY "/drm/card1/card1-eDP-1/status");
        tree_file(tree, "226:1\n", DIRECTORY "/drm/card1/dev");
        tree_file(tree, "226:128\n", DIRECTORY "/drm/renderD128/dev");
        tree_link(tree, "../../" DIRECTORY "/drm/card1", "class/drm/card1");
        assert(host_display_in_use(&device, use, sizeof(use)) == 0);
        tree_file(tree, "1\n", DIRECTORY "/drm/card1/boot_display");
        assert(host_display_in_use(&device, use, sizeof(use)) == HOST_USE_FOUND);
        tree_file(tree, "0\n", DIRECTORY "/boot_vga");
        assert(host_display_in_use(&device, use, sizeof(use)) == HOST_USE_FOUND);
}

static void test_console(void) {
        setup();
        assert(host_console_in_use(&device, use, sizeof(use)) == 0);
        tree_link(tree, "../../devices/virtual/tty/tty0", "class/tty/tty0");
        tree_link(tree, "../../" DIRECTORY "/tty/ttyS4", "class/tty/ttyS4");
        tree_file(tree, "tty0\n", "class/tty/console/active");
        assert(host_console_in_use(&device, use, sizeof(use)) == 0);
        tree_file(tree, "tty0 ttyS4\n", "class/tty/console/active");
        assert(host_console_in_use(&device, use, sizeof(use)) == HOST_USE_FOUND);
        assert(strcmp(use, "the console ttyS4 is on it") == 0);

        /* one of a hypervisor is on whatever has ports of one */
        setup();
        tree_file(tree, "hvc0\n", "class/tty/console/active");
        tree_link(tree, "../../devices/virtual/tty/hvc0", "class/tty/hvc0");
        assert(host_console_in_use(&device, use, sizeof(use)) == 0);
        tree_link(tree, "../../" DIRECTORY "/virtio0/virtio-ports/vport0p0", "class/virtio-ports/vport0p0");
        assert(host_console_in_use(&device, use, sizeof(use)) == HOST_USE_FOUND);
        assert(strcmp(use, "the console hvc0 is on it") == 0);

        setup();
        tree_dir(tree, "class/tty/console/active");
        assert(host_console_in_use(&device, use, sizeof(use)) == -EISDIR);
}

int main(void) {
        test_display();
        test_console();
        tree_free(tree);
        return 0;
}
