/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the host's network is on: real interfaces in a network namespace of the test's own, of which a made
 * sysfs says that the first one, "eth0", is the device's.
 */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/dir.h"
#include "sys/host.h"
#include "sys/netlink.h"
#include "tree.h"

#define NAME "0000:00:04.0"
#define DIRECTORY "devices/pci0000:00/" NAME

static Tree *tree, *proc;
static LocalHost local;
static char use[128];
static unsigned n_calls, fail_at;

/* Something that happens before a call, while the device is looked at. */
static unsigned event_at;
static void (*event)(void);

static bool must_fail(void) {
        n_calls++;
        if (n_calls == event_at)
                event();
        return n_calls == fail_at;
}

/* The calls that can fail, with what they fail with. */
#define WRAP(type, name, failure, parameters, ...)                                                          \
        type __wrap_##name parameters;                                                                      \
        type __real_##name parameters;                                                                      \
        type __wrap_##name parameters {                                                                     \
                return must_fail() ? failure : __real_##name(__VA_ARGS__);                                  \
        }

WRAP(struct nl_sock *, nl_socket_alloc, NULL, (void), )
WRAP(int, nl_connect, -NLE_PERM, (struct nl_sock * s, int protocol), s, protocol)
WRAP(int, setsockopt, (errno = ENOPROTOOPT, -1),
     (int fd, int level, int option, const void *value, socklen_t size), fd, level, option, value, size)
WRAP(struct nl_cb *, nl_cb_alloc, NULL, (enum nl_cb_kind kind), kind)
WRAP(struct nl_msg *, nlmsg_alloc_simple, NULL, (int type, int flags), type, flags)
WRAP(int, nl_send_auto, -NLE_BAD_SOCK, (struct nl_sock * s, struct nl_msg *msg), s, msg)
WRAP(int, nl_recvmsgs, -NLE_AGAIN, (struct nl_sock * s, struct nl_cb *cb), s, cb)

static unsigned count_fds(void) {
        _cleanup_dir_ Dir *dir = NULL;
        const char *name;
        unsigned n = 0;

        assert(dir_open_at(AT_FDCWD, "/proc/self/fd", &dir) == 0);
        while (dir_next(dir, &name) == DIR_ENTRY)
                n++;
        return n;
}

static bool try_ip(const char *arguments) {
        char command[256];

        snprintf(command, sizeof(command), "ip %s 2>/dev/null", arguments);
        return system(command) == 0;
}

#define ip(arguments) assert(try_ip(arguments))

static void make_interface(const char *name) {
        tree_dir(tree, DIRECTORY "/net/%s", name);
        tree_link(tree, "../../" DIRECTORY "/net/eth0", "class/net/%s", name);
}

static void setup(void) {
        tree = tree_free(tree);
        tree = tree_new();
        proc = tree_free(proc);
        proc = tree_new();
        local = (LocalHost) { .sysfs = tree->fd, .proc = proc->fd };
        tree_file(proc, "", "self/mountinfo");
        tree_dir(tree, "dev/block");
        tree_dir(tree, "dev/char");
        tree_pci_device(tree, NAME, 1, "e1000e");
        make_interface("eth0");
        tree_file(tree, "", "class/net/bonding_masters");
        tree_link(tree, "../../devices/virtual/net/other", "class/net/other");

        assert(unshare(CLONE_NEWNET) == 0);
        ip("link add eth0 type veth peer name wire");
        ip("link set eth0 up");
        ip("link add other type veth peer name far");
        ip("link set other up");
        fail_at = event_at = 0;
}

static int ask(void) {
        const Host host = local_host_port(&local);
        HostUse kind = HOST_USE_UNKNOWN;
        int r;

        use[0] = '\0';
        n_calls = 0;
        r = host.ops->in_use(host.userdata, "pci", NAME, &kind, use, sizeof(use));
        assert(kind == (r == HOST_USE_FOUND ? HOST_USE_NETWORK : HOST_USE_UNKNOWN));
        return r;
}

#define assert_answer(outcome, text)                                                                        \
        do {                                                                                                \
                int _answer = ask();                                                                        \
                                                                                                            \
                if (_answer != (outcome) || strcmp(use, text) != 0)                                         \
                        fprintf(stderr, "%d: \"%s\"\n", _answer, use);                                      \
                assert(_answer == (outcome) && strcmp(use, text) == 0);                                     \
        } while (0)

#define assert_free() assert_answer(_HOST_USE_NONE, "")
#define assert_used(text) assert_answer(HOST_USE_FOUND, text)

static void test_none(void) {
        setup();
        assert_free();
        ip("addr add 192.0.2.9/24 dev other");
        assert_free();

        /* a device without any interface */
        tree_remove(tree, "class/net/eth0");
        tree_remove(tree, DIRECTORY "/net/eth0");
        tree_remove(tree, DIRECTORY "/net");
        assert_free();
        assert(n_calls == 0);
}

static void test_address(void) {
        setup();
        ip("addr add 169.254.7.7/16 scope link dev eth0");
        ip("addr add fe80::7/64 dev eth0 nodad");
        assert_free();

        ip("addr add 192.0.2.7/24 dev eth0");
        assert_used("eth0 carries 192.0.2.7/24");
        ip("link set eth0 down");
        assert_free();

        setup();
        ip("addr add 2001:db8::7/64 dev eth0 nodad");
        assert_used("eth0 carries 2001:db8::7/64");
        ip("addr del 2001:db8::7/64 dev eth0");
        assert_free();
}

static void test_default_route(void) {
        setup();
        ip("addr add 192.0.2.7/24 dev eth0");
        ip("route add default via 192.0.2.1");
        assert_used("the default route is through eth0");

        /* without an address; in another table; one of many */
        setup();
        ip("route add 198.51.100.0/24 dev eth0");
        ip("route add blackhole default metric 7");
        assert_free();
        ip("route add default dev eth0 table 100");
        assert_used("the default route is through eth0");

        setup();
        ip("route add default nexthop dev other nexthop dev eth0");
        assert_used("the default route is through eth0");

        setup();
        ip("link set wire up");
        ip("nexthop add id 7 dev eth0");
        ip("route add default nhid 7");
        assert_used("the default route is through eth0");

        setup();
        ip("route add default dev other");
        assert_free();
        ip("-6 route add default dev eth0");
        assert_used("the default route is through eth0");
}

static void test_bridge(void) {
        setup();
        ip("link add br0 type bridge");
        ip("link set eth0 master br0");
        ip("addr add 192.0.2.7/24 dev br0");
        assert_free();                       /* it isn't up */
        ip("link set br0 up");
        assert_used("eth0 is in br0, which carries 192.0.2.7/24");
        ip("route add default via 192.0.2.1");
        assert_used("eth0 is in br0, which has the default route");
        ip("addr flush dev br0");
        assert_free();

        /* it connects others through us */
        ip("link add tap0 type veth peer name guest");
        ip("link set tap0 master br0");
        assert_free();
        ip("link set tap0 up");
        assert_used("eth0 is in br0, which connects it with tap0");
}

static void test_upper(void) {
        setup();
        if (!try_ip("link add link eth0 name upper type vlan id 7") &&
            !try_ip("link add link eth0 name upper type macvlan")) {
                printf("neither VLAN nor macvlan here\n");
                return;
        }
        assert_free();
        ip("link set upper up");
        ip("addr add 192.0.2.7/24 dev upper");
        assert_used("eth0 is below upper, which carries 192.0.2.7/24");

        /* what is made of what is made of it */
        ip("addr flush dev upper");
        ip("link add br0 type bridge");
        ip("link set upper master br0");
        ip("link set br0 up");
        assert_free();
        ip("addr add 2001:db8::7/64 dev br0 nodad");
        assert_used("eth0 is below br0, which carries 2001:db8::7/64");
}

static void test_bond(void) {
        setup();
        if (!try_ip("link add bond0 type bond")) {
                printf("no bonds here\n");
                return;
        }
        ip("link set eth0 down");
        ip("link set eth0 master bond0");
        ip("link set bond0 up");
        ip("addr add 192.0.2.7/24 dev bond0");
        assert_used("eth0 is in bond0, which carries 192.0.2.7/24");
        ip("addr del 192.0.2.7/24 dev bond0");
        assert_free();
}

/* The second one is asked about too. */
static void test_two(void) {
        setup();
        make_interface("eth1");
        assert(ask() == -EAGAIN);            /* sysfs has it, the kernel doesn't: nobody knows */
        assert(n_calls < 1000);
        ip("link add eth1 type veth peer name wire1");
        assert_free();
        ip("link set eth1 up");
        ip("addr add 192.0.2.7/24 dev eth1");
        assert_used("eth1 carries 192.0.2.7/24");
}

/* Only the count of links knows of those of other namespaces. */
static void test_other_namespace(void) {
        struct stat st;

        setup();
        tree_dir(tree, DIRECTORY "/virtio0/net/.hidden");
        assert(fstatat(tree->fd, DIRECTORY "/virtio0/net", &st, 0) == 0);
        if (st.st_nlink != 3) {
                printf("the file system of the test doesn't count directories\n");
                return;
        }

        assert_free();                       /* no device: it has no uevent */
        tree_file(tree, "", DIRECTORY "/virtio0/uevent");
        assert_used("a network interface of it is in another network namespace");

        /* one of two */
        tree_dir(tree, DIRECTORY "/virtio0/net/eth1");
        tree_link(tree, "../../" DIRECTORY "/virtio0/net/eth1", "class/net/eth1");
        ip("link add eth1 type veth peer name wire1");
        assert_used("a network interface of it is in another network namespace");
        tree_remove(tree, DIRECTORY "/virtio0/net/.hidden");
        assert_free();
}

/* A container's macvlan has an address for which our interface receives: that is all that is seen of it. */
static void test_foreign(void) {
        pid_t pid;
        int ends[2];
        char command[64];

        setup();
        if (!try_ip("link add link eth0 name upper address 02:00:00:00:00:07 type macvlan mode bridge")) {
                printf("no macvlan here\n");
                return;
        }
        ip("link set upper up");
        assert_free();                       /* ours, without use */

        assert(pipe2(ends, O_CLOEXEC) == 0);
        pid = fork();
        assert(pid >= 0);
        if (pid == 0) {
                close(ends[0]);
                assert(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && unshare(CLONE_NEWNET) == 0);
                assert(write(ends[1], "", 1) == 1);
                for (;;)
                        (void) pause();
        }
        close(ends[1]);
        assert(read(ends[0], command, 1) == 1);
        close(ends[0]);

        snprintf(command, sizeof(command), "link set upper netns %d", (int) pid);
        ip(command);
        assert_free();                       /* it isn't up there */
        snprintf(command, sizeof(command), "nsenter -t %d -n ip link set upper up", (int) pid);
        assert(system(command) == 0);
        assert_used("eth0 receives for 02:00:00:00:00:07, which is in another network namespace");

        /* of what the interface is in, too */
        ip("link set eth0 down");
        assert_free();
        ip("link set eth0 up");
        assert_used("eth0 receives for 02:00:00:00:00:07, which is in another network namespace");

        assert(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
}

/* The driver is about to make an interface, and never does; the list of all doesn't have the device's. */
static void test_half_made(void) {
        setup();
        tree_remove(tree, DIRECTORY "/net/eth0");
        tree_remove(tree, "class/net/eth0");
        assert(ask() == -EAGAIN);
        tree_dir(tree, DIRECTORY "/net/eth0");
        assert(ask() == -EAGAIN);
        tree_link(tree, "../../" DIRECTORY "/net/eth0", "class/net/eth0");
        assert_free();
}

static void forget_eth0(void) {
        tree_remove(tree, "class/net/eth0");
        tree_remove(tree, DIRECTORY "/net/eth0");
}

/* As udev does it. */
static void rename_interface(void) {
        forget_eth0();
        make_interface("eth7");
        tree_remove(tree, "class/net/eth7");
        tree_link(tree, "../../" DIRECTORY "/net/eth7", "class/net/eth7");
        ip("link set eth0 name eth7");
}

/* As when its driver is unbound. */
static void remove_interface(void) {
        forget_eth0();
        tree_remove(tree, DIRECTORY "/net");
        ip("link del eth0");
}

static void remove_device(void) {
        remove_interface();
        tree_remove(tree, "bus/pci/devices/" NAME);
}

/* Whenever it happens, what is found is what there was before or what there is afterwards. */
static void test_changes(void) {
        static const struct {
                void (*event)(void);
                int outcome;
                const char *use;
        } changes[] = {
                { rename_interface, HOST_USE_FOUND, "eth7 carries 192.0.2.7/24" },
                { remove_interface, _HOST_USE_NONE, "" },
                { remove_device, -ENODEV, "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(changes); i++) {
                unsigned n, n_after = 0;

                event = changes[i].event;
                for (n = 1;; n++) {
                        int r;

                        setup();
                        ip("addr add 192.0.2.7/24 dev eth0");
                        event_at = n;
                        r = ask();
                        if (n_calls < event_at)
                                break;

                        if (r == changes[i].outcome && strcmp(use, changes[i].use) == 0)
                                n_after++;
                        else
                                assert(r == HOST_USE_FOUND && strcmp(use, "eth0 carries 192.0.2.7/24") == 0);
                }
                assert(n_after > 0);
        }
}

static int on_item(struct nlmsghdr *message, void *userdata) {
        return 0;
}

/* An answer that the kernel breaks off is no answer. */
static void test_no_answer(void) {
        static const struct rtgenmsg half = { .rtgen_family = AF_INET };
        static const struct ifaddrmsg none = { .ifa_family = AF_INET, .ifa_index = 7777 };
        const NetlinkQuestion questions[] = {
                { .type = RTM_GETADDR, .header = &half, .size = sizeof(half) },
                { .type = RTM_GETADDR, .header = &none, .size = sizeof(none) },
                { .type = RTM_MAX + 1, .header = &none, .size = sizeof(none) },
        };
        static const int errors[] = { -EINVAL, -ENODEV, -EOPNOTSUPP };
        _cleanup_netlink_ struct nl_sock *sock = NULL;

        setup();
        assert(netlink_open(&sock) == 0);
        for (size_t i = 0; i < ELEMENTSOF(questions); i++)
                assert(netlink_ask(sock, &questions[i], on_item, NULL) == errors[i]);
}

static void test_failures(void) {
        unsigned before;

        setup();
        before = count_fds();
        for (fail_at = 1;; fail_at++) {
                int r;

                r = ask();
                assert(count_fds() == before);
                if (n_calls < fail_at)
                        break;
                assert(r < 0);
                assert(use[0] == '\0');
        }
        assert(fail_at > 4 + 5 * 4);         /* the socket, and five questions of four calls */
}

int main(void) {
        if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
                printf("no network namespace of our own: %m\n");
                return 77;
        }
        if (!try_ip("link add eth0 type veth peer name wire")) {
                printf("no interfaces of our own: neither ip, nor veth, nor the right to\n");
                return 77;
        }

        test_none();
        test_address();
        test_default_route();
        test_bridge();
        test_upper();
        test_bond();
        test_two();
        test_other_namespace();
        test_foreign();
        test_half_made();
        test_changes();
        test_no_answer();
        test_failures();
        tree_free(tree);
        tree_free(proc);
        return 0;
}
