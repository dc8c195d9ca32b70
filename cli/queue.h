/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The descriptor of a queue, which somebody has to keep open: as long as the lease lives, and until we are
 * asked to end.
 */

#include "domain-verb.h"

typedef struct Queue {
        const DomainCall *call;
        int fd;                         /* -EBADF until it is made */
        uint64_t handle;                /* of what it belongs to, and goes with; 0 until it is made */
        int signals;
        bool news;                      /* of the lease: it is to be looked at */
        bool gone;                      /* what it belongs to is not there any more */
} Queue;

typedef enum QueueNext {
        QUEUE_OVER,                     /* which has been said, where it is no signal */
        QUEUE_BROKEN,                   /* the same, but something is wrong */
        QUEUE_INPUT,                    /* there is input, or its end */
        QUEUE_FILLED,                   /* there is something to read in the queue */
} QueueNext;

/*
 * To be called before the queue is made: listens to signals and for the end of the lease, so that neither is
 * missed. @queue stays where it is until queue_done().
 */
Status queue_init(Queue *queue, const DomainCall *call);
void queue_done(Queue *queue);

/* Waits for the queue to fill, with @fill, and for standard input, with @input. */
QueueNext queue_wait(Queue *queue, bool fill, bool input);

/* Prints @object as one line of JSON or, without --json, @text; both are freed. Somebody waits for it. */
Status queue_print(const Queue *queue, json_object *object, char *text);

/* Closes the queue and destroys what it belongs to, if that is there still. A result of libiommud. */
int queue_destroy(Queue *queue);
