/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Somebody who wants a device and is not who he says. Each way prints "granted LEASE" or "refused ERROR",
 * the answer to an Acquire.
 *
 *     adversary dead UID SPEAKER SELECTOR
 *             The connection is UID's, whose process has ended; SPEAKER, also a number, uses it.
 *     adversary reused UID SPEAKER SELECTOR CGROUP
 *             The same, and the number of that process is another's now, in CGROUP, a directory.
 *     adversary outlived UID SPEAKER SELECTOR CGROUP
 *             The same, and iommud has had a call from the connection while the process was alive.
 *     adversary sender NAME SELECTOR
 *             Says that NAME is calling.
 *     adversary exec SELECTOR PROGRAM ARGUMENT...
 *             Asks, becomes the program, and says nothing.
 *     adversary name
 *             Wants to be iommud, and says "granted" or "refused".
 *
 * The first three have to be started by root.
 */

#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "base/fd.h"
#include "base/parse.h"
#include "names.h"

#define BUS_SOCKET "/run/dbus/system_bus_socket"

static void bus_unrefp(sd_bus **bus) {
        sd_bus_flush_close_unref(*bus);
}

static void message_unrefp(sd_bus_message **message) {
        sd_bus_message_unref(*message);
}

static int become(uint32_t uid) {
        if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
                return -errno;

        return 0;
}

static int new_acquire(sd_bus *bus, const char *selector, sd_bus_message **ret) {
        int r;

        r = sd_bus_message_new_method_call(
                bus, ret, IOMMUD_BUS_NAME, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "Acquire");
        return r < 0 ? r : sd_bus_message_append(*ret, "asa{sv}", 1, selector, 0);
}

static int ask(sd_bus *bus, sd_bus_message *call) {
        _cleanup_(message_unrefp) sd_bus_message *reply = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *lease;
        int r;

        r = sd_bus_call(bus, call, /* usec= */ 60 * 1000 * 1000, &error, &reply);
        if (r < 0)
                printf("refused %s: %s\n", error.name, error.message);
        else if (sd_bus_message_read(reply, "o", &lease) >= 0)
                printf("granted %s\n", lease);

        sd_bus_error_free(&error);
        return 0;
}

/* The kernel tells the bus who connects at this moment. */
static int connect_raw(void) {
        const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = BUS_SOCKET };
        int fd;

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;

        return fd;
}

/* The process that connects, and gives what it has away. */
static void connector(uint32_t uid, int pipe_fd) {
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct iovec io = { .iov_base = (char[]) { 0 }, .iov_len = 1 };
        struct msghdr message = {
                .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
        };
        int fd;

        if (become(uid) < 0)
                _exit(1);
        fd = connect_raw();
        if (fd < 0)
                _exit(1);

        control.header = (struct cmsghdr) {
                .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
        };
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        if (sendmsg(pipe_fd, &message, 0) != 1)
                _exit(1);

        /* until nobody has the other end */
        _exit(read(pipe_fd, &(char) { 0 }, 1) == 0 ? 0 : 1);
}

static int receive_fd(int from) {
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control;
        char c;
        struct iovec io = { .iov_base = &c, .iov_len = 1 };
        struct msghdr message = {
                .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
        };
        int fd;

        if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != 1 ||
            message.msg_controllen < sizeof(control.header))
                return -EBADMSG;

        memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
        return fd;
}

/* The process that has connected, and what keeps it alive. */
typedef struct Connector {
        pid_t pid;
        int keep;
} Connector;

/* A connection of @uid, whose process is alive. */
static int connect_as_another(uint32_t uid, Connector *ret) {
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;

        ret->keep = ends[0];
        ret->pid = fork();
        if (ret->pid == 0) {
                close_fd(ends[0]);
                connector(uid, ends[1]);
        }

        close_fd(ends[1]);
        return receive_fd(ends[0]);
}

static int connector_end(const Connector *connector) {
        int status;

        close_fd(connector->keep);
        return waitpid(connector->pid, &status, 0) < 0 || status != 0 ? -ECHILD : 0;
}

/*
 * Lives for as long as @pipe_fd has another end, and keeps nothing else open. Its parent changes its user
 * and could not end it, not even by dying (PR_SET_PDEATHSIG).
 */
_Noreturn static void live_on(int pipe_fd) {
        char c;

        if (dup2(pipe_fd, STDIN_FILENO) < 0 || close_range(STDIN_FILENO + 1, ~0U, 0) < 0)
                _exit(1);

        (void) !read(STDIN_FILENO, &c, 1);
        _exit(0);
}

/* A process of this number, in this control group, for as long as we live. */
static int reuse(pid_t pid, const char *cgroup) {
        struct clone_args args = {
                .exit_signal = SIGCHLD, .set_tid = (uintptr_t) &pid, .set_tid_size = 1,
        };
        char number[16], path[512];
        int ends[2];
        long r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;

        r = syscall(SYS_clone3, &args, sizeof(args));
        if (r < 0)
                return -errno;
        if (r == 0)
                live_on(ends[0]);

        snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
        snprintf(number, sizeof(number), "%d", (int) pid);
        return write_text_at(AT_FDCWD, path, number);
}

static int start_bus(int fd, sd_bus **ret) {
        int r;

        r = sd_bus_new(ret);
        if (r >= 0)
                r = sd_bus_set_fd(*ret, fd, fd);
        if (r >= 0)
                r = sd_bus_set_bus_client(*ret, true);
        if (r >= 0)
                r = sd_bus_negotiate_fds(*ret, true);
        return r < 0 ? r : sd_bus_start(*ret);
}

/* Something for which iommud looks at the caller; whatever it answers. */
static int be_seen(sd_bus *bus, const char *selector) {
        _cleanup_(message_unrefp) sd_bus_message *reply = NULL;

        return sd_bus_call_method(bus, IOMMUD_BUS_NAME, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "Plan",
                                  /* ret_error= */ NULL, &reply, "asa{sv}", 1, selector, 0);
}

static int run_dead(
        uint32_t uid, uint32_t speaker, const char *selector, const char *cgroup, bool seen) {
        _cleanup_(message_unrefp) sd_bus_message *call = NULL;
        _cleanup_(bus_unrefp) sd_bus *bus = NULL;
        Connector connector = { .keep = -EBADF };
        int fd, r = 0;

        fd = connect_as_another(uid, &connector);
        if (fd < 0)
                return fd;

        if (seen) {
                r = start_bus(fd, &bus);
                if (r >= 0)
                        r = be_seen(bus, selector);
        }
        if (r >= 0)
                r = connector_end(&connector);
        if (r >= 0 && cgroup)
                r = reuse(connector.pid, cgroup);
        if (r >= 0)
                r = become(speaker);
        if (r >= 0 && !seen)
                r = start_bus(fd, &bus);
        if (r >= 0)
                r = new_acquire(bus, selector, &call);
        return r < 0 ? r : ask(bus, call);
}

static int run_sender(const char *name, const char *selector) {
        _cleanup_(message_unrefp) sd_bus_message *call = NULL;
        _cleanup_(bus_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = new_acquire(bus, selector, &call);
        if (r >= 0)
                r = sd_bus_message_set_sender(call, name);
        return r < 0 ? r : ask(bus, call);
}

static int run_exec(const char *selector, char **program) {
        sd_bus_message *call;
        sd_bus *bus;
        int r;

        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = new_acquire(bus, selector, &call);
        if (r >= 0)
                r = sd_bus_send(bus, call, &(uint64_t) { 0 });
        if (r >= 0)
                r = sd_bus_flush(bus);
        if (r < 0)
                return r;

        (void) fcntl(sd_bus_get_fd(bus), F_SETFD, 0);
        execvp(program[0], program);
        return -errno;
}

static int run_name(void) {
        _cleanup_(bus_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_open_system(&bus);
        if (r < 0)
                return r;

        r = sd_bus_request_name(bus, IOMMUD_BUS_NAME, SD_BUS_NAME_REPLACE_EXISTING | SD_BUS_NAME_QUEUE);
        printf("%s\n", r < 0 ? "refused" : "granted");
        return 0;
}

static int run(int argc, char *argv[]) {
        const char *way = argc > 1 ? argv[1] : "";
        uint32_t uid, speaker;

        if (strcmp(way, "name") == 0 && argc == 2)
                return run_name();
        if (strcmp(way, "sender") == 0 && argc == 4)
                return run_sender(argv[2], argv[3]);
        if (strcmp(way, "exec") == 0 && argc > 3)
                return run_exec(argv[2], argv + 3);

        if (argc < 5 || parse_u32(argv[2], &uid) < 0 || parse_u32(argv[3], &speaker) < 0)
                return -EINVAL;
        if (strcmp(way, "dead") == 0 && argc == 5)
                return run_dead(uid, speaker, argv[4], /* cgroup= */ NULL, /* seen= */ false);
        if (strcmp(way, "reused") == 0 && argc == 6)
                return run_dead(uid, speaker, argv[4], argv[5], /* seen= */ false);
        if (strcmp(way, "outlived") == 0 && argc == 6)
                return run_dead(uid, speaker, argv[4], argv[5], /* seen= */ true);

        return -EINVAL;
}

int main(int argc, char *argv[]) {
        int r;

        r = run(argc, argv);
        if (r < 0)
                fprintf(stderr, "%s\n", strerrordesc_np(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
