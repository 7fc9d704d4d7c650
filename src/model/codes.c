/* SPDX-License-Identifier: MIT */
#include "model/codes.h"

#define X(name, text, title) {text, title},
const struct code_info code_info[CODE_COUNT] = {CODE_LIST(X)};
#undef X

const struct code_info *code_find(struct str text)
{
    for (size_t i = 0; i < CODE_COUNT; i++)
        if (str_is(text, code_info[i].text))
            return &code_info[i];
    return NULL;
}
