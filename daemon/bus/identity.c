/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "base/pidfd.h"
#include "bus/error.h"
#include "bus/identity.h"
#include "core/subject.h"
#include "sys/journal.h"

/*
 * So many connections are remembered; the oldest is forgotten for a new one, and asked for again when it
 * comes back.
 */
#define IDENTITIES_MAX 64

typedef struct KnownSender {
        char name[64];                       /* unique bus name; "": the slot is free */
        Subject subject;
} KnownSender;

struct Identity {
        sd_bus *bus;                         /* borrowed: the owner of this object keeps it */
        KnownSender known[IDENTITIES_MAX];
        unsigned next;                       /* the slot to be used next */
        struct Question *questions;          /* under way; owned */
};

/* A question to the bus driver, and the message that waits for the answer. */
typedef struct Question {
        Identity *identity;
        sd_bus_message *message;             /* a reference */
        sd_bus_slot *slot;                   /* owned */
        struct Question *next;
} Question;

static void question_free(Question *question) {
        for (Question **link = &question->identity->questions; *link; link = &(*link)->next)
                if (*link == question) {
                        *link = question->next;
                        break;
                }

        sd_bus_slot_unref(question->slot);
        sd_bus_message_unref(question->message);
        free(question);
}

int identity_new(sd_bus *bus, Identity **ret) {
        Identity *identity;

        identity = calloc(1, sizeof(*identity));
        if (!identity)
                return -ENOMEM;

        identity->bus = bus;
        *ret = identity;
        return 0;
}

Identity *identity_free(Identity *identity) {
        if (!identity)
                return NULL;

        while (identity->questions)
                question_free(identity->questions);

        free(identity);
        return NULL;
}

/* Whether the process of @pidfd is in our own user namespace. Not proved is no. */
static bool pidfd_in_own_userns(int pidfd) {
        struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
        struct stat ours, theirs;
        char path[64];
        pid_t pid;

        if (pidfd_get_pid(pidfd, &pid) < 0)
                return false;

        snprintf(path, sizeof(path), "/proc/%d/ns/user", (int) pid);
        if (stat(path, &theirs) < 0 || stat("/proc/self/ns/user", &ours) < 0)
                return false;

        /* Still running now means that the number was that process's all the while. */
        if (poll(&poll_fd, 1, 0) != 0)
                return false;

        return ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
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

static int read_credential(sd_bus_message *reply, const char *key, Subject *subject) {
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

        if (strcmp(key, "ProcessFD") == 0) {
                r = sd_bus_message_read(reply, "v", "h", &fd);
                if (r >= 0)
                        subject->own_userns = pidfd_in_own_userns(fd);
                return r;
        }

        return sd_bus_message_skip(reply, "v");
}

/* The reply of GetConnectionCredentials: a{sv}. */
static int read_credentials(sd_bus_message *reply, Subject *ret) {
        Subject subject = SUBJECT_INIT;
        const char *key;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "{sv}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                r = sd_bus_message_read_basic(reply, 's', &key);
                if (r < 0)
                        return r;

                r = read_credential(reply, key, &subject);
                if (r < 0)
                        return r;

                r = sd_bus_message_exit_container(reply);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        if (subject.uid == (uid_t) -1)
                /* a bus that does not say who it is does not vouch for anybody */
                return -ENODATA;

        *ret = subject;
        return 0;
}

static int identity_remember(Identity *identity, const char *name, const Subject *subject) {
        KnownSender *known = &identity->known[identity->next];
        int r;

        r = copy_string(known->name, sizeof(known->name), name);
        if (r < 0)
                return r;

        known->subject = *subject;
        identity->next = (identity->next + 1) % IDENTITIES_MAX;
        return 0;
}

static int on_credentials(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Question *question = userdata;
        const char *sender = sd_bus_message_get_sender(question->message);
        Subject subject;
        int r;

        if (sd_bus_message_is_method_error(reply, "org.freedesktop.DBus.Error.NameHasNoOwner")) {
                question_free(question);     /* it has gone, and nobody waits for an answer */
                return 1;
        }

        if (sd_bus_message_is_method_error(reply, NULL))
                r = -sd_bus_message_get_errno(reply);
        else
                r = read_credentials(reply, &subject);

        /* what is not remembered would be asked for again, for ever */
        if (r >= 0)
                r = identity_remember(question->identity, sender, &subject);
        if (r >= 0)
                r = sd_bus_message_rewind(question->message, /* complete= */ true);
        if (r >= 0)
                r = sd_bus_enqueue_for_read(question->identity->bus, question->message);
        if (r < 0)
                r = reply_failure(question->message, r, "asking the bus who is calling");
        if (r < 0)
                log_warning("A caller could not be told that the bus does not say who it is: %s",
                        strerrordesc_np(-r));

        question_free(question);
        return 1;
}

static int identity_ask(Identity *identity, sd_bus_message *message, const char *sender) {
        Question *question;
        int r;

        question = calloc(1, sizeof(*question));
        if (!question)
                return -ENOMEM;

        *question = (Question) {
                .identity = identity,
                .message = sd_bus_message_ref(message),
                .next = identity->questions,
        };
        identity->questions = question;

        r = sd_bus_call_method_async(identity->bus, &question->slot, "org.freedesktop.DBus",
                "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionCredentials", on_credentials,
                question, "s", sender);
        if (r < 0) {
                question_free(question);
                return r;
        }

        return 0;
}

int identity_of_sender(Identity *identity, sd_bus_message *message, Subject *ret) {
        const char *sender;

        sender = sd_bus_message_get_sender(message);
        if (!sender)
                return -EBADMSG;

        for (size_t i = 0; i < IDENTITIES_MAX; i++)
                if (strcmp(identity->known[i].name, sender) == 0) {
                        *ret = identity->known[i].subject;
                        return 1;
                }

        return identity_ask(identity, message, sender);
}
