/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "handover.h"
#include "supervise.h"
#include "wait.h"

/* A command, once it runs. */
typedef struct Supervisor {
        iommud_client *client;          /* NULL: the connection is lost */
        int pidfd;
        int signals;
        bool *asked;                    /* the devices are asked for */
} Supervisor;

Status execute(const iommud_lease *lease, char *const *command) {
        int r;

        r = handover(lease);
        if (r < 0) {
                complain("cannot hand the file descriptors over: %s", strerror(-r));
                return STATUS_BROKEN;
        }

        execvp(command[0], command);
        r = -errno;
        complain("cannot execute %s: %s", command[0], strerror(-r));
        return r == -ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_EXECUTE;
}

static void on_event(const iommud_event *event, void *userdata) {
        switch (iommud_event_kind(event)) {
        case IOMMUD_EVENT_RELEASE_REQUESTED:
                fprintf(stderr, "iommuctl: the devices are asked for: %s\n", iommud_event_reason(event));
                *(bool *) userdata = true;
                return;
        case IOMMUD_EVENT_DEVICE_GONE:
                fprintf(stderr, "iommuctl: %s was unplugged\n", iommud_event_device(event));
                return;
        case IOMMUD_EVENT_GROUP_GREW:
                fprintf(stderr, "iommuctl: %s has appeared in the group of a device\n",
                        iommud_event_device(event));
                return;
        }
}

Status supervise_prepare(iommud_client *client, bool *asked) {
        int r;

        r = iommud_set_event_func(client, on_event, asked);
        return r == 0 ? STATUS_OK : report(client, r, "listen to iommud");
}

/* The command gets on without iommud: only that nobody can ask it for anything any more. */
static void supervisor_dispatch(Supervisor *s) {
        if (iommud_dispatch(s->client) < 0) {
                complain("the connection to iommud is lost, the command goes on: %s",
                         iommud_error_text(s->client));
                iommud_client_free(TAKE_PTR(s->client));
        }

        if (*s->asked)
                (void) pidfd_send_signal(s->pidfd, SIGTERM, NULL, 0);  /* it may have ended just now */
        *s->asked = false;
}

static void supervisor_pass_on(Supervisor *s) {
        struct signalfd_siginfo info;

        if (read(s->signals, &info, sizeof(info)) == sizeof(info))
                (void) pidfd_send_signal(s->pidfd, (int) info.ssi_signo, NULL, 0);     /* as above */
}

static Status supervisor_run(Supervisor *s) {
        siginfo_t info = {};

        for (;;) {
                struct pollfd fds[] = {
                        { .fd = s->pidfd, .events = POLLIN },
                        { .fd = s->signals, .events = POLLIN },
                        { .fd = s->client ? iommud_get_fd(s->client) : -1,
                          .events = (short) (s->client ? iommud_get_events(s->client) : 0) },
                };

                if (poll(fds, ELEMENTSOF(fds), s->client ? client_poll_timeout(s->client) : -1) < 0 &&
                    errno != EINTR) {
                        complain("cannot wait: %s", strerror(errno));
                        return STATUS_BROKEN;
                }

                if (fds[0].revents)
                        break;
                if (fds[1].revents)
                        supervisor_pass_on(s);
                if (s->client)
                        supervisor_dispatch(s);
        }

        if (waitid(P_PIDFD, (id_t) s->pidfd, &info, WEXITED) < 0) {
                complain("cannot wait for the command: %s", strerror(errno));
                return STATUS_BROKEN;
        }

        return (Status) (info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status);
}

/* SIGINT and SIGQUIT come from the terminal to the command as well: they are its to decide about. */
static int block_signals(sigset_t *ret_before) {
        sigset_t mask;
        int fd;

        if (sigemptyset(&mask) < 0 || sigaddset(&mask, SIGTERM) < 0 || sigaddset(&mask, SIGHUP) < 0)
                return -errno;

        fd = signalfd(-1, &mask, SFD_CLOEXEC);
        if (fd < 0)
                return -errno;

        if (sigaddset(&mask, SIGINT) < 0 || sigaddset(&mask, SIGQUIT) < 0 ||
            sigprocmask(SIG_BLOCK, &mask, ret_before) < 0) {
                close_fd(fd);
                return -errno;
        }

        return fd;
}

Status supervise(iommud_client *client, iommud_lease *lease, bool *asked, char *const *command) {
        _cleanup_(iommud_client_freep) iommud_client *connection = client;
        _cleanup_(iommud_lease_freep) iommud_lease *ours = lease;
        _cleanup_close_ int signals = -EBADF, pidfd = -EBADF;
        Supervisor supervisor;
        sigset_t before;
        Status status;
        pid_t pid;

        signals = block_signals(&before);
        if (signals < 0) {
                complain("cannot wait for signals: %s", strerror(-signals));
                return STATUS_BROKEN;
        }

        pid = fork();
        if (pid < 0) {
                complain("cannot start the command: %s", strerror(errno));
                return STATUS_BROKEN;
        }
        if (pid == 0) {
                (void) sigprocmask(SIG_SETMASK, &before, NULL);        /* it was valid before */
                _exit(execute(lease, command));
        }

        /* nobody reaps it but we: the number is its own still */
        pidfd = pidfd_open(pid, 0);
        if (pidfd < 0) {
                complain("cannot watch the command: %s", strerror(errno));
                (void) kill(pid, SIGKILL);
                return STATUS_BROKEN;
        }

        iommud_lease_free(TAKE_PTR(ours));
        supervisor = (Supervisor) {
                .client = TAKE_PTR(connection),
                .pidfd = pidfd,
                .signals = signals,
                .asked = asked,
        };
        status = supervisor_run(&supervisor);
        iommud_client_free(supervisor.client);
        return status;
}
