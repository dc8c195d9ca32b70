/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An agent of polkit that does what it is told instead of asking anybody. It must be root: polkit believes
 * nobody else that somebody has authenticated.
 *
 *     polkit-agent yes|later|no|dismiss PID...
 *
 * Registers for these processes and says "registered". For each question it says "asked MESSAGE", and
 * "cancelled" when one is taken back. Ends with its input; with "later", a line of input before that is a
 * yes to what was asked last.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "base/fd.h"
#include "base/parse.h"

#define POLKIT "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_AUTHORITY "org.freedesktop.PolicyKit1.Authority"
#define AGENT_PATH "/org/iommud/lab/agent"
#define AGENT_INTERFACE "org.freedesktop.PolicyKit1.AuthenticationAgent"

static const char *mode;
static uid_t agent_uid;                         /* for whose processes it is, as polkit sees it */

/* A question, to which the answer comes later; owned. Its cookie is in it. */
static sd_bus_message *open_question;
static const char *open_cookie;
static uint32_t open_uid;                       /* of the one who is asked to authenticate */

static void bus_unrefp(sd_bus **bus) {
        sd_bus_flush_close_unref(*bus);
}

/* polkit has taken note that root has authenticated, or has not: the end of the question, for us */
static int on_noted(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        sd_bus_message *question = userdata;

        if (sd_bus_message_is_method_error(reply, NULL))
                printf("not noted: %s\n", sd_bus_message_get_error(reply)->message);
        (void) fflush(stdout);
        (void) sd_bus_reply_method_return(question, NULL);
        sd_bus_message_unref(question);
        return 1;
}

/* Consumes the question. */
static int say_yes(sd_bus_message *question, const char *cookie, uint32_t uid) {
        return sd_bus_call_method_async(sd_bus_message_get_bus(question), /* ret_slot= */ NULL, POLKIT,
                                        POLKIT_PATH, POLKIT_AUTHORITY, "AuthenticationAgentResponse2",
                                        on_noted, question, "us(sa{sv})", (uint32_t) agent_uid, cookie,
                                        "unix-user", 1, "uid", "u", uid);
}

/* The first of those who may authenticate, a(sa{sv}): a user by his number. */
static int read_identity(sd_bus_message *m, uint32_t *ret) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(sa{sv})");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'r', "sa{sv}");
        if (r >= 0)
                r = sd_bus_message_skip(m, "s");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_skip(m, "s");
        return r >= 0 ? sd_bus_message_read(m, "v", "u", ret) : r;
}

static int method_begin(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *action, *message, *icon, *cookie;
        uint32_t uid;
        int r;

        r = sd_bus_message_read(m, "sss", &action, &message, &icon);
        if (r < 0)
                return r;

        printf("asked %s\n", message);
        (void) fflush(stdout);

        r = sd_bus_message_skip(m, "a{ss}");
        if (r >= 0)
                r = sd_bus_message_read(m, "s", &cookie);
        if (r >= 0)
                r = read_identity(m, &uid);
        if (r < 0)
                return r;

        if (strcmp(mode, "yes") == 0)
                return say_yes(sd_bus_message_ref(m), cookie, uid);
        if (strcmp(mode, "no") == 0)
                return sd_bus_reply_method_return(m, NULL);
        if (strcmp(mode, "dismiss") == 0)
                return sd_bus_reply_method_errorf(m, POLKIT ".Error.Cancelled", "Somebody doesn't want to.");

        sd_bus_message_unref(open_question);
        open_question = sd_bus_message_ref(m);
        open_cookie = cookie;                   /* of the message */
        open_uid = uid;
        return 1;
}

static int method_cancel(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        puts("cancelled");
        (void) fflush(stdout);
        return sd_bus_reply_method_return(m, NULL);
}

static const sd_bus_vtable agent_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("BeginAuthentication", "sssa{ss}sa(sa{sv})", "", method_begin,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("CancelAuthentication", "s", "", method_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END
};

/* The 22nd field of /proc/PID/stat, counted from behind the name, which may have anything in it */
static int read_start_time(uint32_t pid, uint64_t *ret) {
        char path[32], text[1024], *field;
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%" PRIu32 "/stat", pid);
        n = read_text_at(AT_FDCWD, path, text, sizeof(text));
        if (n < 0)
                return (int) n;

        field = strrchr(text, ')');
        for (unsigned i = 2; field && i < 22; i++)
                field = strchr(field + 1, ' ');
        if (!field)
                return -EBADMSG;

        field[1 + strcspn(field + 1, " ")] = '\0';
        return parse_u64(field + 1, ret);
}

static int register_for(sd_bus *bus, const char *process) {
        uint64_t start_time;
        char path[32];
        struct stat st;
        uint32_t pid;
        int r;

        r = parse_u32(process, &pid);
        if (r < 0)
                return r;

        snprintf(path, sizeof(path), "/proc/%" PRIu32, pid);
        if (stat(path, &st) < 0)
                return -errno;
        agent_uid = st.st_uid;

        r = read_start_time(pid, &start_time);
        if (r < 0)
                return r;

        return sd_bus_call_method(bus, POLKIT, POLKIT_PATH, POLKIT_AUTHORITY, "RegisterAuthenticationAgent",
                                  /* ret_error= */ NULL, /* ret_reply= */ NULL, "(sa{sv})ss", "unix-process",
                                  2, "pid", "u", pid, "start-time", "t", start_time, "C", AGENT_PATH);
}

static int on_input(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        char buffer[64];

        if (read(fd, buffer, sizeof(buffer)) > 0) {
                if (!open_question)
                        return 0;
                return say_yes(TAKE_PTR(open_question), open_cookie, open_uid);
        }

        return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int run(char **processes) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(bus_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_event_default(&event);
        if (r >= 0)
                r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_bus_add_object_vtable(bus, /* ret_slot= */ NULL, AGENT_PATH, AGENT_INTERFACE,
                                             agent_vtable, /* userdata= */ NULL);
        for (; r >= 0 && *processes; processes++)
                r = register_for(bus, *processes);
        if (r >= 0)
                r = sd_event_add_io(event, /* ret= */ NULL, STDIN_FILENO, 1 /* EPOLLIN */, on_input, NULL);
        if (r < 0)
                return r;

        puts("registered");
        (void) fflush(stdout);
        return sd_event_loop(event);
}

int main(int argc, char *argv[]) {
        int r;

        if (argc < 3)
                return 2;

        mode = argv[1];
        r = run(argv + 2);
        if (r < 0)
                fprintf(stderr, "%s\n", strerrordesc_np(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
