/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "base/fd.h"

/* The child. @ready is closed by the agent when it can be asked, or by the kernel if there is none. */
static void agent_exec(pid_t parent, int ready) {
        char process[16], notify[16];

        snprintf(process, sizeof(process), "%d", (int) parent);
        snprintf(notify, sizeof(notify), "%d", ready);

        /* it must not outlive us, nor be the heir of anything that we hold but this */
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent ||
            fcntl(ready, F_SETFD, 0) < 0)
                _exit(EXIT_FAILURE);

        execlp("pkttyagent", "pkttyagent", "--process", process, "--notify-fd", notify, "--fallback", NULL);
        _exit(STATUS_NOT_FOUND);
}

void agent_start(Agent *agent) {
        pid_t us = getpid();
        int ready[2];
        char c;

        agent->pid = 0;
        if (geteuid() == 0 || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) || pipe2(ready, O_CLOEXEC) < 0)
                return;

        agent->pid = fork();
        if (agent->pid == 0)
                agent_exec(us, ready[1]);

        close_fd(ready[1]);
        if (agent->pid < 0)
                agent->pid = 0;
        else
                while (read(ready[0], &c, 1) < 0 && errno == EINTR)
                        ;
        close_fd(ready[0]);
}

void agent_stop(Agent *agent) {
        if (agent->pid == 0)
                return;

        /* it may be stopped, as one is that reads from a terminal in the background */
        (void) kill(agent->pid, SIGTERM);
        (void) kill(agent->pid, SIGCONT);
        while (waitpid(agent->pid, /* wstatus= */ NULL, 0) < 0 && errno == EINTR)
                ;
        agent->pid = 0;
}
