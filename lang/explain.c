/* The texts of `rnet explain`, from diagnostic.def and explain.def. */
#include "lang/explain.h"

#include <strings.h>

static const struct explanation table[] = {
#define DIAGNOSTIC(name, code_, meaning_)                                                          \
    [DIAGNOSTIC_##name].code = code_, [DIAGNOSTIC_##name].meaning = meaning_,
#include "lang/diagnostic.def"
#undef DIAGNOSTIC
#define EXPLAIN(name, text_, wrong_, mended_)                                                      \
    [DIAGNOSTIC_##name].text = text_, [DIAGNOSTIC_##name].wrong = wrong_,                          \
    [DIAGNOSTIC_##name].mended = mended_,
#include "lang/explain.def"
#undef EXPLAIN
};

const struct explanation *explanations(void)
{
    return table;
}

const struct explanation *explanation_find(const char *code)
{
    for (size_t i = 0; i < countof(table); i++)
        if (strcasecmp(table[i].code, code) == 0)
            return &table[i];
    return NULL;
}
