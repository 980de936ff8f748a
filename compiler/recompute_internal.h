/* What the files of recomputation share: facts of the calls as they came (recompute_facts.c), and
 * the order of calls that a cut into segments leads to (recompute_order.c). */
#ifndef COMPILER_RECOMPUTE_INTERNAL_H
#define COMPILER_RECOMPUTE_INTERNAL_H

#include "compiler/lower.h"

struct recompute_facts {
    const struct calls *calls; /* as they came; borrowed */
    struct arena *arena;       /* for what lasts as long as the pass */
    call_id forward;           /* calls [0, forward) are the forward half */
    call_id train;             /* [forward, train) the backward half */
    /* Of each buffer; CALL_NONE where there is no such call: */
    call_id *writer;         /* in the forward half */
    call_id *last_forward;   /* the last of the forward half that reads it, or its writer */
    call_id *first_backward; /* the first of the backward half that reads it */
    bool *is_kept;           /* always */
    bool *is_costly;         /* takes more work for its bytes than results do on average */
    /* Of each place before a call of the forward half, and its end: */
    uint64_t *results;  /* bytes before it that gradients read and that need not be kept */
    uint64_t *crossing; /* bytes of the workspace that calls before it give to calls after it */
    double *work;       /* of the calls before it */
};

void recompute_find_facts(struct recompute_facts *facts, const struct calls *calls,
                          struct arena *arena);

/* Segments of the forward half, and what follows from them. All arrays are made once. */
struct recompute_order {
    const struct recompute_facts *facts;
    /* Given: segment s ends before call ends[s], the last one where the half ends; the first
     * `again` of them are computed again. */
    VECTOR(call_id) ends;
    size_t again;
    bool keeps_costly; /* costly results are kept, too */
    /* Found: */
    call_id *segment_end; /* of each call of the forward half: of its segment; 0: it runs once */
    bool *is_needed;      /* buffers that are written again */
    bool *repeats;        /* calls that run again */
    VECTOR(struct recompute_turn) turns;
    uint64_t peak;   /* bytes that live at once, at most */
    double work;     /* of the calls that run again */
    size_t repeated; /* how many */
    /* Scratch: */
    call_id *first_turn, *last_turn; /* of each buffer, and of each as it is written again */
    uint32_t *first_segment, *next_segment;
    int64_t *change;
};

/* One call of the new order. */
struct recompute_turn {
    call_id call;
    bool again; /* for the second time */
};

struct recompute_order recompute_order_new(const struct recompute_facts *facts);

/* Finds what the segments lead to: the turns, their peak and their work. */
void recompute_order_find(struct recompute_order *order);

/* Whether a buffer does not last from the forward half to the backward half. */
bool recompute_is_dropped(const struct recompute_order *order, buffer_id buffer);

/* Makes the calls those of the order. */
void recompute_apply(const struct recompute_order *order, struct calls *calls);

#endif
