/* SPDX-License-Identifier: MIT */
#include "base/map.h"
#include "../check.h"

TEST(a_key_is_found_until_it_is_taken)
{
    TEST_BEGIN;
    struct map m = {0};
    int value = 1;
    CHECK(!map_get(&m, 7));
    map_put(&m, 7, &value);
    CHECK(map_get(&m, 7) == &value);
    CHECK(map_take(&m, 7) == &value);
    CHECK(!map_get(&m, 7) && !map_take(&m, 7));
    map_free(&m);
}

/* Random puts and takes against a plain array as the oracle. */
TEST(a_map_agrees_with_an_array)
{
    TEST_BEGIN;
    enum { KEYS = 300, STEPS = 200000 };
    static char values[KEYS];
    bool there[KEYS] = {0};
    struct map m = {0};
    uint64_t seed = 42;
    size_t count = 0;
    for (int i = 0; i < STEPS; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t k = (size_t)(seed >> 33) % KEYS;
        int64_t key = (int64_t)k * 1024 - 77;
        if (seed >> 63) {
            map_put(&m, key, &values[k]);
            count += !there[k];
            there[k] = true;
        } else {
            CHECK(map_take(&m, key) == (there[k] ? &values[k] : NULL));
            count -= there[k];
            there[k] = false;
        }
        CHECK(m.count == count);
        if (i % 1000 == 0)
            for (size_t j = 0; j < KEYS; j++)
                CHECK(map_get(&m, (int64_t)j * 1024 - 77) == (there[j] ? &values[j] : NULL));
    }
    size_t seen = 0;
    for (struct map_slot *s = NULL; (s = map_each(&m, s));)
        seen++;
    CHECK(seen == count);
    map_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_found_until_it_is_taken),
        cmocka_unit_test(a_map_agrees_with_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
