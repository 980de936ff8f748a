/* What each diagnostic means, at length, with an example: `rnet explain`. */
#ifndef LANG_EXPLAIN_H
#define LANG_EXPLAIN_H

#include "lang/diagnostic.h"

struct explanation {
    const char *code;    /* "E0012" */
    const char *meaning; /* one line */
    const char *text;    /* lines of at most 88 columns */
    const char *wrong;   /* a file with this mistake and no other; empty if none can show it */
    const char *mended;  /* the same file without it */
};

/* All, in the order of their declaration; DIAGNOSTIC_CODE_COUNT of them. */
const struct explanation *explanations(void);

/* The one of `code`, whose letter may be small; NULL if there is none. */
const struct explanation *explanation_find(const char *code);

#endif
