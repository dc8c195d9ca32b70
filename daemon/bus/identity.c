/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "bus/error.h"
#include "bus/identity.h"
#include "bus/process-facts.h"
#include "core/subject.h"
#include "sys/journal.h"

/*
 * So many connections are remembered; the oldest is forgotten for a new one, and asked for again when it
 * comes back.
 */
#define IDENTITIES_MAX 64

/* What the bus vouches for, as long as the connection lives. */
typedef struct Credentials {
        Subject subject;                     /* without what its process tells */
        ProcessHandle process;               /* that has connected, owned; without descriptor: not told */
} Credentials;

#define CREDENTIALS_NULL { .subject = SUBJECT_INIT, .process = PROCESS_HANDLE_NULL }

typedef struct KnownSender {
        char name[64];                       /* unique bus name; "": the slot is free */
        Credentials credentials;
} KnownSender;

/* Why something is not known of a caller. Each is said once: it is the same for all callers, or nearly. */
typedef enum Doubt {
        DOUBT_NO_PIDFD,
        DOUBT_ENDED,
        DOUBT_UNREADABLE,
        DOUBT_NO_LABEL,
        DOUBT_PERMISSIVE,
        _DOUBT_MAX,
} Doubt;

struct Identity {
        sd_bus *bus;                         /* borrowed: the owner of this object keeps it */
        ProcessReader reader;
        int sysfs;                           /* borrowed */
        KnownSender known[IDENTITIES_MAX];
        unsigned next;                       /* the slot to be used next */
        struct WaitingCall *waiting;         /* in the order in which they came; owned */
        bool said[_DOUBT_MAX];
};

/* A message whose sender the bus driver was asked about: by the first that waits, for all of that sender. */
typedef struct WaitingCall {
        Identity *identity;
        sd_bus_message *message;             /* a reference */
        sd_bus_slot *question;               /* owned; NULL: another one has asked */
        struct WaitingCall *next;
} WaitingCall;

static bool waits_for(const WaitingCall *waiting, const char *sender) {
        return strcmp(sd_bus_message_get_sender(waiting->message), sender) == 0;
}

static void waiting_call_free(WaitingCall *waiting) {
        for (WaitingCall **link = &waiting->identity->waiting; *link; link = &(*link)->next)
                if (*link == waiting) {
                        *link = waiting->next;
                        break;
                }

        sd_bus_slot_unref(waiting->question);
        sd_bus_message_unref(waiting->message);
        free(waiting);
}

int identity_new(sd_bus *bus, int proc, int sysfs, Identity **ret) {
        _cleanup_(identity_freep) Identity *identity = NULL;
        int r;

        identity = calloc(1, sizeof(*identity));
        if (!identity)
                return -ENOMEM;

        identity->bus = bus;
        identity->sysfs = sysfs;
        for (size_t i = 0; i < IDENTITIES_MAX; i++)
                identity->known[i].credentials = (Credentials) CREDENTIALS_NULL;

        r = process_reader_init(&identity->reader, proc);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(identity);
        return 0;
}

Identity *identity_free(Identity *identity) {
        if (!identity)
                return NULL;

        while (identity->waiting)
                waiting_call_free(identity->waiting);
        for (size_t i = 0; i < IDENTITIES_MAX; i++)
                close_fd(identity->known[i].credentials.process.pidfd);

        free(identity);
        return NULL;
}

static void credentials_done(Credentials *credentials) {
        close_fd(credentials->process.pidfd);
        credentials->process = (ProcessHandle) PROCESS_HANDLE_NULL;
}

static int read_gids(sd_bus_message *reply, Subject *subject) {
        const uint32_t *gids;
        size_t size;
        int r;

        r = sd_bus_message_enter_container(reply, 'v', "au");
        if (r < 0)
                return r;

        r = sd_bus_message_read_array(reply, 'u', (const void **) &gids, &size);
        if (r < 0)
                return r;

        /* All or none: a rule may deny to the very group that would be left out. */
        if (size / sizeof(*gids) > SUBJECT_GIDS_MAX)
                return -E2BIG;

        for (size_t i = 0; i < size / sizeof(*gids); i++)
                subject->gids[subject->n_gids++] = gids[i];
        subject->known |= SUBJECT_KNOWS_GIDS;

        return sd_bus_message_exit_container(reply);
}

/* The label, which ends with a zero byte, of whatever security module there is. */
static int read_label(sd_bus_message *reply, Subject *subject) {
        const char *label;
        size_t size;
        int r;

        r = sd_bus_message_enter_container(reply, 'v', "ay");
        if (r < 0)
                return r;

        r = sd_bus_message_read_array(reply, 'y', (const void **) &label, &size);
        if (r < 0)
                return r;

        if (size > 0 && label[size - 1] == '\0')
                size--;
        if (size > 0 && size < sizeof(subject->label) && !memchr(label, '\0', size)) {
                memcpy(subject->label, label, size);
                subject->label[size] = '\0';
                subject->known |= SUBJECT_KNOWS_LABEL;
        }

        return sd_bus_message_exit_container(reply);
}

static int read_credential(sd_bus_message *reply, const char *key, Credentials *credentials) {
        Subject *subject = &credentials->subject;
        uint32_t number;
        int r, fd;

        if (strcmp(key, "UnixUserID") == 0) {
                r = sd_bus_message_read(reply, "v", "u", &number);
                if (r >= 0)
                        subject->uid = number;
                return r;
        }

        if (strcmp(key, "ProcessID") == 0) {
                r = sd_bus_message_read(reply, "v", "u", &number);
                if (r >= 0)
                        subject->pid = (pid_t) number;
                return r;
        }

        if (strcmp(key, "UnixGroupIDs") == 0)
                return read_gids(reply, subject);

        if (strcmp(key, "LinuxSecurityLabel") == 0)
                return read_label(reply, subject);

        if (strcmp(key, "ProcessFD") == 0) {
                r = sd_bus_message_read(reply, "v", "h", &fd);
                if (r < 0)
                        return r;

                close_fd(credentials->process.pidfd);
                credentials->process.pidfd = fd_dup(fd);
                return credentials->process.pidfd < 0 ? credentials->process.pidfd : 0;
        }

        return sd_bus_message_skip(reply, "v");
}

/* The reply of GetConnectionCredentials: a{sv}. */
static int read_credentials(sd_bus_message *reply, Credentials *ret) {
        _cleanup_(credentials_done) Credentials credentials = CREDENTIALS_NULL;
        const char *key;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "{sv}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                r = sd_bus_message_read_basic(reply, 's', &key);
                if (r < 0)
                        return r;

                r = read_credential(reply, key, &credentials);
                if (r < 0)
                        return r;

                r = sd_bus_message_exit_container(reply);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        if (credentials.subject.uid == (uid_t) -1)
                /* a bus that does not say who it is does not vouch for anybody */
                return -ENODATA;

        *ret = credentials;
        credentials = (Credentials) CREDENTIALS_NULL;
        return 0;
}

static int identity_remember_take(Identity *identity, const char *name, Credentials *credentials) {
        KnownSender *known = &identity->known[identity->next];
        int r;

        credentials_done(&known->credentials);
        r = copy_string(known->name, sizeof(known->name), name);
        if (r < 0)
                return r;

        known->credentials = *credentials;
        *credentials = (Credentials) CREDENTIALS_NULL;
        identity->next = (identity->next + 1) % IDENTITIES_MAX;
        return 0;
}

/* It comes back to its handler, to which its sender is known now. @r: or is told why it is not. */
static void resume_call(const WaitingCall *waiting, int r) {
        if (r >= 0)
                r = sd_bus_message_rewind(waiting->message, /* complete= */ true);
        if (r >= 0)
                r = sd_bus_enqueue_for_read(waiting->identity->bus, waiting->message);
        if (r < 0)
                r = reply_failure(waiting->message, r, "asking the bus who is calling");
        if (r < 0)
                log_warning("A caller could not be told that the bus does not say who it is: %s",
                        strerrordesc_np(-r));
}

static int on_credentials(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        _cleanup_(credentials_done) Credentials credentials = CREDENTIALS_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *first = NULL;
        Identity *identity = ((WaitingCall *) userdata)->identity;
        WaitingCall *waiting, *next;
        const char *sender;
        bool gone;
        int r;

        first = sd_bus_message_ref(((WaitingCall *) userdata)->message);
        sender = sd_bus_message_get_sender(first);
        gone = sd_bus_message_is_method_error(reply, "org.freedesktop.DBus.Error.NameHasNoOwner");

        if (sd_bus_message_is_method_error(reply, NULL))
                r = -sd_bus_message_get_errno(reply);
        else
                r = read_credentials(reply, &credentials);

        /* what is not remembered would be asked for again, for ever */
        if (r >= 0)
                r = identity_remember_take(identity, sender, &credentials);

        for (waiting = identity->waiting; waiting; waiting = next) {
                next = waiting->next;
                if (!waits_for(waiting, sender))
                        continue;

                if (!gone)
                        resume_call(waiting, r);
                waiting_call_free(waiting);  /* who has gone waits for no answer */
        }

        return 1;
}

static int identity_ask(Identity *identity, sd_bus_message *message, const char *sender) {
        WaitingCall *waiting, **link;
        bool asked = false;
        int r;

        waiting = calloc(1, sizeof(*waiting));
        if (!waiting)
                return -ENOMEM;

        *waiting = (WaitingCall) {
                .identity = identity,
                .message = sd_bus_message_ref(message),
        };
        for (link = &identity->waiting; *link; link = &(*link)->next)
                asked = asked || waits_for(*link, sender);
        *link = waiting;
        if (asked)
                return 0;

        r = sd_bus_call_method_async(identity->bus, &waiting->question, "org.freedesktop.DBus",
                "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionCredentials", on_credentials,
                waiting, "s", sender);
        if (r < 0) {
                waiting_call_free(waiting);
                return r;
        }

        return 0;
}

/* Whether this is the first time that there is this doubt. */
static bool identity_is_news(Identity *identity, Doubt doubt) {
        bool said = identity->said[doubt];

        identity->said[doubt] = true;
        return !said;
}

/*
 * Whether nobody has a label that the policy does not let him have. SELinux says so itself, to the whole
 * host; where there is something of it that does not say, it may be permissive. The labels of others are
 * held to, or tell by themselves that they are not.
 */
static bool labels_are_enforced(const Identity *identity) {
        char text[8];
        ssize_t n;

        n = read_text_at(identity->sysfs, "fs/selinux/enforce", text, sizeof(text));
        if (n >= 0)
                return strcmp(text, "1") == 0;

        return n == -ENOENT && faccessat(identity->sysfs, "fs/selinux", F_OK, /* flags= */ 0) < 0 &&
               errno == ENOENT;
}

static void identity_look_at_labels(Identity *identity, Subject *subject) {
        if (labels_are_enforced(identity))
                subject->known |= SUBJECT_KNOWS_ENFORCED;
        else if (identity_is_news(identity, DOUBT_PERMISSIVE))
                log_warning("SELinux is permissive, or has no policy: whoever wants to can have any label, "
                            "and so no rule about labels allows anything");
}

/* What the process of the caller tells now: it may have ended or moved since it was remembered. */
static void identity_look(Identity *identity, Credentials *credentials, unsigned wanted, Subject *subject) {
        int r;

        if (!(subject->known & SUBJECT_KNOWS_LABEL) && identity_is_news(identity, DOUBT_NO_LABEL))
                log_info("The bus gives no security label for a caller (uid %u): no rule about labels "
                         "allows anything to callers without one", subject->uid);
        if (wanted & SUBJECT_KNOWS_ENFORCED)
                identity_look_at_labels(identity, subject);

        if (credentials->process.pidfd < 0) {
                if (identity_is_news(identity, DOUBT_NO_PIDFD))
                        log_warning("The bus hands out no process descriptors (that takes dbus 1.15.8 or "
                                    "dbus-broker 34, and Linux 6.5): nobody can be proved to be root, and "
                                    "no rule about user namespaces, units, slices and control groups "
                                    "allows anything");
                return;
        }

        r = process_facts_read(
                &identity->reader, &credentials->process, wanted | SUBJECT_KNOWS_USERNS, subject);
        if (r == -ESRCH && identity_is_news(identity, DOUBT_ENDED))
                log_notice("A process that had connected to the bus (uid %u, pid %d) had ended when a call "
                           "from its connection was looked at: no rule about user namespaces, units, "
                           "slices and control groups allows anything to such callers",
                           subject->uid, (int) subject->pid);
        if (r < 0 && r != -ESRCH && identity_is_news(identity, DOUBT_UNREADABLE))
                log_warning("Not all can be found out about a caller (uid %u, pid %d), its user namespace "
                            "or its control group: %s; no rule about that allows anything to it",
                            subject->uid, (int) subject->pid, strerrordesc_np(-r));
}

int identity_of_sender(Identity *identity, sd_bus_message *message, unsigned wanted, Subject *ret) {
        const char *sender;

        sender = sd_bus_message_get_sender(message);
        if (!sender)
                return -EBADMSG;

        for (size_t i = 0; i < IDENTITIES_MAX; i++)
                if (strcmp(identity->known[i].name, sender) == 0) {
                        *ret = identity->known[i].credentials.subject;
                        identity_look(identity, &identity->known[i].credentials, wanted, ret);
                        return 1;
                }

        return identity_ask(identity, message, sender);
}

int identity_pidfd_of_sender(const Identity *identity, sd_bus_message *message) {
        const char *sender;

        sender = sd_bus_message_get_sender(message);
        for (size_t i = 0; sender && i < IDENTITIES_MAX; i++)
                if (strcmp(identity->known[i].name, sender) == 0)
                        return identity->known[i].credentials.process.pidfd;

        return -EBADF;
}
